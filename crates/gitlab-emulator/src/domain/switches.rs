//! What differs between releases of GitLab, is not confirmed, or takes a time that tests choose.

use serde::{Deserialize, Serialize};

/// The switches of the emulator; the crate's README gives the evidence for each.
#[expect(clippy::struct_excessive_bools, reason = "switches are flags")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The release that `GET /version` reports.
    pub version: String,
    /// Milliseconds that every API GET and HEAD takes.
    pub latency_read: u64,
    /// Milliseconds between reading the parent of a commit and moving the branch, which
    /// GitLab spends in its hooks; commits and files writes only.
    pub latency_commit: u64,
    /// Milliseconds between the check of `last_commit_id` and the reading of the parent.
    pub gap_before_parent: u64,
    /// Milliseconds until background work is done.
    pub job_delay: u64,
    /// Milliseconds until inherited memberships count in a new project, and new members in what they join.
    pub authorization_delay: u64,
    /// The text that the loser of a race on one branch gets.
    pub conflict_text: ConflictText,
    /// How Ruby prints the errors of a group that was not saved.
    pub hash_style: HashStyle,
    /// Who validates the parameters of the commits API.
    pub commit_validation: CommitValidation,
    /// Whether listing the commits of an empty repository is 404 rather than an empty list.
    pub empty_repository_has_no_commits_list: bool,
    /// Whether the old path of a project that waits for its removal leads to it.
    pub marked_project_redirects: bool,
    /// Whether impersonation tokens are refused.
    pub impersonation_disabled: bool,
    /// Whether a second hook with the same URL is refused.
    pub unique_hook_urls: bool,
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
        }
    }
}

/// The text that the loser of a race on one branch gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictText {
    /// `9:reference update: reference does not point to expected object`, since about Gitaly 16.
    ReferenceUpdate,
    /// `9:Could not update refs/heads/main. Please refresh and try again.`
    Refresh,
}

/// How Ruby prints a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashStyle {
    /// `{:path=>["..."]}`, before Ruby 3.4.
    Arrow,
    /// `{path: ["..."]}`, since Ruby 3.4.
    Label,
}

/// Who validates the parameters of the commits API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitValidation {
    /// The body passes Workhorse, and Rails checks it by its own texts (18.11 at the latest).
    Workhorse,
    /// Grape, as everywhere else.
    Grape,
}
