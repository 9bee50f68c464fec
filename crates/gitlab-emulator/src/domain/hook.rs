//! Webhooks of projects.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::project::Project;
use super::protection::matches_pattern;
use super::table::Id;
use super::time::Moment;

/// The most hooks that a project can have.
pub const MOST_HOOKS: usize = 100;

/// The events that a hook can be called for, with what is on when nobody chooses.
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
    /// Its number.
    pub id: Id<Hook>,
    /// The project that calls it.
    pub project: Id<Project>,
    /// Where it leads, with `{key}` for variables.
    pub url: String,
    /// What it is called.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Sent along, so that the receiver knows the sender.
    pub token: Option<String>,
    /// Whether certificates are checked.
    pub verifies_certificates: bool,
    /// The events it is called for.
    pub events: Map<String, Value>,
    /// Which branches count for pushes.
    pub branch_filter: BranchFilter,
    /// Kept and shown, not applied.
    pub custom_webhook_template: Option<String>,
    /// Headers that are sent along.
    pub custom_headers: Vec<Pair>,
    /// Secret parts of the URL.
    pub url_variables: Vec<Pair>,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token, the headers and the variables are secrets.
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
pub struct Pair {
    /// Its name.
    pub key: String,
    /// Its value, which the API never shows.
    pub value: String,
}

/// Which branches count for pushes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchFilter {
    /// All.
    All,
    /// The ones that a pattern with `*` covers; an empty one covers all.
    Wildcard(String),
    /// The ones that a regular expression matches.
    Regex(String),
}

impl BranchFilter {
    /// The name of the strategy in the API.
    pub const fn strategy(&self) -> &'static str {
        match self {
            Self::All => "all_branches",
            Self::Wildcard(_) => "wildcard",
            Self::Regex(_) => "regex",
        }
    }

    /// The pattern or expression.
    pub fn text(&self) -> &str {
        match self {
            Self::All => "",
            Self::Wildcard(text) | Self::Regex(text) => text,
        }
    }

    /// Whether a branch counts.
    pub fn lets_through(&self, branch: &str) -> bool {
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
    /// Whether it is called for an event.
    pub fn is_called_for(&self, event: &str) -> bool {
        self.events
            .get(event)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// Where it leads, variables filled in.
    pub fn target(&self) -> String {
        self.url_variables
            .iter()
            .fold(self.url.clone(), |url, variable| {
                url.replace(&format!("{{{}}}", variable.key), &variable.value)
            })
    }
}

/// Why an address is no place for a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadUrl {
    /// It is no address of the web.
    Invalid,
    /// It leads to the machine itself.
    Localhost,
    /// It leads into the local network.
    Local,
}

/// Checks where a hook leads (GitLab `lib/gitlab/url_blocker.rb`). Names are not resolved.
pub fn check_url(url: &str, is_local_allowed: bool) -> Result<(), BadUrl> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .ok_or(BadUrl::Invalid)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() || url.contains(char::is_whitespace) {
        return Err(BadUrl::Invalid);
    }
    if is_local_allowed {
        return Ok(());
    }
    if host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost") {
        return Err(BadUrl::Localhost);
    }
    match host.parse::<std::net::IpAddr>() {
        Ok(address) if address.is_loopback() || address.is_unspecified() => Err(BadUrl::Localhost),
        Ok(std::net::IpAddr::V4(v4)) if v4.is_private() || v4.is_link_local() => Err(BadUrl::Local),
        Ok(std::net::IpAddr::V6(v6)) if v6.is_unique_local() || v6.is_unicast_link_local() => {
            Err(BadUrl::Local)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses_are_no_place_for_hooks_unless_allowed() {
        assert_eq!(check_url("https://hooks.example.com/x", false), Ok(()));
        assert_eq!(check_url("ftp://example.com", false), Err(BadUrl::Invalid));
        assert_eq!(check_url("http://", true), Err(BadUrl::Invalid));
        assert_eq!(
            check_url("http://localhost:1/x", false),
            Err(BadUrl::Localhost)
        );
        assert_eq!(check_url("http://[::1]/", false), Err(BadUrl::Localhost));
        assert_eq!(check_url("http://10.1.2.3", false), Err(BadUrl::Local));
        assert_eq!(check_url("http://127.0.0.1:80", true), Ok(()));
    }
}
