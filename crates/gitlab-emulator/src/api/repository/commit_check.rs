//! Checks of GitLab's services before they pass a write to Gitaly (GitLab
//! `app/services/commits/create_service.rb`, `app/services/files/multi_service.rb`).

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::access::ProjectAbility;
use crate::domain::project::Project;
use crate::domain::push_check::{ChangeKind, Origin, PushDecision, ReferenceChange};
use crate::domain::switches::ConflictText;
use crate::domain::table::Id;
use crate::git::action::Action;
use crate::git::reference::{ReferenceConflict, is_branch_name};
use crate::git::{ObjectId, Repository};
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::write::{self, Write, WriteError, Written};

/// Target of a commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    pub(super) branch: String,
    pub(super) start_branch: Option<String>,
    pub(super) start_sha: Option<String>,
    pub(super) is_forced: bool,
}

/// A write that passed the checks.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) project: Id<Project>,
    pub(super) branch: String,
    /// The commit to build on instead of the branch's tip.
    start: Option<ObjectId>,
    /// The commit that file guards compare with.
    base: Option<ObjectId>,
    is_forced: bool,
}

/// Finds the project; 403 if the caller may not push at all.
pub(super) fn require_push_access(call: &Call<'_>) -> Result<Id<Project>, ApiError> {
    let state = call.instance.store.read();
    Ok(call.project_for(&state, ProjectAbility::PushCode)?.id)
}

/// Checks branch and start of a write.
pub(super) fn plan(
    call: &Call<'_>,
    project: Id<Project>,
    target: Target,
) -> Result<Plan, ApiError> {
    let repository = call.repository(project)?;
    let Target {
        branch,
        start_branch,
        start_sha,
        is_forced,
    } = target;
    let is_empty = repository.is_empty()?;
    {
        let state = call.instance.store.read();
        let row = state
            .projects
            .get(project)
            .ok_or_else(|| ApiError::not_found("Project"))?;
        if !state.can_push(call.viewer().into(), row, &branch, is_empty) {
            return Err(ApiError::rejected(
                "You are not allowed to push into this branch",
            ));
        }
    }
    let tip = repository.branch(&branch)?;
    let start = match (&start_sha, &start_branch) {
        (Some(sha), _) => {
            let id = ObjectId::from_hex(sha.as_bytes())
                .map_err(|_| ApiError::rejected(format!("Invalid start_sha '{sha}'")))?;
            let is_commit = repository.commit(id)?.is_some();
            if !is_commit {
                return Err(ApiError::rejected(format!("Cannot find start_sha '{sha}'")));
            }
            Some(id)
        }
        (None, Some(name)) if *name != branch => {
            let start = repository.branch(name)?;
            if start.is_none() && !is_empty {
                return Err(not_on_branch());
            }
            start
        }
        (None, _) => None,
    };
    if tip.is_none() && start.is_none() && !is_empty {
        return Err(not_on_branch());
    }
    let is_elsewhere = start_sha.is_some() || start_branch.is_some_and(|name| name != branch);
    if tip.is_some() && is_elsewhere && !is_forced {
        return Err(ApiError::rejected(format!(
            "A branch called '{branch}' already exists. Switch to that branch in order to make changes"
        )));
    }
    if tip.is_none() && !is_branch_name(&branch) {
        return Err(ApiError::rejected(format!(
            "Something went wrong when we tried to create '{branch}' for you: Branch name is invalid"
        )));
    }
    Ok(Plan {
        project,
        branch,
        start,
        base: start.or(tip),
        is_forced,
    })
}

fn not_on_branch() -> ApiError {
    ApiError::rejected("You can only create or edit files when you are on a branch")
}

/// Compares the caller's last known commits with the base of a plan.
pub(super) struct FileGuards<'a> {
    repository: &'a Repository,
    base: Option<ObjectId>,
    /// Resolved commits; callers mostly name the same one.
    known: HashMap<String, Option<ObjectId>>,
}

impl<'a> FileGuards<'a> {
    pub(super) fn new(repository: &'a Repository, plan: &Plan) -> Self {
        Self {
            repository,
            base: plan.base,
            known: HashMap::new(),
        }
    }

