//! Payloads of webhooks (GitLab `lib/gitlab/data_builder/push.rb`).

use serde_json::{Value, json};

use crate::domain::project::Project;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::commit_time;
use crate::domain::user::User;
use crate::git::{Error, ObjectId, Repository};
use crate::instance::Instance;
use crate::post_receive::ReferenceUpdate;

/// Most commits in a payload.
const MAX_COMMITS: usize = 20;
const TAGS: &str = "refs/tags/";

/// Returns the payload of a push.
pub(crate) fn push(
    instance: &Instance,
    project: Id<Project>,
    user: Id<User>,
    update: &ReferenceUpdate,
) -> Result<Option<Value>, Error> {
    let repository = instance.repositories.open(project.number())?;
    let is_tag = update.reference.starts_with(TAGS);
    let kind = if is_tag { "tag_push" } else { "push" };
    let commits = if is_tag {
        Vec::new()
    } else {
        commits(&repository, update)?
    };
    let total = commits.len();
    let state = instance.store.read();
    let Some((project, user)) = state.projects.get(project).zip(state.users.get(user)) else {
        return Ok(None);
    };
    let url = instance.url();
    let project_entity = project_entity(url, &state, project);
    let web_url = format!("{url}/{}", state.project_path(project));
    let skipped = total.saturating_sub(MAX_COMMITS);
    let mut entities = Vec::new();
    for commit in commits.iter().rev().skip(skipped) {
        entities.extend(commit_entity(&repository, *commit, &web_url)?);
    }
    let sha = |id: Option<ObjectId>| id.map_or_else(|| "0".repeat(40), |id| id.to_string());
    let checkout = match update.new {
        Some(_) if is_tag => repository.resolve(&update.reference),
        other => other,
    };
    Ok(Some(json!({
        "object_kind": kind,
        "event_name": kind,
        "before": sha(update.old),
        "after": sha(update.new),
        "ref": update.reference,
        "ref_protected": update
            .reference
            .strip_prefix("refs/heads/")
            .is_some_and(|branch| state.is_protected(project, branch, false)),
        "checkout_sha": checkout.map(|id| id.to_string()),
        "message": null,
        "user_id": user.id,
        "user_name": user.name,
        "user_username": user.username,
        "user_email": "",
        "user_avatar": null,
        "project_id": project.id,
        "project": project_entity,
        "commits": entities,
        "total_commits_count": total,
        "push_options": {},
        "repository": {
            "name": project.name,
            "url": project_entity.get("url"),
            "description": project.description,
            "homepage": web_url,
            "git_http_url": project_entity.get("git_http_url"),
            "git_ssh_url": project_entity.get("git_ssh_url"),
            "visibility_level": project_entity.get("visibility_level"),
        },
    })))
}

/// Returns a push payload of the default branch's last commit, for testing a hook; `None` without a
/// commit.
pub(crate) fn sample(
    instance: &Instance,
    project: Id<Project>,
    user: Id<User>,
) -> Result<Option<Value>, Error> {
    let branch = {
        let state = instance.store.read();
        state
            .projects
            .get(project)
            .map(|project| state.default_branch(project))
    };
    let repository = instance.repositories.open(project.number())?;
    let Some(branch) = branch else {
        return Ok(None);
    };
    let Some(head) = repository.branch(&branch)? else {
        return Ok(None);
    };
    let parent = repository
        .commit(head)?
        .and_then(|commit| commit.parents.first().copied());
    let update = ReferenceUpdate {
        reference: format!("refs/heads/{branch}"),
        old: parent,
        new: Some(head),
    };
    push(instance, project, user, &update)
}

/// Returns the commits that a reference update added, newest first.
pub(crate) fn commits(
    repository: &Repository,
    update: &ReferenceUpdate,
) -> Result<Vec<ObjectId>, Error> {
    match (update.old, update.new) {
        (_, None) => Ok(Vec::new()),
        (Some(old), Some(new)) => repository.log_between(old, new),
        (None, Some(new)) => repository.log(&[new], &crate::git::history::Selection::default()),
    }
}

fn commit_entity(
    repository: &Repository,
    id: ObjectId,
    web_url: &str,
) -> Result<Option<Value>, Error> {
    let Some(commit) = repository.commit(id)? else {
        return Ok(None);
    };
    let (mut added, mut modified, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    for file in repository.changed_paths(commit.parents.first().copied(), id)? {
        match (file.is_before, file.is_after) {
            (false, _) => added.push(file.path),
            (true, true) => modified.push(file.path),
            (true, false) => removed.push(file.path),
        }
    }
    let timestamp = commit_time(commit.author.seconds, commit.author.offset).replace(".000", "");
    Ok(Some(json!({
        "id": id.to_string(),
        "message": commit.message,
        "title": commit.title(),
        "timestamp": timestamp,
        "url": format!("{web_url}/-/commit/{id}"),
        "author": { "name": commit.author.name, "email": commit.author.email },
        "added": added,
        "modified": modified,
        "removed": removed,
    })))
}

/// Returns a project as payloads show it.
fn project_entity(url: &str, state: &State, project: &Project) -> Value {
    let path = state.project_path(project);
    let web_url = format!("{url}/{path}");
    let http = format!("{web_url}.git");
    let host = url.split("://").nth(1).unwrap_or(url);
    let host = host.split([':', '/']).next().unwrap_or(host);
    let ssh = format!("git@{host}:{path}.git");
    let namespace = state
        .namespaces
        .get(project.namespace)
        .map(|namespace| &namespace.name);
    json!({
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "web_url": web_url,
        "avatar_url": null,
        "git_ssh_url": ssh,
        "git_http_url": http,
        "namespace": namespace,
        "visibility_level": project.visibility.number(),
        "path_with_namespace": path,
        "default_branch": state.default_branch(project),
        "ci_config_path": null,
        "homepage": web_url,
        "url": ssh,
        "ssh_url": ssh,
        "http_url": http,
    })
}
