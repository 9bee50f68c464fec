//! What follows when references have moved, whoever moved them (GitLab's post-receive).

use serde_json::{Value, json};

use crate::domain::event::Event;
use crate::domain::hook::Hook;
use crate::domain::job::Work;
use crate::domain::project::Project;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::user::User;
use crate::git::commit::Commit;
use crate::git::{Error, ObjectId, Repository};
use crate::instance::Instance;
use crate::webhook::payload;

const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

/// A reference that has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Its full name.
    pub(crate) reference: String,
    /// Where it was, `None` when it is new.
    pub(crate) old: Option<ObjectId>,
    /// Where it is, `None` when it is gone.
    pub(crate) new: Option<ObjectId>,
}

/// Brings the project up to date with its repository, and calls its hooks.
pub(crate) fn process(
    instance: &Instance,
    project: Id<Project>,
    user: Id<User>,
    updates: &[Received],
) -> Result<(), Error> {
    choose_default_branch(instance, project, updates)?;
    let repository = instance.repositories.open(project.number())?;
    for update in updates {
        let data = push_data(&repository, update)?;
        let now = instance.now();
        instance.change(|state| {
            state.events.add(|id| Event {
                id,
                project,
                author: user,
                action: action(update).to_owned(),
                push_data: Some(data),
                created_at: now,
            });
            if let Some(project) = state.projects.get_mut(project) {
                project.last_activity_at = now;
            }
        });
        call_hooks(instance, project, user, update)?;
        if let (Some(branch), Some(old)) = (update.reference.strip_prefix(BRANCHES), update.old) {
            instance.delay_branch(project, branch, old);
        }
    }
    Ok(())
}

/// The first branch becomes the default branch if the one by that name is not there.
fn choose_default_branch(
    instance: &Instance,
    project: Id<Project>,
    updates: &[Received],
) -> Result<(), Error> {
    let created: Vec<&str> = updates
        .iter()
        .filter(|update| update.old.is_none() && update.new.is_some())
        .filter_map(|update| update.reference.strip_prefix(BRANCHES))
        .collect();
    let repository = instance.repositories.open(project.number())?;
    let is_first = !created.is_empty()
        && repository
            .branches()?
            .iter()
            .all(|(branch, _)| created.contains(&branch.as_str()));
    if !is_first {
        return Ok(());
    }
    let now = instance.now();
    let chosen = instance.change(|state| {
        let current = state.default_branch(state.projects.get(project)?);
        let chosen = match created.first() {
            Some(first) if !created.contains(&current.as_str()) => Some((*first).to_owned()),
            _ => None,
        };
        if chosen.is_some() {
            state
                .projects
                .get_mut(project)?
                .default_branch
                .clone_from(&chosen);
        }
        state.schedule(Work::ProtectDefaultBranch(project), now);
        chosen
    });
    match chosen {
        Some(branch) => repository.set_head(&branch),
        None => Ok(()),
    }
}

fn call_hooks(
    instance: &Instance,
    project: Id<Project>,
    user: Id<User>,
    update: &Received,
) -> Result<(), Error> {
    let (event, name) = if update.reference.starts_with(TAGS) {
        ("tag_push_events", "Tag Push Hook")
    } else {
        ("push_events", "Push Hook")
    };
    let hooks: Vec<Hook> = {
        let state = instance.store.read();
        let is_called = |hook: &&Hook| {
            let branch = update.reference.strip_prefix(BRANCHES);
            hook.project == project
                && hook.is_called_for(event)
                && branch.is_none_or(|branch| hook.branch_filter.lets_through(branch))
        };
        state.hooks.iter().filter(is_called).cloned().collect()
    };
    if hooks.is_empty() {
        return Ok(());
    }
    if let Some(payload) = payload::push(instance, project, user, update)? {
        for hook in hooks {
            instance.deliver(&hook, name, payload.clone());
        }
    }
    Ok(())
}

const fn action(update: &Received) -> &'static str {
    match (&update.old, &update.new) {
        (_, None) => "deleted",
        (None, Some(_)) => "pushed new",
        (Some(_), Some(_)) => "pushed to",
    }
}

/// What the event of a push tells.
fn push_data(repository: &Repository, update: &Received) -> Result<Value, Error> {
    let branch = update.reference.strip_prefix(BRANCHES);
    let tag = update.reference.strip_prefix(TAGS);
    let commits = match branch {
        Some(_) => payload::commits(repository, update)?,
        None => Vec::new(),
    };
    let newest = match commits.first() {
        Some(newest) => repository.commit(*newest)?,
        None => None,
    };
    Ok(json!({
        "commit_count": commits.len(),
        "action": match action(update) {
            "deleted" => "removed",
            "pushed new" => "created",
            _ => "pushed",
        },
        "ref_type": if tag.is_some() { "tag" } else { "branch" },
        "commit_from": update.old.map(|id| id.to_string()),
        "commit_to": update.new.map(|id| id.to_string()),
        "ref": branch.or(tag).unwrap_or(&update.reference),
        "commit_title": newest.as_ref().map(Commit::title),
        "ref_count": null,
    }))
}

/// Notes that a project was made.
pub(crate) fn note_creation(state: &mut State, project: Id<Project>, author: Id<User>) {
    let Some(created_at) = state
        .projects
        .get(project)
        .map(|project| project.created_at)
    else {
        return;
    };
    state.events.add(|id| Event {
        id,
        project,
        author,
        action: "created".to_owned(),
        push_data: None,
        created_at,
    });
}