    /// Returns whether a path changed after the caller's last known commit. A path that this commit
    /// does not have counts as unchanged (GitLab `files/base_service.rb`).
    pub(super) fn has_changed(
        &mut self,
        path: &str,
        last_commit_id: &str,
    ) -> Result<bool, ApiError> {
        let repository = self.repository;
        let known = self
            .known
            .entry(last_commit_id.to_owned())
            .or_insert_with(|| repository.resolve(last_commit_id));
        let (Some(base), Some(known)) = (self.base, *known) else {
            return Ok(false);
        };
        if repository.entry(known, path)?.is_none() {
            return Ok(false);
        }
        Ok(repository.last_commit(known, path)? != repository.last_commit(base, path)?)
    }
}

/// Writes to the repository and converts errors to GitLab's texts.
pub(super) fn write(
    call: &Call<'_>,
    plan: &Plan,
    message: &str,
    actions: &[Action],
    author: Option<(String, String)>,
) -> Result<Written, ApiError> {
    check_hooks(call, plan)?;
    let write = Write {
        project: plan.project,
        branch: &plan.branch,
        start: plan.start,
        is_forced: plan.is_forced,
        message,
        actions,
        author,
        user: call.user()?,
    };
    write::commit(call.instance, &write).map_err(|error| api_error(call, error))
}

/// Checks the branch move against GitLab's hooks.
fn check_hooks(call: &Call<'_>, plan: &Plan) -> Result<(), ApiError> {
    let repository = call.repository(plan.project)?;
    let tip = repository.branch(&plan.branch)?;
    let reference = format!("refs/heads/{}", plan.branch);
    let wanted = ReferenceChange {
        reference: &reference,
        kind: if tip.is_some() {
            ChangeKind::Update
        } else {
            ChangeKind::Create
        },
        origin: Origin::Api,
        is_empty: repository.is_empty()?,
    };
    let state = call.instance.store.read();
    let Some(project) = state.projects.get(plan.project) else {
        return Ok(());
    };
    let is_forced = match (tip, plan.start) {
        (Some(tip), Some(start)) => !repository.is_ancestor(tip, start),
        _ => false,
    };
    match state.push_check(call.viewer().into(), project, wanted) {
        PushDecision::Deny(text) => Err(ApiError::rejected(text)),
        PushDecision::DenyForced(text) if is_forced => Err(ApiError::rejected(text)),
        PushDecision::Allow | PushDecision::DenyForced(_) => Ok(()),
    }
}

fn api_error(call: &Call<'_>, error: WriteError) -> ApiError {
    match error {
        WriteError::Action(action_error) => ApiError::rejected(action_error.to_string()),
        WriteError::Branch { branch, conflict } => {
            let style = call.instance.store.read().switches.get().conflict_text;
            ApiError::rejected(conflict_message(&branch, conflict, style))
        }
        WriteError::NoUser => ApiError::unauthorized(),
        WriteError::Repository(error) => error.into(),
    }
}

fn conflict_message(branch: &str, conflict: ReferenceConflict, style: ConflictText) -> String {
    match (style, conflict) {
        (ConflictText::Refresh, _) => {
            format!("9:Could not update refs/heads/{branch}. Please refresh and try again.")
        }
        (ConflictText::ReferenceUpdate, ReferenceConflict::Moved) => {
            "9:reference update: reference does not point to expected object".to_owned()
        }
        (ConflictText::ReferenceUpdate, ReferenceConflict::Locked) => {
            "9:reference update: reference is already locked".to_owned()
        }
        (ConflictText::ReferenceUpdate, ReferenceConflict::Exists) => {
            "9:reference update: reference already exists".to_owned()
        }
        (ConflictText::ReferenceUpdate, ReferenceConflict::Hierarchy) => {
            "9:reference update: file directory conflict".to_owned()
        }
        (ConflictText::ReferenceUpdate, ReferenceConflict::Name) => {
            format!("9:reference update: invalid reference format: \"refs/heads/{branch}\"")
        }
    }
}

/// Decodes like Ruby, which skips invalid characters.
pub(super) fn decode_base64(text: &str) -> Vec<u8> {
    let clean: String = text
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/'))
        .collect();
    let whole = clean.len() - usize::from(clean.len() % 4 == 1);
    let padded = format!(
        "{}{}",
        clean.get(..whole).unwrap_or_default(),
        match whole % 4 {
            2 => "==",
            3 => "=",
            _ => "",
        }
    );
    STANDARD.decode(padded).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_leniently_as_ruby_reads_it() {
        assert_eq!(decode_base64("aGVs\nbG8="), b"hello");
        assert_eq!(decode_base64("aGVsbG8"), b"hello");
        assert_eq!(decode_base64(""), b"");
    }
}
