//! SSH keys of users and deploy keys of projects. They share one table, so that no key exists twice
//! (GitLab `lib/api/deploy_keys.rb`, `app/models/key.rb`).

use serde::{Deserialize, Serialize};

use super::access::{ProjectAbility, Viewer};
use super::invalid::Invalid;
use super::project::Project;
use super::ssh_key::{KeyError, SshKey};
use super::state::State;
use super::table::Id;
use super::time::Moment;
use super::user::{User, UserState};

/// A key of a user, or a deploy key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Key {
    /// Numeric ID.
    pub id: Id<Key>,
    /// The owner.
    pub owner: KeyOwner,
    /// The user who added a deploy key, as whom it pushes.
    #[serde(default)]
    pub creator: Option<Id<User>>,
    /// Display name.
    pub title: String,
    /// The public key.
    pub key: SshKey,
    /// Time of creation.
    pub created_at: Moment,
    /// Expiry.
    pub expires_at: Option<Moment>,
}

/// The owner of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOwner {
    /// A user.
    User(Id<User>),
    /// The projects that link it.
    Deploy {
        /// Whether every project may link it.
        is_public: bool,
    },
}

/// A link of a project to a deploy key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyLink {
    /// Numeric ID.
    pub id: Id<KeyLink>,
    /// The project.
    pub project: Id<Project>,
    /// The key.
    pub key: Id<Key>,
    /// Whether the key may push.
    pub can_push: bool,
    /// Time of the last change.
    pub updated_at: Moment,
}

/// A deploy key to add to a project.
#[derive(Clone, Debug)]
pub struct NewDeployKey {
    /// The public key, as the caller sent it.
    pub text: String,
    /// Display name.
    pub title: String,
    /// Whether it may push.
    pub can_push: bool,
    /// Expiry.
    pub expires_at: Option<Moment>,
}

impl State {
    /// Returns the deploy keys of a project and their links.
    pub fn deploy_keys(&self, project: Id<Project>) -> impl Iterator<Item = (&Key, &KeyLink)> {
        self.key_links
            .iter()
            .filter(move |link| link.project == project)
            .filter_map(|link| Some((self.keys.get(link.key)?, link)))
    }

    /// Returns a project's link to a deploy key.
    pub fn key_link(&self, project: Id<Project>, key: Id<Key>) -> Option<&KeyLink> {
        self.key_links
            .find(|link| link.project == project && link.key == key)
    }

    /// Adds a deploy key to a project. A key that the project already has stays unchanged; a key
    /// that the caller can reach through another project is linked; otherwise a new key is created.
    pub fn add_deploy_key(
        &mut self,
        viewer: Viewer,
        project: Id<Project>,
        new: &NewDeployKey,
        now: Moment,
    ) -> Result<Id<Key>, Invalid> {
        let text = new.text.trim();
        let own = self
            .deploy_keys(project)
            .find(|(key, _)| key.key.text == text);
        if let Some((key, _)) = own {
            return Ok(key.id);
        }
        let reachable = self
            .keys
            .iter()
            .find(|key| key.key.text == text && self.is_key_reachable(viewer, key))
            .map(|key| key.id);
        let id = match reachable {
            Some(id) => id,
            None => self.make_deploy_key(viewer.user, new, now)?,
        };
        self.link_key(project, id, new.can_push, now);
        Ok(id)
    }

    fn make_deploy_key(
        &mut self,
        creator: Option<Id<User>>,
        new: &NewDeployKey,
        now: Moment,
    ) -> Result<Id<Key>, Invalid> {
        let key = self.check_key(&new.text, "deploy_key.")?;
        let owner = KeyOwner::Deploy { is_public: false };
        let (title, expires_at) = (new.title.clone(), new.expires_at);
        Ok(self.keys.add(|id| Key {
            id,
            owner,
            creator,
            title,
            key,
            created_at: now,
            expires_at,
        }))
    }

    /// Adds a key to a user.
    pub fn add_user_key(
        &mut self,
        user: Id<User>,
        title: String,
        text: &str,
        now: Moment,
    ) -> Result<Id<Key>, Invalid> {
        let key = self.check_key(text, "")?;
        let owner = KeyOwner::User(user);
        Ok(self.keys.add(|id| Key {
            id,
            owner,
            creator: None,
            title,
            key,
            created_at: now,
            expires_at: None,
        }))
    }

