//! The ways to get a token.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::secret::{self, Secret};

use super::error::{Error, Kind};
use super::request::Request;
use crate::backends::http::ApiRoot;

/// Where pods have the token of their service account.
const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// How a client gets its token.
///
/// Mounts are names below `auth/`, such as `approle`.
pub enum Login {
    /// The token itself.
    Token(Secret),
    /// The auth method `approle`.
    AppRole {
        /// Where the method is mounted.
        mount: String,
        /// The id of the role.
        role_id: String,
        /// The secret id, which a role may not need.
        secret_id: Option<Secret>,
    },
    /// The auth method `jwt`, for example with the workload identity of a remote run.
    Jwt {
        /// Where the method is mounted.
        mount: String,
        /// The role; `None` for the default role of the mount.
        role: Option<String>,
        /// The signed token.
        token: Secret,
    },
    /// The auth method `kubernetes`.
    Kubernetes {
        /// Where the method is mounted.
        mount: String,
        /// The role.
        role: String,
        /// The file with the service account's token; `None` for the place where pods have it. It is
        /// read at each login, because the cluster replaces it from time to time.
        token_path: Option<PathBuf>,
    },
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Token(_) => "Token",
            Self::AppRole { .. } => "AppRole",
            Self::Jwt { .. } => "Jwt",
            Self::Kubernetes { .. } => "Kubernetes",
        };
        f.debug_struct(name).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct AppRoleBody<'a> {
    role_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<Exposed<'a>>,
}

#[derive(Serialize)]
struct JwtBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    jwt: Exposed<'a>,
}

/// A secret in a request body in clear text.
#[derive(Serialize)]
struct Exposed<'a>(#[serde(serialize_with = "secret::serialize_exposed")] &'a Secret);

impl Login {
    /// Returns the call that logs in; `None` when the token is given.
    pub(super) fn request(&self, api: &ApiRoot) -> Result<Option<Request>, Error> {
        let request = match self {
            Self::Token(_) => return Ok(None),
            Self::AppRole {
                mount,
                role_id,
                secret_id,
            } => Request::login(api, mount).with_body(&AppRoleBody {
                role_id,
                secret_id: secret_id.as_ref().map(Exposed),
            }),
            Self::Jwt { mount, role, token } => Request::login(api, mount).with_body(&JwtBody {
                role: role.as_deref(),
                jwt: Exposed(token),
            }),
            Self::Kubernetes {
                mount,
                role,
                token_path,
            } => {
                let request = Request::login(api, mount);
                let file = token_path.clone();
                let file = file.unwrap_or_else(|| SERVICE_ACCOUNT_TOKEN.into());
                let jwt = std::fs::read_to_string(&file).map_err(|error| {
                    let file = file.display().to_string();
                    let call = request.http.call.clone();
                    Error::caused_by(call, Kind::LoginUnreadable { file }, error)
                })?;
                request.with_body(&JwtBody {
                    role: Some(role),
                    jwt: Exposed(&Secret::from(jwt.trim())),
                })
            }
        };
        request.map(Some)
    }
}
