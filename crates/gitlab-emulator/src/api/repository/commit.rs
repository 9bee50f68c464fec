//! Commits (GitLab `lib/api/commits.rb`, `lib/api/helpers/commits_body_uploader_helper.rb`).

use serde_json::{Map, Value, json};

use super::commit_check::{self, Target};
use super::{entity, file};
use crate::domain::access::ProjectAbility;
use crate::domain::project::Project;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::git::action::Action;
use crate::git::commit::Commit;
use crate::git::history::Selection;
use crate::git::{ObjectId, Repository};
use crate::limit::Limited;
use crate::web::call::Call;
use crate::web::page::Totals;
use crate::web::params::{Nothing, Raw, params};
use crate::web::refusal::Refusal;
use crate::web::reply::{Answer, Reply};

/// Larger bodies are counted.
const LARGE: usize = 20 * 1024 * 1024;
const ACTIONS: [&str; 5] = ["create", "update", "move", "delete", "chmod"];

params! {
    struct ListCommits {
        ref_name: Option<String>,
        since: Option<Moment>,
        until: Option<Moment>,
        path: Option<String>,
        author: Option<String>,
        all: Option<bool>,
        with_stats: Option<bool>,
        first_parent: Option<bool>,
    }
}

params! {
    struct ShowCommit {
        stats: Option<bool>,
    }
}

pub(super) fn list(call: &Call<'_>, params: &ListCommits) -> Answer {
    let (id, default, web_url) = {
        let state = call.instance.store.read();
        let project = call.project_for(&state, ProjectAbility::ReadCode)?;
        let web_url = format!("{}/{}", call.instance.url(), state.project_path(project));
        (project.id, state.default_branch(project), web_url)
    };
    let repository = call.repository(id)?;
    if repository.is_empty()? {
        let is_missing = call
            .instance
            .store
            .read()
            .switches
            .get()
            .empty_repository_has_no_commits_list;
        return if is_missing {
            Err(Refusal::not_found("Repository"))
        } else {
            call.page_of::<ObjectId>(&[], Totals::Unknown, |_| Value::Null)
        };
    }
    let tips: Vec<ObjectId> = if params.all == Some(true) {
        repository
            .branches()?
            .into_iter()
            .map(|(_, commit)| commit)
            .collect()
    } else {
        let name = params.ref_name.clone().unwrap_or(default);
        vec![
            repository
                .resolve(&name)
                .ok_or_else(|| Refusal::not_found("Commit"))?,
        ]
    };
    let selection = Selection {
        path: params.path.clone(),
        since: params.since.map(Moment::seconds),
        until: params.until.map(Moment::seconds),
        author: params.author.clone(),
        is_first_parent: params.first_parent.unwrap_or(false),
    };
    let commits = repository.log(&tips, &selection)?;
    let with_stats = params.with_stats.unwrap_or(false);
    call.page_of(&commits, Totals::Unknown, |commit| {
        let Ok(Some(commit)) = repository.commit(*commit) else {
            return Value::Null;
        };
        let mut shown = entity::commit(&commit, &web_url);
        if with_stats
            && let Value::Object(map) = &mut shown
            && let Ok(stats) = repository.stats(commit.parents.first().copied(), commit.id)
        {
            map.insert("stats".to_owned(), entity::stats(stats));
        }
        shown
    })
}

/// The project's number, its address, its repository and the commit that `sha` names.
fn find(call: &Call<'_>) -> Result<(Id<Project>, String, Repository, Commit), Refusal> {
    let (id, web_url) = {
        let state = call.instance.store.read();
        let project = call.project_for(&state, ProjectAbility::ReadCode)?;
        (
            project.id,
            format!("{}/{}", call.instance.url(), state.project_path(project)),
        )
    };
    let repository = call.repository(id)?;
    let missing = || Refusal::not_found("Commit");
    let commit = repository
        .resolve(call.capture("sha"))
        .ok_or_else(missing)?;
    let commit = repository.commit(commit)?.ok_or_else(missing)?;
    Ok((id, web_url, repository, commit))
}

