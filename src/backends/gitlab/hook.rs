//! Hooks of a project (GitLab `lib/api/project_hooks.rb`).

use std::collections::{BTreeMap, BTreeSet};

use gitlab::api::projects::hooks::{DeleteHook, Hook as GetHook, Hooks};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::GitLab;
use super::error::Error;
use super::json_endpoint::JsonEndpoint;
use crate::secret::{ExposeSecret as _, Secret};

/// A hook of a project. GitLab never returns its token.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Hook {
    /// Its number.
    pub id: u64,
    /// The address that it calls.
    pub url: String,
    /// Whether the certificate at this address is verified.
    #[serde(default)]
    pub enable_ssl_verification: bool,
    /// Whether it is called; `executable`, `temporarily_disabled` or `disabled`. Absent before GitLab 14.10.
    #[serde(default)]
    pub alert_status: Option<String>,
    /// Until when it is not called, as RFC 3339.
    #[serde(default)]
    pub disabled_until: Option<String>,
    /// The branches whose pushes count.
    #[serde(default)]
    pub push_events_branch_filter: Option<String>,
    /// Everything else; what ends in `_events` and is true are its events.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// What a hook is to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HookSettings {
    /// The address that it calls.
    pub url: String,
    /// The events for which it is called, such as `push_events`.
    pub events: BTreeSet<String>,
    /// Whether the certificate at this address is verified.
    pub enable_ssl_verification: bool,
}

/// The events of hooks of projects. Those that the settings do not name are switched off.
const EVENTS: [&str; 15] = [
    "confidential_issues_events",
    "confidential_note_events",
    "deployment_events",
    "emoji_events",
    "feature_flag_events",
    "issues_events",
    "job_events",
    "merge_requests_events",
    "milestone_events",
    "note_events",
    "pipeline_events",
    "push_events",
    "releases_events",
    "tag_push_events",
    "wiki_page_events",
];

/// The body of a creation or a change. It has no `Debug`: it holds the token.
#[derive(Serialize)]
struct Body<'a> {
    url: &'a str,
    /// A change of the address without the token clears the token, so both are always sent.
    token: &'a str,
    enable_ssl_verification: bool,
    push_events_branch_filter: &'a str,
    #[serde(flatten)]
    events: BTreeMap<&'static str, bool>,
}

impl Hook {
    /// Returns the events for which it is called.
    pub fn events(&self) -> BTreeSet<&str> {
        let events = self.others.iter();
        events
            .filter(|(name, value)| name.ends_with("_events") && **value == Value::Bool(true))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// Returns the names of the settings in which it differs, other than its token.
    pub fn differences(&self, settings: &HookSettings) -> Vec<&'static str> {
        let wanted: BTreeSet<&str> = settings.events.iter().map(String::as_str).collect();
        let filter = self
            .push_events_branch_filter
            .as_deref()
            .unwrap_or_default();
        let compared = [
            ("url", self.url != settings.url),
            ("events", self.events() != wanted),
            (
                "enable_ssl_verification",
                self.enable_ssl_verification != settings.enable_ssl_verification,
            ),
            ("push_events_branch_filter", !filter.is_empty()),
        ];
        let differing = compared.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(name, _)| name).collect()
    }

    /// Returns why GitLab does not call it; `None` if it does.
    pub fn disabled(&self) -> Option<String> {
        let status = self.alert_status.as_deref()?;
        if status == "executable" {
            return None;
        }
        Some(match &self.disabled_until {
            Some(until) => format!("{status} until {until}"),
            None => status.to_owned(),
        })
    }
}

impl HookSettings {
    fn body<'a>(&'a self, token: &'a Secret) -> Body<'a> {
        Body {
            url: &self.url,
            token: token.expose_secret(),
            enable_ssl_verification: self.enable_ssl_verification,
            push_events_branch_filter: "",
            events: EVENTS
                .iter()
                .map(|event| (*event, self.events.contains(*event)))
                .collect(),
        }
    }
}

impl GitLab {
    /// Lists the hooks of a project.
    pub async fn hooks(&self, project: u64) -> Result<Vec<Hook>, Error> {
        self.list(&self.endpoint(Hooks::builder().project(project).build())?)
            .await
    }

    /// Gets a hook of a project.
    pub async fn hook(&self, project: u64, id: u64) -> Result<Hook, Error> {
        let endpoint = GetHook::builder().project(project).hook(id).build();
        self.query(&self.endpoint(endpoint)?).await
    }

    /// Creates a hook. GitLab takes several hooks with one address.
    ///
    /// A creation whose answer is lost is looked up by its address before it is sent again.
    pub async fn create_hook(
        &self,
        project: u64,
        settings: &HookSettings,
        token: &Secret,
    ) -> Result<Hook, Error> {
        let endpoint =
            JsonEndpoint::post(format!("projects/{project}/hooks"), settings.body(token));
        let exists = || async {
            let hooks = self.hooks(project).await?;
            Ok(hooks.iter().any(|hook| hook.url == settings.url))
        };
        self.create(&endpoint, exists).await
    }

    /// Changes a hook, its token included.
    pub async fn update_hook(
        &self,
        project: u64,
        id: u64,
        settings: &HookSettings,
        token: &Secret,
    ) -> Result<Hook, Error> {
        let path = format!("projects/{project}/hooks/{id}");
        self.query(&JsonEndpoint::put(path, settings.body(token)))
            .await
    }

    /// Deletes a hook.
    pub async fn delete_hook(&self, project: u64, id: u64) -> Result<(), Error> {
        let endpoint = DeleteHook::builder().project(project).hook_id(id).build();
        self.perform(&self.endpoint(endpoint)?).await
    }
}
