//! The table of routes: the requirements on the caller, and the handler.

use http::Method;

use super::api_error::ApiError;
use super::call::Call;
use super::params::{Params, Raw};
use super::reply::ApiResult;
use crate::domain::token::Scope;
use crate::limit::Limit;

type Handler = Box<dyn Fn(&Call<'_>, &Raw) -> ApiResult + Send + Sync>;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Everybody.
    Anybody,
    /// Users with a token.
    Users,
    /// Administrators.
    Administrators,
}

/// The scopes that open a route besides `api`, and `read_api` for reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// Any scope.
    Any,
    /// These as well.
    Also(&'static [Scope]),
}

/// A route of the API.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) callers: Callers,
    pub(crate) accepts: Accepts,
    pub(crate) is_open_to_jobs: bool,
    /// The permission that a fine-grained token needs, such as `Project: Read`; routes without one
    /// refuse all fine-grained tokens.
    pub(crate) permission: Option<&'static str>,
    pub(crate) limit: Option<Limit>,
    handler: Handler,
}

impl Route {
    /// Creates a route below `/api/v4`. By default reads are open to everybody, as far as the
    /// handler allows, and writes to users.
    pub(crate) fn new<P: Params + 'static>(
        method: Method,
        path: &'static str,
        handler: fn(&Call<'_>, &P) -> ApiResult,
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
        handler: fn(&Call<'_>, &P) -> ApiResult,
    ) -> Self {
        Self::new(Method::GET, path, handler)
    }

    pub(crate) fn post<P: Params + 'static>(
        path: &'static str,
        handler: fn(&Call<'_>, &P) -> ApiResult,
    ) -> Self {
        Self::new(Method::POST, path, handler)
    }

    pub(crate) fn put<P: Params + 'static>(
        path: &'static str,
        handler: fn(&Call<'_>, &P) -> ApiResult,
    ) -> Self {
        Self::new(Method::PUT, path, handler)
    }

    pub(crate) fn delete<P: Params + 'static>(
        path: &'static str,
        handler: fn(&Call<'_>, &P) -> ApiResult,
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

    pub(crate) const fn with_limit(mut self, limit: Limit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Returns whether the route is read-only.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }

    /// Returns the scopes that open the route, in GitLab's order.
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

    /// Calls the handler. The caller and limits must have been checked.
    pub(crate) fn handle(&self, call: &Call<'_>) -> ApiResult {
        match self.callers {
            Callers::Anybody => {}
            Callers::Users => {
                call.user()?;
            }
            Callers::Administrators => {
                call.user()?;
                if !call.identity.is_admin {
                    return Err(ApiError::forbidden());
                }
            }
        }
        (self.handler)(call, &call.raw)
    }
}
