//! Deploy keys of a project.

use gitlab::api::projects::deploy_keys::{
    CreateDeployKey, DeleteDeployKey, DeployKey as GetDeployKey, DeployKeys, EditDeployKey,
    EnableDeployKey,
};
use serde::Deserialize;

use super::GitLab;
use super::error::Error;

/// A deploy key as a project sees it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct DeployKey {
    /// The key's number, the same in every project that uses the key.
    pub id: u64,
    /// The title.
    pub title: String,
    /// The public key: type, data and the first word of the comment.
    pub key: String,
    /// `SHA256:…`; `None` if the server does not return it.
    #[serde(default)]
    pub fingerprint_sha256: Option<String>,
    /// Whether it may push to this project.
    #[serde(default)]
    pub can_push: bool,
}

/// A deploy key to add to a project.
#[derive(Clone, Debug)]
pub struct NewDeployKey {
    /// The title.
    pub title: String,
    /// The public key in OpenSSH format. GitLab stores type, data and the first word of the comment,
    /// and does not find a key again by a text with a longer comment.
    pub key: String,
    /// Whether it may push.
    pub can_push: bool,
}

impl GitLab {
    /// Lists the deploy keys of a project.
    pub async fn deploy_keys(&self, project: u64) -> Result<Vec<DeployKey>, Error> {
        self.list(&self.endpoint(DeployKeys::builder().project(project).build())?)
            .await
    }

    /// Gets a deploy key of a project.
    pub async fn deploy_key(&self, project: u64, id: u64) -> Result<DeployKey, Error> {
        let endpoint = GetDeployKey::builder()
            .project(project)
            .deploy_key(id)
            .build();
        self.query(&self.endpoint(endpoint)?).await
    }

    /// Adds a deploy key to a project.
    ///
    /// If the project has a key of this text, GitLab returns it with its own title and rights. If
    /// another project has one that the token's owner can see, GitLab links it with the given rights
    /// and returns it with its own title. If the key belongs to something that the token's owner cannot
    /// see, the error is [`Kind::Taken`](super::Kind::Taken).
    pub async fn create_deploy_key(
        &self,
        project: u64,
        new: &NewDeployKey,
    ) -> Result<DeployKey, Error> {
        let endpoint = CreateDeployKey::builder()
            .project(project)
            .title(&new.title)
            .key(&new.key)
            .can_push(new.can_push)
            .build();
        self.query(&self.endpoint(endpoint)?).await
    }

    /// Enables a key of another project on a project, without the right to push.
    pub async fn enable_deploy_key(&self, project: u64, id: u64) -> Result<DeployKey, Error> {
        let endpoint = EnableDeployKey::builder()
            .project(project)
            .deploy_key(id)
            .build();
        self.query(&self.endpoint(endpoint)?).await
    }

    /// Sets whether a key may push to a project.
    pub async fn set_deploy_key_can_push(
        &self,
        project: u64,
        id: u64,
        can_push: bool,
    ) -> Result<DeployKey, Error> {
        let endpoint = EditDeployKey::builder()
            .project(project)
            .deploy_key(id)
            .can_push(can_push)
            .build();
        self.query(&self.endpoint(endpoint)?).await
    }

    /// Changes the title of a key in every project that uses it.
    ///
    /// GitLab silently keeps the old one if the token's owner may not administer all of those projects
    /// (`lib/api/deploy_keys.rb`); the returned key has the title that applies.
    pub async fn rename_deploy_key(
        &self,
        project: u64,
        id: u64,
        title: &str,
    ) -> Result<DeployKey, Error> {
        let endpoint = EditDeployKey::builder()
            .project(project)
            .deploy_key(id)
            .title(title)
            .build();
        self.query(&self.endpoint(endpoint)?).await
    }

    /// Removes a deploy key from a project. GitLab deletes the key with its last project.
    pub async fn delete_deploy_key(&self, project: u64, id: u64) -> Result<(), Error> {
        let endpoint = DeleteDeployKey::builder()
            .project(project)
            .deploy_key(id)
            .build();
        self.perform(&self.endpoint(endpoint)?).await
    }
}