pub(super) fn show(call: &Call<'_>, params: &ShowCommit) -> Answer {
    let (id, web_url, repository, commit) = find(call)?;
    let stats = match params.stats {
        Some(false) => None,
        _ => Some(repository.stats(commit.parents.first().copied(), commit.id)?),
    };
    Ok(Reply::ok(entity::commit_detail(
        &commit,
        stats,
        id.number(),
        &web_url,
    )))
}

pub(super) fn diff(call: &Call<'_>, _: &Nothing) -> Answer {
    let (_, _, repository, commit) = find(call)?;
    let diffs = repository.diff(commit.parents.first().copied(), commit.id)?;
    call.page(&diffs, entity::diff)
}

pub(super) fn references(call: &Call<'_>, _: &Nothing) -> Answer {
    let (_, _, repository, commit) = find(call)?;
    let kind = call.raw.read::<Option<String>>("type")?;
    let kind = kind.as_deref().unwrap_or("all");
    let mut rows = Vec::new();
    if matches!(kind, "all" | "branch") {
        rows.extend(
            repository
                .branches()?
                .into_iter()
                .map(|(name, tip)| ("branch", name, tip)),
        );
    }
    if matches!(kind, "all" | "tag") {
        rows.extend(
            repository
                .tags()?
                .into_iter()
                .map(|(name, tip)| ("tag", name, tip)),
        );
    }
    rows.retain(|(_, _, tip)| repository.is_ancestor(commit.id, *tip));
    call.page_of(
        &rows,
        Totals::Unknown,
        |(kind, name, _)| json!({ "type": kind, "name": name }),
    )
}

/// One action before its guard was checked.
struct Guarded {
    action: Action,
    /// The path whose last commit is compared.
    path: String,
    last_commit_id: Option<String>,
}

pub(super) fn create(call: &Call<'_>, raw: &Raw) -> Answer {
    if call.body.len() > LARGE {
        call.count(Limited::LargeCommit, "")?;
    }
    let project = push_rights(call)?;
    let checked = check(raw).map_err(Refusal::bad_request)?;
    let plan = commit_check::plan(call, project, checked.target)?;
    for guarded in &checked.actions {
        if let Some(last) = &guarded.last_commit_id
            && commit_check::has_changed(call, &plan, &guarded.path, last)?
        {
            return Err(Refusal::rejected(format!(
                "The file has changed since you started editing it: {}",
                guarded.path
            )));
        }
    }
    let actions: Vec<Action> = checked
        .actions
        .into_iter()
        .map(|guarded| guarded.action)
        .collect();
    let written = commit_check::write(call, &plan, &checked.message, &actions, checked.author)?;
    let repository = call.repository(project)?;
    let commit = repository
        .commit(written.commit)?
        .ok_or_else(Refusal::internal)?;
    let stats = if checked.with_stats {
        Some(repository.stats(written.parent, written.commit)?)
    } else {
        None
    };
    let state = call.instance.store.read();
    let path = state
        .projects
        .get(project)
        .map(|project| state.project_path(project));
    let web_url = format!("{}/{}", call.instance.url(), path.unwrap_or_default());
    Ok(Reply::created(entity::commit_detail(
        &commit,
        stats,
        project.number(),
        &web_url,
    )))
}

/// Who may not push to the branch hears so before anything else is looked at.
fn push_rights(call: &Call<'_>) -> Result<Id<Project>, Refusal> {
    let state = call.instance.store.read();
    let project = call.project(&state)?;
    if state.can_project(call.viewer(), ProjectAbility::PushCode, project) {
        Ok(project.id)
    } else {
        Err(Refusal::forbidden_because(
            "You are not allowed to push into this branch",
        ))
    }
}

/// The parameters of a commit, checked.
struct Checked {
    target: Target,
    message: String,
    actions: Vec<Guarded>,
    author: Option<(String, String)>,
    with_stats: bool,
}

