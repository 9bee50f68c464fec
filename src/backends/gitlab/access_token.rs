//! Access tokens of a project.

use gitlab::api::projects::access_tokens::{
    ProjectAccessToken, ProjectAccessTokens, RevokeProjectAccessToken,
};
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

use super::GitLab;
use super::error::Error;
use super::local::Local;
use super::query::built;

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
    /// What it may do, for example `api`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The role, as a number: 40 maintainer.
    #[serde(default)]
    pub access_level: Option<u64>,
    /// When it was made, as RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// The date, `YYYY-MM-DD`, at whose beginning (UTC) it ends.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// The token itself; only the answer to its creation has it.
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
    /// The role, as a number.
    pub access_level: u64,
    /// The date, `YYYY-MM-DD`, at whose beginning (UTC) it ends.
    pub expires_at: String,
}

impl GitLab {
    /// Lists the access tokens of a project, revoked and expired ones included.
    pub async fn access_tokens(&self, project: u64) -> Result<Vec<AccessToken>, Error> {
        self.list(&built(
            self,
            ProjectAccessTokens::builder().project(project).build(),
        )?)
        .await
    }

    /// Gets an access token of a project.
    pub async fn access_token(&self, project: u64, id: u64) -> Result<AccessToken, Error> {
        let endpoint = ProjectAccessToken::builder()
            .project(project)
            .id(id)
            .build();
        self.query(&built(self, endpoint)?).await
    }

    /// Creates an access token; its secret is in this answer and never again.
    pub async fn create_access_token(
        &self,
        project: u64,
        new: &NewAccessToken,
    ) -> Result<AccessToken, Error> {
        self.query(&Local::post_json(
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
        self.perform(&built(self, endpoint)?).await
    }
}
