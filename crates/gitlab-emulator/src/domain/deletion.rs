//! Delayed deletion: marking with a rename, restoring, and removal
//! (GitLab `lib/api/groups.rb`, `lib/api/projects.rb` and their mark-for-deletion services).

use super::job::{Job, Task};
use super::namespace::{Namespace, ScheduledDeletion};
use super::project::Project;
use super::state::State;
use super::table::Id;
use super::time::Moment;
use super::user::{Resource, User};

/// The parameters of a request to delete.
#[derive(Clone, Debug, Default)]
pub struct DeletionRequest {
    /// Whether to skip the retention period.
    pub permanently_remove: bool,
    /// The full path, repeated for confirmation.
    pub full_path: Option<String>,
}

fn suffix(number: u64) -> String {
    format!("-deletion_scheduled-{number}")
}

impl State {
    /// Marks a group for deletion, or removes a marked subgroup permanently. The error is GitLab's
    /// text.
    pub fn delete_group(
        &mut self,
        id: Id<Namespace>,
        request: &DeletionRequest,
        by: Id<User>,
        now: Moment,
    ) -> Result<(), String> {
        let Some(group) = self.namespaces.get(id) else {
            return Ok(());
        };
        if request.permanently_remove {
            self.check_permitted()?;
            if group.parent.is_none() {
                return Err(
                    "`permanently_remove` option is only available for subgroups.".to_owned(),
                );
            }
            if group.deletion.is_none() {
                return Err("Group must be marked for deletion first.".to_owned());
            }
            if request.full_path.as_deref() != Some(self.namespace_path(id).as_str()) {
                return Err(
                    "`full_path` is incorrect. You must enter the complete path for the subgroup."
                        .to_owned(),
                );
            }
            self.start_group_removal(id, now);
            return Ok(());
        }
        if self.is_ancestor_marked(group.parent) {
            return Ok(());
        }
        if group.deletion.is_some() {
            return Err("Group has been already marked for deletion".to_owned());
        }
        let is_pinned = self.self_and_descendants(id).into_iter().any(|below| {
            self.namespaces
                .get(below)
                .is_some_and(|group| group.has_registry_images)
        });
        self.change_paths(|state| {
            let Some(group) = state.namespaces.get_mut(id) else {
                return;
            };
            group.deletion = Some(ScheduledDeletion { on: now.day(), by });
            group.updated_at = now;
            if !is_pinned {
                group.name.push_str(&suffix(id.number()));
                group.path.push_str(&suffix(id.number()));
            }
        });
        Ok(())
    }

    /// Marks a project for deletion, or removes a marked one permanently. The error is GitLab's
    /// text.
    pub fn delete_project(
        &mut self,
        id: Id<Project>,
        request: &DeletionRequest,
        by: Id<User>,
        now: Moment,
    ) -> Result<(), String> {
        let Some(project) = self.projects.get(id) else {
            return Ok(());
        };
        if request.permanently_remove {
            self.check_permitted()?;
            if project.deletion.is_none() {
                return Err("Project must be marked for deletion first.".to_owned());
            }
            if request.full_path.as_deref() != Some(self.project_path(project).as_str()) {
                return Err(
                    "`full_path` is incorrect. You must enter the complete path for the project."
                        .to_owned(),
                );
            }
            self.start_project_removal(id, now);
            return Ok(());
        }
        if self.is_ancestor_marked(Some(project.namespace)) {
            return Ok(());
        }
        if project.deletion.is_some() {
            return Err("Project has been already marked for deletion".to_owned());
        }
        let keeps_redirects = self.switches.get().marked_project_redirects;
        self.change_paths(|state| {
            let Some(project) = state.projects.get_mut(id) else {
                return;
            };
            project.deletion = Some(ScheduledDeletion { on: now.day(), by });
            project.is_archived = true;
            project.updated_at = now;
            project.name.push_str(&suffix(id.number()));
            project.path.push_str(&suffix(id.number()));
        });
        if !keeps_redirects {
            self.redirects.retain(|redirect| redirect.project != id);
        }
        Ok(())
    }

    /// Removes mark and suffix from a group.
    pub fn restore_group(&mut self, id: Id<Namespace>, now: Moment) -> Result<(), String> {
        let Some(group) = self.namespaces.get(id) else {
            return Ok(());
        };
        if group.deletion.is_none() {
            return Err("Group has not been marked for deletion".to_owned());
        }
        let path = group.path.trim_end_matches(&suffix(id.number())).to_owned();
        let name = group.name.trim_end_matches(&suffix(id.number())).to_owned();
        if path != group.path && self.is_path_taken(group.parent, &path) {
            return Err("Path has already been taken".to_owned());
        }
        self.change_paths(|state| {
            let Some(group) = state.namespaces.get_mut(id) else {
                return;
            };
            group.deletion = None;
            group.updated_at = now;
            group.path = path;
            group.name = name;
        });
        Ok(())
    }

