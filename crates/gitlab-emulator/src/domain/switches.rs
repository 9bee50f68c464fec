//! Behaviour that differs between releases of GitLab or is not confirmed, and durations for tests
//! to choose.

use serde::{Deserialize, Serialize};

use super::hook_health::AutoDisabling;

/// The emulator's switches. The crate's README lists the evidence for each.
#[expect(clippy::struct_excessive_bools, reason = "switches are flags")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The version in `GET /version`.
    pub version: String,
    /// Delay of every GET and HEAD request to the API, in milliseconds.
    pub latency_read: u64,
    /// Delay of commits and file writes between reading the parent and moving the branch, where
    /// GitLab runs its hooks, in milliseconds.
    pub latency_commit: u64,
    /// Delay between checking `last_commit_id` and reading the parent, in milliseconds.
    pub gap_before_parent: u64,
    /// Delay of background jobs, in milliseconds.
    pub job_delay: u64,
    /// Delay until inherited memberships apply to a new project, and new memberships to projects, in
    /// milliseconds.
    pub authorization_delay: u64,
    /// Text for the loser of a race on one branch.
    pub conflict_text: ConflictText,
    /// Format in which Ruby prints the errors of a group.
    pub hash_style: HashStyle,
    /// The component that validates the parameters of the commits API.
    pub commit_validation: CommitValidation,
    /// Whether the commits list of an empty repository is a 404 rather than an empty list.
    pub empty_repository_has_no_commits_list: bool,
    /// Whether the old path of a project marked for deletion redirects.
    pub marked_project_redirects: bool,
    /// Whether impersonation tokens are refused.
    pub impersonation_disabled: bool,
    /// Whether a second hook with the same URL is refused.
    pub unique_hook_urls: bool,
    /// Whether entries of protected branches can name deploy keys.
    pub deploy_keys_in_protected_branches: bool,
    /// When failing hooks are disabled.
    pub hook_auto_disabling: AutoDisabling,
    /// Time for which a pushed branch still shows its old commit, in milliseconds.
    pub branch_delay: u64,
    /// Texts that are not confirmed.
    pub texts: Texts,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            version: "19.5.1-ee".to_owned(),
            latency_read: 0,
            latency_commit: 0,
            gap_before_parent: 0,
            job_delay: 20,
            authorization_delay: 0,
            conflict_text: ConflictText::ReferenceUpdate,
            hash_style: HashStyle::Arrow,
            commit_validation: CommitValidation::Workhorse,
            empty_repository_has_no_commits_list: false,
            marked_project_redirects: true,
            impersonation_disabled: false,
            unique_hook_urls: false,
            deploy_keys_in_protected_branches: true,
            hook_auto_disabling: AutoDisabling::Off,
            branch_delay: 0,
            texts: Texts::default(),
        }
    }
}

/// Texts with unconfirmed wording; `{...}` is filled in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Texts {
    /// A parameter with an invalid value; `{name}`.
    pub invalid_value: String,
    /// None of some parameters is present; `{names}`.
    pub none_of: String,
    /// The namespace of a new project does not exist.
    pub unknown_namespace: String,
    /// The lifetime of a token is too long; `{day}`.
    pub late_expiry: String,
    /// A revoked token cannot be rotated.
    pub already_revoked: String,
}

impl Default for Texts {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            invalid_value: text("{name} does not have a valid value"),
            none_of: text("{names} are missing, at least one parameter must be provided"),
            unknown_namespace: text("is not valid"),
            late_expiry: text("Expires at must be before {day}"),
            already_revoked: text("token already revoked"),
        }
    }
}

/// Text for the loser of a race on one branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictText {
    /// `9:reference update: reference does not point to expected object`, since about Gitaly 16.
    ReferenceUpdate,
    /// `9:Could not update refs/heads/main. Please refresh and try again.`
    Refresh,
}

/// Format in which Ruby prints a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashStyle {
    /// `{:path=>["..."]}`, before Ruby 3.4.
    Arrow,
    /// `{path: ["..."]}`, since Ruby 3.4.
    Label,
}

/// The component that validates the parameters of the commits API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitValidation {
    /// Rails, with its own texts, after the body has passed Workhorse (18.11 at the latest).
    Workhorse,
    /// Grape, as everywhere else.
    Grape,
}
