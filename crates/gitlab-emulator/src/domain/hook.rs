//! Webhooks of projects.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::hook_health::HookHealth;
use super::project::Project;
use super::protection::matches_pattern;
use super::table::Id;
use super::time::Moment;

/// Maximum number of hooks of a project.
pub const MAX_HOOKS: usize = 100;

/// The events of a hook, with their defaults.
pub const EVENTS: [(&str, bool); 18] = [
    ("push_events", true),
    ("tag_push_events", false),
    ("merge_requests_events", false),
    ("issues_events", false),
    ("confidential_issues_events", false),
    ("note_events", false),
    ("confidential_note_events", false),
    ("pipeline_events", false),
    ("wiki_page_events", false),
    ("deployment_events", false),
    ("job_events", false),
    ("releases_events", false),
    ("milestone_events", false),
    ("emoji_events", false),
    ("feature_flag_events", false),
    ("resource_access_token_events", false),
    ("vulnerability_events", false),
    ("repository_update_events", false),
];

/// An event that triggers hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookEvent {
    /// A branch moved.
    Push,
    /// A tag moved.
    TagPush,
}

impl HookEvent {
    /// Returns the event of a trigger's name, which is the name of the hook's attribute.
    pub fn from_attribute(name: &str) -> Option<Self> {
        [Self::Push, Self::TagPush]
            .into_iter()
            .find(|event| event.attribute() == name)
    }

    /// Returns the attribute of a hook that subscribes to the event.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::Push => "push_events",
            Self::TagPush => "tag_push_events",
        }
    }

    /// Returns the value of the header `X-Gitlab-Event`.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Push => "Push Hook",
            Self::TagPush => "Tag Push Hook",
        }
    }

    /// Returns the name in the list of deliveries.
    pub const fn trigger(self) -> &'static str {
        match self {
            Self::Push => "push_hooks",
            Self::TagPush => "tag_push_hooks",
        }
    }
}

/// A webhook.
#[derive(Clone, Serialize, Deserialize)]
pub struct Hook {
    /// Numeric ID.
    pub id: Id<Hook>,
    /// The project.
    pub project: Id<Project>,
    /// The URL, with `{key}` for variables.
    pub url: String,
    /// Display name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Secret that is sent along, so that the receiver can authenticate the sender.
    pub token: Option<String>,
    /// Whether the receiver's certificate is verified.
    pub verifies_certificates: bool,
    /// The subscribed events.
    pub events: Map<String, Value>,
    /// The branches whose pushes count.
    pub branch_filter: BranchFilter,
    /// Stored and shown, not applied.
    pub custom_webhook_template: Option<String>,
    /// Headers that are sent along.
    pub custom_headers: Vec<KeyValue>,
    /// Secret parts of the URL.
    pub url_variables: Vec<KeyValue>,
    /// Recent failures.
    #[serde(default)]
    pub health: HookHealth,
    /// Time of creation.
    pub created_at: Moment,
    /// Time of the last change.
    pub updated_at: Moment,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Token, headers and variables are secret.
        formatter
            .debug_struct("Hook")
            .field("id", &self.id)
            .field("project", &self.project)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// A named secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyValue {
    /// The name.
    pub key: String,
    /// The value, which the API never shows.
    pub value: String,
}

/// The branches whose pushes count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchFilter {
    /// All branches.
    All,
    /// The branches that match a pattern with `*`; an empty pattern matches all.
    Wildcard(String),
    /// The branches that match a regular expression.
    Regex(String),
}

impl BranchFilter {
    /// Returns the name of the strategy in the API.
    pub const fn strategy(&self) -> &'static str {
        match self {
            Self::All => "all_branches",
            Self::Wildcard(_) => "wildcard",
            Self::Regex(_) => "regex",
        }
    }

    /// Returns the pattern or expression.
    pub fn text(&self) -> &str {
        match self {
            Self::All => "",
            Self::Wildcard(text) | Self::Regex(text) => text,
        }
    }

    /// Returns whether a branch counts.
    pub fn matches(&self, branch: &str) -> bool {
        match self {
            Self::All => true,
            Self::Wildcard(pattern) => pattern.is_empty() || matches_pattern(pattern, branch),
            Self::Regex(regex) => {
                regex::Regex::new(regex).is_ok_and(|regex| regex.is_match(branch))
            }
        }
    }
}

impl Hook {
    /// Returns whether it subscribes to an event.
    pub fn is_called_for(&self, event: &str) -> bool {
        self.events
            .get(event)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// Returns the URL with its variables filled in.
    pub fn target(&self) -> String {
        self.url_variables
            .iter()
            .fold(self.url.clone(), |url, variable| {
                url.replace(&format!("{{{}}}", variable.key), &variable.value)
            })
    }
}
