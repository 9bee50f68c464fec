//! One call before it is sent: where it goes, what it carries, and what it needs.

use http::{HeaderMap, Method};
use serde::Serialize;

use super::error::{Error, Kind};
use crate::backends::http::{self as base, ApiRoot, Call, TransportError, WhenLimited};

/// A request that can be sent more than once.
///
/// It has no `Debug`: its body may hold secrets.
pub(super) struct Request {
    pub(super) http: base::Request,
    /// Where the engine is mounted that answers: `git`, or `auth/nautes`.
    pub(super) mount: String,
    verb: Verb,
    /// The path in the line of a policy that allows the call.
    permitted_path: String,
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
    /// Makes a call without a body at a path below a mount: `git`, `data/gitlab/repo-12`.
    pub(super) fn new(api: &ApiRoot, verb: Verb, mount: &str, path: &str) -> Self {
        let path = format!("{mount}/{path}");
        let mut url = api.join_segments(&path);
        let call = Call::new(verb.shown_method(), &url);
        if verb == Verb::List {
            url.set_query(Some("list=true"));
        }
        Self {
            http: base::Request {
                call,
                method: verb.method(),
                url,
                headers: HeaderMap::new(),
                body: bytes::Bytes::new(),
                // A quota is one of a mount, of what is in it, or of all mounts.
                route: mount.to_owned(),
                repeatable: true,
                when_limited: WhenLimited::Wait,
                max_answer: base::MAX_ANSWER,
            },
            mount: mount.to_owned(),
            verb,
            permitted_path: path,
        }
    }

    /// Makes the call that logs in at an auth mount. It may use up a secret id, so it is sent once.
    pub(super) fn login(api: &ApiRoot, auth_mount: &str) -> Self {
        let mut login = Self::new(api, Verb::Write, &format!("auth/{auth_mount}"), "login");
        login.http.repeatable = false;
        login
    }

    /// Adds a JSON body.
    pub(super) fn with_body(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body);
        // What the serializer has to say may quote a secret.
        let unsendable = |_| Error::new(self.http.call.clone(), TransportError::Unsendable);
        self.http.body = body.map_err(unsendable)?.into();
        Ok(self)
    }

    /// Sets the path of the policy line that allows this call and others like it.
    pub(super) fn permitted_by(self, permitted_path: String) -> Self {
        Self {
            permitted_path,
            ..self
        }
    }

    /// Returns the error of a call that no policy of the token allows.
    pub(super) fn forbidden(&self) -> Error {
        let rule = self.rule();
        Error::new(self.http.call.clone(), Kind::Forbidden { rule })
    }

    /// Returns the line of a policy that allows the call.
    pub(super) fn rule(&self) -> String {
        let path = &self.permitted_path;
        let capabilities = match self.verb {
            Verb::Read => r#""read""#,
            Verb::List => r#""list""#,
            Verb::Write => r#""create", "update""#,
            Verb::Delete => r#""delete""#,
        };
        format!(r#"path "{path}" {{ capabilities = [{capabilities}] }}"#)
    }
}

impl Verb {
    /// Returns the method on the wire. A listing is a read with a query, because proxies refuse methods
    /// that they do not know, and `LIST` is one.
    fn method(self) -> Method {
        match self {
            Self::Read | Self::List => Method::GET,
            Self::Write => Method::POST,
            Self::Delete => Method::DELETE,
        }
    }

    fn shown_method(self) -> Method {
        match self {
            Self::List => Method::from_bytes(b"LIST").unwrap_or_default(),
            other => other.method(),
        }
    }
}