    fn check_key(&self, text: &str, prefix: &str) -> Result<SshKey, Invalid> {
        let field = |name: &str| format!("{prefix}{name}");
        let settings = self.settings.get();
        match SshKey::parse(text) {
            Ok((key, kind, bits)) => {
                if let Err(text) = settings.check_key(kind, bits) {
                    return Err(Invalid::field(&field("key"), text));
                }
                let is_taken = self
                    .keys
                    .any(|other| other.key.fingerprint_sha256 == key.fingerprint_sha256);
                if is_taken {
                    let taken = "has already been taken";
                    return Err(Invalid::field(&field("fingerprint_sha256"), taken));
                }
                Ok(key)
            }
            Err(bad) => {
                let mut invalid = Invalid::default();
                invalid.add(&field("key"), settings.forbidden_key_text());
                if bad == KeyError::Unreadable {
                    invalid.add(&field("key"), "is invalid");
                    invalid.add(&field("fingerprint_sha256"), "cannot be generated");
                }
                Err(invalid)
            }
        }
    }

    /// Returns whether a caller may link a deploy key.
    fn is_key_reachable(&self, viewer: Viewer, key: &Key) -> bool {
        let KeyOwner::Deploy { is_public } = key.owner else {
            return false;
        };
        is_public
            || self
                .key_links
                .iter()
                .filter(|link| link.key == key.id)
                .filter_map(|link| self.projects.get(link.project))
                .any(|project| self.can_project(viewer, ProjectAbility::Administer, project))
    }

    fn link_key(&mut self, project: Id<Project>, key: Id<Key>, can_push: bool, now: Moment) {
        if self.key_link(project, key).is_none() {
            self.key_links.add(|id| KeyLink {
                id,
                project,
                key,
                can_push,
                updated_at: now,
            });
        }
    }

    /// Links a deploy key that the caller can reach; returns `false` if there is none.
    pub fn enable_deploy_key(
        &mut self,
        viewer: Viewer,
        project: Id<Project>,
        key: Id<Key>,
    ) -> bool {
        let is_reachable = self.keys.get(key).is_some_and(|row| {
            self.key_link(project, key).is_some() || self.is_key_reachable(viewer, row)
        });
        if is_reachable {
            self.link_key(project, key, false, viewer.now);
        }
        is_reachable
    }

    /// Returns the caller as whom a deploy key pushes; `None` if its creator is gone or blocked.
    pub fn key_viewer(&self, key: Id<Key>, now: Moment) -> Option<Viewer> {
        let creator = self.users.get(self.keys.get(key)?.creator?)?;
        (creator.state == UserState::Active).then_some(Viewer {
            user: Some(creator.id),
            is_admin: creator.is_admin,
            now,
        })
    }

    /// Returns whether a deploy key may push to unprotected branches of a project: its link must allow
    /// that, and its creator must still be able to read the project (GitLab
    /// `lib/gitlab/deploy_key_access.rb`).
    pub fn can_push_with_key(&self, key: Id<Key>, project: &Project, now: Moment) -> bool {
        self.key_link(project.id, key)
            .is_some_and(|link| link.can_push)
            && self
                .key_viewer(key, now)
                .is_some_and(|viewer| self.can_project(viewer, ProjectAbility::Read, project))
    }

    /// Removes a deploy key from a project, and from the project's protected branches. The key itself
    /// goes with its last link unless it is public.
    pub fn remove_deploy_key(&mut self, project: Id<Project>, key: Id<Key>) {
        self.remove_key_entries(project, key);
        self.key_links
            .retain(|link| link.project != project || link.key != key);
        self.remove_orphan_keys();
    }

    /// Removes private deploy keys without a link.
    pub fn remove_orphan_keys(&mut self) {
        let used: std::collections::BTreeSet<_> =
            self.key_links.iter().map(|link| link.key).collect();
        self.keys.retain(|key| {
            key.owner != KeyOwner::Deploy { is_public: false } || used.contains(&key.id)
        });
    }
}
