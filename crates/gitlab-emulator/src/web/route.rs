//! The table of routes: what each needs of its caller, and the function that answers.

use http::Method;

use super::call::Call;
use super::params::{Params, Raw};
use super::refusal::Refusal;
use super::reply::Answer;
use crate::domain::token::Scope;
use crate::limit::Limited;

type Handler = Box<dyn Fn(&Call<'_>, &Raw) -> Answer + Send + Sync>;

/// Who may call a route at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Everybody.
    Anybody,
    /// Users with a token.
    Users,
    /// Administrators.
    Administrators,
}

/// Which scopes a route accepts besides `api`, and `read_api` for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// Any scope.
    Any,
    /// These too.
    Also(&'static [Scope]),
}

/// A route of the API.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) callers: Callers,
    pub(crate) accepts: Accepts,
    pub(crate) is_open_to_jobs: bool,
    /// What a fine-grained token must be allowed, such as `Project: Read`; routes without it
    /// refuse every such token.
    pub(crate) permission: Option<&'static str>,
    pub(crate) limit: Option<Limited>,
    handler: Handler,
}

impl Route {
    /// A route whose path is below `/api/v4`. Reading is open to everybody whom the handler lets
    /// see something, writing to users, unless said otherwise.
    pub(crate) fn new<P: Params + 'static>(
        method: Method,
        path: &'static str,
        handler: fn(&Call<'_>, &P) -> Answer,
    ) -> Self {
        let callers = if matches!(method, Method::GET | Method::HEAD) {
            Callers::Anybody
        } else {
            Callers::Users
        };
        Self {
            method,
            path,
            callers,
            accepts: Accepts::Also(&[]),
            is_open_to_jobs: false,
            permission: None,
            limit: None,
            handler: Box::new(move |call, raw| handler(call, &P::read(raw)?)),
        }
    }

    pub(crate) fn get<P: Params + 'static>(
        path: &'static str,
        handler: fn(&Call<'_>, &P) -> Answer,
    ) -> Self {
        Self::new(Method::GET, path, handler)
    }

    pub(crate) fn post<P: Params + 'static>(
        path: &'static str,
        handler: fn(&Call<'_>, &P) -> Answer,
    ) -> Self {
        Self::new(Method::POST, path, handler)
    }

    pub(crate) fn put<P: Params + 'static>(
        path: &'static str,
        handler: fn(&Call<'_>, &P) -> Answer,
    ) -> Self {
        Self::new(Method::PUT, path, handler)
    }

    pub(crate) fn delete<P: Params + 'static>(
        path: &'static str,
        handler: fn(&Call<'_>, &P) -> Answer,
    ) -> Self {
        Self::new(Method::DELETE, path, handler)
    }

    pub(crate) const fn for_users(mut self) -> Self {
        self.callers = Callers::Users;
        self
    }

    pub(crate) const fn for_administrators(mut self) -> Self {
        self.callers = Callers::Administrators;
        self
    }

    pub(crate) const fn accepting(mut self, accepts: Accepts) -> Self {
        self.accepts = accepts;
        self
    }

    pub(crate) const fn open_to_jobs(mut self) -> Self {
        self.is_open_to_jobs = true;
        self
    }

    pub(crate) const fn permission(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }

    pub(crate) const fn limited(mut self, limit: Limited) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Whether the route changes nothing.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }

    /// The scopes that open the route, in the order in which GitLab names them.
    pub(crate) fn scopes(&self) -> Option<Vec<Scope>> {
        let Accepts::Also(also) = self.accepts else {
            return None;
        };
        let mut scopes = also.to_vec();
        match (self.is_read(), also.is_empty()) {
            (true, true) => scopes.extend([Scope::ReadApi, Scope::Api]),
            (true, false) => scopes.extend([Scope::Api, Scope::ReadApi]),
            (false, _) => scopes.push(Scope::Api),
        }
        Some(scopes)
    }

    /// Answers a call whose caller and limits were checked.
    pub(crate) fn answer(&self, call: &Call<'_>) -> Answer {
        match self.callers {
            Callers::Anybody => {}
            Callers::Users => {
                call.user()?;
            }
            Callers::Administrators => {
                call.user()?;
                if !call.identity.is_admin {
                    return Err(Refusal::forbidden());
                }
            }
        }
        (self.handler)(call, &call.raw)
    }
}
