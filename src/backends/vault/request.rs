//! One call before it is sent: where it goes, what it carries, and what it needs.

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use url::Url;

use super::address::Address;
use super::error::Call;

/// A request that can be sent more than once.
///
/// It has no `Debug`: the body may hold secrets.
pub(super) struct Request {
    pub(super) verb: Verb,
    /// The path behind `/v1/`, not encoded: `git/data/gitlab/repo-12/default/readonly`.
    pub(super) path: String,
    /// Where the engine is mounted that answers: `git`, or `auth/nautes`.
    pub(super) mount: String,
    pub(super) body: Bytes,
    /// The path in the policy line that allows the call, when it is wider than its own.
    permitted_by: Option<String>,
    /// Whether repeating it does what a single one does.
    pub(super) repeatable: bool,
}

/// What a call does, which decides its method and the capability it needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verb {
    Read,
    List,
    Write,
    Delete,
}

impl Request {
    /// A call without body at a path below a mount.
    pub(super) fn new(verb: Verb, mount: &str, path: &str) -> Self {
        Self {
            verb,
            path: format!("{mount}/{path}"),
            mount: mount.to_owned(),
            body: Bytes::new(),
            permitted_by: None,
            repeatable: true,
        }
    }

    /// The call that logs in at an auth mount. It may use up a secret id, so it is sent once.
    pub(super) fn login(auth_mount: &str) -> Self {
        Self {
            repeatable: false,
            ..Self::new(Verb::Write, &format!("auth/{auth_mount}"), "login")
        }
    }

    /// Adds a JSON body; gives the request back if that is impossible.
    pub(super) fn with_body(mut self, body: &impl Serialize) -> Result<Self, Box<Self>> {
        match serde_json::to_vec(body) {
            Ok(body) => {
                self.body = body.into();
                Ok(self)
            }
            Err(_) => Err(Box::new(self)),
        }
    }

    /// Names the path of the policy line that allows this call and its like.
    pub(super) fn permitted_by(self, path: String) -> Self {
        Self {
            permitted_by: Some(path),
            ..self
        }
    }

    /// The URL with its query.
    pub(super) fn url(&self, address: &Address) -> Url {
        let mut url = address.endpoint(&self.path);
        if self.verb == Verb::List {
            url.set_query(Some("list=true"));
        }
        url
    }

    /// The method on the wire. Listing is a read with a query, because proxies refuse methods that
    /// they do not know, and `LIST` is one.
    pub(super) fn method(&self) -> Method {
        match self.verb {
            Verb::Read | Verb::List => Method::GET,
            Verb::Write => Method::POST,
            Verb::Delete => Method::DELETE,
        }
    }

    /// How the call is named in errors.
    pub(super) fn call(&self, address: &Address) -> Call {
        let method = match self.verb {
            Verb::List => Method::from_bytes(b"LIST").unwrap_or_default(),
            _ => self.method(),
        };
        Call {
            method,
            url: address.endpoint(&self.path).into(),
        }
    }

    /// The line of a policy that allows the call.
    pub(super) fn rule(&self) -> String {
        let path = self.permitted_by.as_deref().unwrap_or(&self.path);
        let capabilities = match self.verb {
            Verb::Read => r#""read""#,
            Verb::List => r#""list""#,
            Verb::Write => r#""create", "update""#,
            Verb::Delete => r#""delete""#,
        };
        format!(r#"path "{path}" {{ capabilities = [{capabilities}] }}"#)
    }
}
