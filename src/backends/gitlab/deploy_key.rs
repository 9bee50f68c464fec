//! Deploy keys of a project.

use gitlab::api::projects::deploy_keys::{
    CreateDeployKey, DeleteDeployKey, DeployKey as GetDeployKey, DeployKeys, EditDeployKey,
    EnableDeployKey,
};
use serde::Deserialize;

use super::GitLab;
use super::error::Error;
use super::query::built;

/// A deploy key as a project sees it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct DeployKey {
    /// The key's number, the same in every project that uses the key.
    pub id: u64,
    /// The title.
    pub title: String,
    /// The public key: type, data and the first word of the comment.
    pub key: String,
    /// `SHA256:…`, or nothing where the server does not tell.
    #[serde(default)]
    pub fingerprint_sha256: Option<String>,
    /// Whether this project lets it push.
    #[serde(default)]
    pub can_push: bool,
}

/// A deploy key to add to a project.
#[derive(Clone, Debug)]
pub struct NewDeployKey {
    /// The title.
    pub title: String,
    /// The public key in OpenSSH format. GitLab keeps type, data and the first word of the
    /// comment; a longer comment makes it unable to find the key again, so leave that out.
    pub key: String,
    /// Whether it may push.
    pub can_push: bool,
}

impl GitLab {
    /// Lists the deploy keys of a project.
    pub async fn deploy_keys(&self, project: u64) -> Result<Vec<DeployKey>, Error> {
        self.list(&built(
            self,
            DeployKeys::builder().project(project).build(),
        )?)
        .await
    }

    /// Gets a deploy key of a project.
    pub async fn deploy_key(&self, project: u64, id: u64) -> Result<DeployKey, Error> {
        let endpoint = GetDeployKey::builder()
            .project(project)
            .deploy_key(id)
            .build();
        self.query(&built(self, endpoint)?).await
    }

    /// Adds a deploy key to a project.
    ///
    /// If the project has this key already, the existing one is answered, whatever its title and
    /// rights. If the key belongs to something that the token's owner cannot see, the error is
    /// [`Kind::Taken`](super::Kind::Taken).
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
        self.query(&built(self, endpoint)?).await
    }

    /// Lets a project use a key that another project has; it may not push until that is changed.
    pub async fn enable_deploy_key(&self, project: u64, id: u64) -> Result<DeployKey, Error> {
        let endpoint = EnableDeployKey::builder()
            .project(project)
            .deploy_key(id)
            .build();
        self.query(&built(self, endpoint)?).await
    }

    /// Changes whether a key may push to a project.
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
        self.query(&built(self, endpoint)?).await
    }

    /// Gives a key another title, which is then its title in every project that uses it.
    ///
    /// GitLab keeps the old one without a word when the token's owner may not administer all of
    /// those projects (`lib/api/deploy_keys.rb`); the answer tells.
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
        self.query(&built(self, endpoint)?).await
    }

    /// Takes a deploy key from a project; the key itself goes with its last project.
    pub async fn delete_deploy_key(&self, project: u64, id: u64) -> Result<(), Error> {
        let endpoint = DeleteDeployKey::builder()
            .project(project)
            .deploy_key(id)
            .build();
        self.perform(&built(self, endpoint)?).await
    }
}
