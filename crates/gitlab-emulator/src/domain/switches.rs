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
    /// Milliseconds during which a pushed branch still shows its old commit.
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
            branch_delay: 0,
            texts: Texts::default(),
        }
    }
}

/// Texts whose wording is believed, not confirmed; `{...}` is filled in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Texts {
    /// A parameter outside its set; `{name}`.
    pub invalid_value: String,
    /// None of some parameters; `{names}`.
    pub none_of: String,
    /// A project in a namespace that does not exist.
    pub unknown_namespace: String,
    /// A token that would live too long; `{day}`.
    pub late_expiry: String,
    /// The rotation of a revoked token.
    pub already_revoked: String,
    /// A webhook that leads to the machine itself.
    pub blocked_localhost: String,
    /// A webhook that leads into the local network.
    pub blocked_local_network: String,
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
            blocked_localhost: text("Url is blocked: Requests to localhost are not allowed"),
            blocked_local_network: text(
                "Url is blocked: Requests to the local network are not allowed",
            ),
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
