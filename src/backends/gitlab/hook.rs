//! Webhooks of a project.

use std::collections::{BTreeMap, BTreeSet};

use gitlab::api::projects::hooks::{DeleteHook, Hook as GetHook, Hooks};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::{self, Secret};

use super::GitLab;
use super::error::Error;
use super::local::Local;
use super::query::built;

/// A webhook of a project.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Hook {
    /// Its number.
    pub id: u64,
    /// Where it calls.
    pub url: String,
    /// The branches that its push events are limited to, as a wildcard; empty for all.
    #[serde(default)]
    pub push_events_branch_filter: Option<String>,
    /// Whether the certificate of the receiver is checked.
    #[serde(default)]
    pub enable_ssl_verification: bool,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Hook {
    /// The events that it is called for, in the API's spelling: `push_events`.
    pub fn events(&self) -> BTreeSet<&str> {
        let on = self
            .others
            .iter()
            .filter(|(name, value)| name.ends_with("_events") && **value == Value::Bool(true));
        on.map(|(name, _)| name.as_str()).collect()
    }
}

/// How a webhook shall be.
#[derive(Debug, Serialize)]
pub struct HookSettings {
    /// Where it calls.
    pub url: String,
    /// What the receiver knows it by; GitLab never shows it again.
    #[serde(serialize_with = "secret::serialize_exposed")]
    pub token: Secret,
    /// Whether the certificate of the receiver is checked.
    pub enable_ssl_verification: bool,
    /// The branches that its push events are limited to, as a wildcard; empty for all.
    pub push_events_branch_filter: String,
    /// The events that it is called for and those that it is not, in the API's spelling. GitLab
    /// takes `push_events` as wanted unless it is named here.
    #[serde(flatten)]
    pub events: BTreeMap<String, bool>,
}

impl GitLab {
    /// Lists the webhooks of a project.
    pub async fn hooks(&self, project: u64) -> Result<Vec<Hook>, Error> {
        self.list(&built(self, Hooks::builder().project(project).build())?)
            .await
    }

    /// Gets a webhook of a project.
    pub async fn hook(&self, project: u64, id: u64) -> Result<Hook, Error> {
        let endpoint = GetHook::builder().project(project).hook(id).build();
        self.query(&built(self, endpoint)?).await
    }

    /// Creates a webhook. Two with the same URL can exist; a call that failed in an unknown way
    /// must be followed by a look at the list.
    pub async fn create_hook(&self, project: u64, settings: &HookSettings) -> Result<Hook, Error> {
        self.query(&Local::post_json(
            format!("projects/{project}/hooks"),
            settings,
        ))
        .await
    }

    /// Changes a webhook.
    pub async fn edit_hook(
        &self,
        project: u64,
        id: u64,
        settings: &HookSettings,
    ) -> Result<Hook, Error> {
        self.query(&Local::put_json(
            format!("projects/{project}/hooks/{id}"),
            settings,
        ))
        .await
    }

    /// Deletes a webhook.
    pub async fn delete_hook(&self, project: u64, id: u64) -> Result<(), Error> {
        let endpoint = DeleteHook::builder().project(project).hook_id(id).build();
        self.perform(&built(self, endpoint)?).await
    }
}
