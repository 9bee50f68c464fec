//! Access tokens of a project.

use gitlab::api::projects::access_tokens::{ProjectAccessTokens, RevokeProjectAccessToken};
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

use super::GitLab;
use super::error::Error;
use super::json_endpoint::JsonEndpoint;

/// An access token of a project.
#[derive(Debug, Deserialize)]
pub struct AccessToken {
    /// Its number; a rotation gives a new one.
    pub id: u64,
    /// The name.
    pub name: String,
    /// Whether it was revoked.
    #[serde(default)]
    pub revoked: bool,
    /// Whether it can be used now.
    #[serde(default)]
    pub active: bool,
    /// What it may do, such as `api`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The role as a number, such as 40 for a maintainer.
    #[serde(default)]
    pub access_level: Option<u64>,
    /// When it was created, as RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// The date, `YYYY-MM-DD`, at the beginning of which (UTC) it expires.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// The token itself, which only the answer to its creation holds.
    #[serde(default, deserialize_with = "secret")]
    pub token: Option<Secret>,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::from))
}

/// An access token to create.
#[derive(Clone, Debug, Serialize)]
pub struct NewAccessToken {
    /// The name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The role as a number.
    pub access_level: u64,
    /// The date, `YYYY-MM-DD`, at the beginning of which (UTC) it expires.
    pub expires_at: String,
}

impl GitLab {
    /// Lists the access tokens of a project, including revoked and expired ones.
    pub async fn access_tokens(&self, project: u64) -> Result<Vec<AccessToken>, Error> {
        self.list(&self.endpoint(ProjectAccessTokens::builder().project(project).build())?)
            .await
    }

    /// Creates an access token; only this answer holds its secret.
    pub async fn create_access_token(
        &self,
        project: u64,
        new: &NewAccessToken,
    ) -> Result<AccessToken, Error> {
        self.query(&JsonEndpoint::post(
            format!("projects/{project}/access_tokens"),
            new,
        ))
        .await
    }

    /// Revokes an access token.
    pub async fn revoke_access_token(&self, project: u64, id: u64) -> Result<(), Error> {
        let endpoint = RevokeProjectAccessToken::builder()
            .project(project)
            .id(id)
            .build();
        self.perform(&self.endpoint(endpoint)?).await
    }
}
