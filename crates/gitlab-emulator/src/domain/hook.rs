//! Webhooks of projects.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// An error of a hook's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// Not an HTTP URL.
    Invalid,
    /// The machine itself.
    Localhost,
    /// The local network.
    Local,
}

/// Checks the URL of a hook (GitLab `lib/gitlab/url_blocker.rb`). Names are not resolved.
pub fn check_url(url: &str, is_local_allowed: bool) -> Result<(), UrlError> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .ok_or(UrlError::Invalid)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() || url.contains(char::is_whitespace) {
        return Err(UrlError::Invalid);
    }
    if is_local_allowed {
        return Ok(());
    }
    if host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost") {
        return Err(UrlError::Localhost);
    }
    match host.parse::<std::net::IpAddr>() {
        Ok(address) if address.is_loopback() || address.is_unspecified() => {
            Err(UrlError::Localhost)
        }
        Ok(std::net::IpAddr::V4(v4)) if v4.is_private() || v4.is_link_local() => {
            Err(UrlError::Local)
        }
        Ok(std::net::IpAddr::V6(v6)) if v6.is_unique_local() || v6.is_unicast_link_local() => {
            Err(UrlError::Local)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses_are_refused_unless_allowed() {
        assert_eq!(check_url("https://hooks.example.com/x", false), Ok(()));
        assert_eq!(
            check_url("ftp://example.com", false),
            Err(UrlError::Invalid)
        );
        assert_eq!(check_url("http://", true), Err(UrlError::Invalid));
        assert_eq!(
            check_url("http://localhost:1/x", false),
            Err(UrlError::Localhost)
        );
        assert_eq!(check_url("http://[::1]/", false), Err(UrlError::Localhost));
        assert_eq!(check_url("http://10.1.2.3", false), Err(UrlError::Local));
        assert_eq!(check_url("http://127.0.0.1:80", true), Ok(()));
    }
}
