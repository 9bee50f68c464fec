//! Follow-up work after references have moved, through the API or a push (GitLab's post-receive).

use serde_json::{Value, json};

use crate::domain::event::Event;
use crate::domain::hook::{Hook, HookEvent};
use crate::domain::job::Task;
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

/// A reference that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReferenceUpdate {
    /// Full name of the reference.
    pub(crate) reference: String,
    /// The object before; `None` if the reference is new.
    pub(crate) old: Option<ObjectId>,
    /// The object after; `None` if the reference was deleted.
    pub(crate) new: Option<ObjectId>,
}

/// Updates the project after its references moved, and queues its webhooks.
pub(crate) fn process(
    instance: &Instance,
    project: Id<Project>,
    user: Id<User>,
    updates: &[ReferenceUpdate],
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

/// Makes the first branch the default branch if the configured one does not exist.
fn choose_default_branch(
    instance: &Instance,
    project: Id<Project>,
    updates: &[ReferenceUpdate],
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
        state.schedule(Task::ProtectDefaultBranch(project), now);
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
    update: &ReferenceUpdate,
) -> Result<(), Error> {
    let event = if update.reference.starts_with(TAGS) {
        HookEvent::TagPush
    } else {
        HookEvent::Push
    };
    let hooks: Vec<Id<Hook>> = {
        let state = instance.store.read();
        let is_called = |hook: &&Hook| {
            let branch = update.reference.strip_prefix(BRANCHES);
            hook.project == project
                && hook.is_called_for(event.attribute())
                && branch.is_none_or(|branch| hook.branch_filter.matches(branch))
        };
        state
            .hooks
            .iter()
            .filter(is_called)
            .map(|hook| hook.id)
            .collect()
    };
    if hooks.is_empty() {
        return Ok(());
    }
    if let Some(payload) = payload::push(instance, project, user, update)? {
        for hook in hooks {
            instance.deliver(hook, event, payload.clone());
        }
    }
    Ok(())
}

const fn action(update: &ReferenceUpdate) -> &'static str {
    match (&update.old, &update.new) {
        (_, None) => "deleted",
        (None, Some(_)) => "pushed new",
        (Some(_), Some(_)) => "pushed to",
    }
}

/// Returns the push data of the event.
fn push_data(repository: &Repository, update: &ReferenceUpdate) -> Result<Value, Error> {
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

/// Records the creation of a project.
pub(crate) fn record_creation(state: &mut State, project: Id<Project>, author: Id<User>) {
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