    /// Removes mark and suffix from a project.
    pub fn restore_project(&mut self, id: Id<Project>, now: Moment) -> Result<(), String> {
        let Some(project) = self.projects.get(id) else {
            return Ok(());
        };
        if project.deletion.is_none() {
            return Err("Project has not been marked for deletion".to_owned());
        }
        let path = project
            .path
            .trim_end_matches(&suffix(id.number()))
            .to_owned();
        let name = project
            .name
            .trim_end_matches(&suffix(id.number()))
            .to_owned();
        if path != project.path && self.is_path_taken(Some(project.namespace), &path) {
            return Err("Path has already been taken".to_owned());
        }
        self.change_paths(|state| {
            let Some(project) = state.projects.get_mut(id) else {
                return;
            };
            project.deletion = None;
            project.is_archived = false;
            project.updated_at = now;
            project.path = path;
            project.name = name;
        });
        Ok(())
    }

    /// Schedules the removal of everything whose retention period is over.
    pub fn start_overdue_removals(&mut self, now: Moment) {
        let period = i64::from(self.settings.get().deletion_adjourned_period);
        let is_expired = |deletion: Option<ScheduledDeletion>| {
            deletion.is_some_and(|deletion| deletion.on.plus_days(period).start() <= now)
        };
        let projects: Vec<_> = self
            .projects
            .iter()
            .filter(|project| !project.is_being_removed && is_expired(project.deletion))
            .map(|project| project.id)
            .collect();
        let groups: Vec<_> = self
            .namespaces
            .iter()
            .filter(|group| !group.is_being_removed && is_expired(group.deletion))
            .map(|group| group.id)
            .collect();
        for id in projects {
            self.start_project_removal(id, now);
        }
        for id in groups {
            self.start_group_removal(id, now);
        }
    }

    fn check_permitted(&self) -> Result<(), String> {
        if self.settings.get().allow_immediate_namespaces_deletion {
            Ok(())
        } else {
            Err("`permanently_remove` option is not permitted on this instance.".to_owned())
        }
    }

    fn start_project_removal(&mut self, id: Id<Project>, now: Moment) {
        if let Some(project) = self.projects.get_mut(id) {
            project.is_being_removed = true;
        }
        self.schedule(Task::RemoveProject(id), now);
    }

    fn start_group_removal(&mut self, id: Id<Namespace>, now: Moment) {
        if let Some(group) = self.namespaces.get_mut(id) {
            group.is_being_removed = true;
        }
        self.schedule(Task::RemoveGroup(id), now);
    }

    /// Queues a task.
    pub fn schedule(&mut self, task: Task, now: Moment) {
        let delay = i64::try_from(self.switches.get().job_delay).unwrap_or(i64::MAX);
        self.jobs.add(|id| Job {
            id,
            due: now.plus_millis(delay),
            task,
        });
    }

    /// Removes a project and all rows that belong to it.
    pub fn remove_project(&mut self, id: Id<Project>) {
        self.projects.remove(id);
        self.redirects.retain(|redirect| redirect.project != id);
        self.remove_belongings(Resource::Project(id));
        self.rebuild_routes();
    }

    /// Removes a group and its subgroups; returns the projects that it held.
    pub fn remove_group(&mut self, id: Id<Namespace>) -> Vec<Id<Project>> {
        let groups = self.self_and_descendants(id);
        let projects: Vec<_> = self
            .projects
            .iter()
            .filter(|project| groups.contains(&project.namespace))
            .map(|project| project.id)
            .collect();
        for project in &projects {
            self.remove_project(*project);
        }
        for group in groups {
            self.namespaces.remove(group);
            self.remove_belongings(Resource::Group(group));
            self.shares.retain(|share| share.with != group);
        }
        self.rebuild_routes();
        projects
    }

    fn remove_belongings(&mut self, resource: Resource) {
        self.members.retain(|member| member.resource != resource);
        self.shares.retain(|share| share.resource != resource);
        self.deploy_tokens
            .retain(|token| token.resource != resource);
        let bots: Vec<_> = self
            .users
            .iter()
            .filter(|user| user.bot_of == Some(resource))
            .map(|user| user.id)
            .collect();
        self.tokens.retain(|token| !bots.contains(&token.user));
        self.members.retain(|member| !bots.contains(&member.user));
        self.users.retain(|user| !bots.contains(&user.id));
        if let Resource::Project(project) = resource {
            self.key_links.retain(|link| link.project != project);
            self.remove_orphan_keys();
            self.protected_branches
                .retain(|protection| protection.project != project);
            self.hooks.retain(|hook| hook.project != project);
            self.events.retain(|event| event.project != project);
        }
    }
}