fn check(raw: &Raw) -> Result<Checked, String> {
    let branch = required(&raw.0, "branch", "branch")?;
    let message = required(&raw.0, "commit_message", "commit_message")?;
    let actions = match raw.get("actions") {
        Some(Value::Array(actions)) if !actions.is_empty() => actions,
        _ => return Err("actions is required".to_owned()),
    };
    let start_branch = text(&raw.0, "start_branch");
    let start_sha = text(&raw.0, "start_sha");
    if start_branch.is_some() && start_sha.is_some() {
        return Err("start_branch, start_sha are mutually exclusive".to_owned());
    }
    let is_forced = flag(&raw.0, "force", "force")?.unwrap_or(false);
    let with_stats = flag(&raw.0, "stats", "stats")?.unwrap_or(true);
    let mut checked = Vec::with_capacity(actions.len());
    for (index, action) in actions.iter().enumerate() {
        let Value::Object(action) = action else {
            return Err(format!("actions[{index}] must be an object"));
        };
        checked.push(check_action(action, index)?);
    }
    Ok(Checked {
        target: Target {
            branch,
            start_branch,
            start_sha,
            is_forced,
        },
        message,
        actions: checked,
        author: file::author(text(&raw.0, "author_name"), text(&raw.0, "author_email")),
        with_stats,
    })
}

fn check_action(action: &Map<String, Value>, index: usize) -> Result<Guarded, String> {
    let named = |field: &str| format!("actions[{index}][{field}]");
    let kind = required(action, "action", &named("action"))?;
    if !ACTIONS.contains(&kind.as_str()) {
        return Err(format!(
            "{} must be one of: {}",
            named("action"),
            ACTIONS.join(", ")
        ));
    }
    let path = required(action, "file_path", &named("file_path"))?;
    let is_base64 = match text(action, "encoding").as_deref() {
        None | Some("text") => false,
        Some("base64") => true,
        Some(_) => return Err(format!("{} must be text or base64", named("encoding"))),
    };
    let is_executable = flag(action, "execute_filemode", &named("execute_filemode"))?;
    let content = text(action, "content").map(|content| {
        if is_base64 {
            commit_check::decode_base64(&content)
        } else {
            content.into_bytes()
        }
    });
    let needed = |field: &str| format!("{} is required for {kind} action", named(field));
    let last_commit_id = text(action, "last_commit_id").filter(|id| !id.is_empty());
    let mut guarded_path = path.clone();
    let action = match kind.as_str() {
        "create" => {
            return Ok(Guarded {
                action: Action::Create {
                    path,
                    content: content.unwrap_or_default(),
                    is_executable: is_executable.unwrap_or(false),
                },
                path: guarded_path,
                last_commit_id: None,
            });
        }
        "update" => Action::Update {
            path,
            content: content.ok_or_else(|| needed("content"))?,
        },
        "move" => {
            let previous_path =
                text(action, "previous_path").ok_or_else(|| needed("previous_path"))?;
            guarded_path.clone_from(&previous_path);
            Action::Move {
                path,
                previous_path,
                content,
            }
        }
        "chmod" => Action::Chmod {
            path,
            is_executable: is_executable.ok_or_else(|| needed("execute_filemode"))?,
        },
        _ => Action::Delete { path },
    };
    Ok(Guarded {
        action,
        path: guarded_path,
        last_commit_id,
    })
}

fn required(map: &Map<String, Value>, name: &str, shown: &str) -> Result<String, String> {
    text(map, name)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| format!("{shown} is required"))
}

fn text(map: &Map<String, Value>, name: &str) -> Option<String> {
    match map.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn flag(map: &Map<String, Value>, name: &str, shown: &str) -> Result<Option<bool>, String> {
    use crate::web::params::Scalar;
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match bool::from_value(value) {
            Ok(flag) => Ok(Some(flag)),
            Err(_) => Err(format!("{shown} must be a boolean")),
        },
    }
}
