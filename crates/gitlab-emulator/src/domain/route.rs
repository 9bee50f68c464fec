//! Full paths: one namespace for groups, personal namespaces and projects.

use std::collections::HashMap;

use super::namespace::Namespace;
use super::project::{Project, Redirect};
use super::state::State;
use super::table::Id;

/// The object at a full path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A group or personal namespace.
    Namespace(Id<Namespace>),
    /// A project.
    Project(Id<Project>),
}

/// Index of full paths, in lower case because GitLab ignores their case.
#[derive(Debug, Default)]
pub struct Routes {
    by_path: HashMap<String, Target>,
}

impl State {
    /// Joins a part of each namespace from the top level down.
    fn trail(&self, id: Id<Namespace>, part: impl Fn(&Namespace) -> &str, glue: &str) -> String {
        let mut parts: Vec<&str> = self.self_and_ancestors(id).map(part).collect();
        parts.reverse();
        parts.join(glue)
    }

    /// Returns a namespace and its ancestors, nearest first.
    pub fn self_and_ancestors(&self, id: Id<Namespace>) -> impl Iterator<Item = &Namespace> {
        std::iter::successors(self.namespaces.get(id), |namespace| {
            namespace
                .parent
                .and_then(|parent| self.namespaces.get(parent))
        })
    }

    /// Returns the full path: `platform/team-a`.
    pub fn namespace_path(&self, id: Id<Namespace>) -> String {
        self.trail(id, |namespace| &namespace.path, "/")
    }

    /// Returns the full name: `Platform Team A`.
    pub fn namespace_full_name(&self, id: Id<Namespace>) -> String {
        self.trail(id, |namespace| &namespace.name, " / ")
    }

    /// Returns the full path: `platform/team-a/api`.
    pub fn project_path(&self, project: &Project) -> String {
        format!(
            "{}/{}",
            self.namespace_path(project.namespace),
            project.path
        )
    }

    /// Returns what is at a full path.
    pub fn at_path(&self, path: &str) -> Option<Target> {
        self.routes.by_path.get(&path.to_lowercase()).copied()
    }

    /// Returns the namespace with an ID or full path. A text of digits is always an ID.
    pub fn namespace_by_id_or_path(&self, text: &str) -> Option<&Namespace> {
        let id = match (Id::parse(text), self.at_path(text)) {
            (Some(id), _) | (None, Some(Target::Namespace(id))) => id,
            (None, Some(Target::Project(_)) | None) => return None,
        };
        self.namespaces.get(id)
    }

    /// Returns the project that had a full path before a rename.
    pub fn redirected(&self, path: &str) -> Option<&Project> {
        let path = path.to_lowercase();
        let redirect = self.redirects.find(|redirect| redirect.path == path)?;
        self.projects.get(redirect.project)
    }

    /// Returns whether a path is in use below `parent`; `None` is the top level.
    pub fn is_path_taken(&self, parent: Option<Id<Namespace>>, path: &str) -> bool {
        let full = match parent {
            Some(parent) => format!("{}/{path}", self.namespace_path(parent)),
            None => path.to_owned(),
        };
        self.at_path(&full).is_some()
    }

    /// Adds a namespace to the index.
    pub fn add_namespace_route(&mut self, id: Id<Namespace>) {
        let path = self.namespace_path(id).to_lowercase();
        self.routes.by_path.insert(path, Target::Namespace(id));
    }

    /// Adds a project to the index; removes a redirect from its path.
    pub fn add_project_route(&mut self, id: Id<Project>) {
        let Some(project) = self.projects.get(id) else {
            return;
        };
        let path = self.project_path(project).to_lowercase();
        self.redirects.retain(|redirect| redirect.path != path);
        self.routes.by_path.insert(path, Target::Project(id));
    }

    /// Rebuilds the index, after a removal or a start.
    pub fn rebuild_routes(&mut self) {
        let namespaces = self.namespaces.iter().map(|namespace| {
            (
                self.namespace_path(namespace.id).to_lowercase(),
                Target::Namespace(namespace.id),
            )
        });
        let projects = self.projects.iter().map(|project| {
            (
                self.project_path(project).to_lowercase(),
                Target::Project(project.id),
            )
        });
        self.routes.by_path = namespaces.chain(projects).collect();
    }

    /// Makes a change that may change paths, and adds redirects for the affected projects.
    pub fn change_paths(&mut self, change: impl FnOnce(&mut Self)) {
        let before: Vec<(Id<Project>, String)> = self
            .projects
            .iter()
            .map(|project| (project.id, self.project_path(project).to_lowercase()))
            .collect();
        change(self);
        self.rebuild_routes();
        for (id, old) in before {
            let Some(project) = self.projects.get(id) else {
                continue;
            };
            let new = self.project_path(project).to_lowercase();
            if new != old {
                self.redirects
                    .retain(|redirect| redirect.path != old && redirect.path != new);
                self.redirects.add(|redirect| Redirect {
                    id: redirect,
                    path: old,
                    project: id,
                });
            }
        }
    }

    /// Returns a group and its subgroups at any depth, the group first.
    pub fn self_and_descendants(&self, id: Id<Namespace>) -> Vec<Id<Namespace>> {
        self.namespaces
            .iter()
            .filter(|namespace| {
                self.self_and_ancestors(namespace.id)
                    .any(|above| above.id == id)
            })
            .map(|namespace| namespace.id)
            .collect()
    }

    /// Returns whether an ancestor is marked for deletion.
    pub fn is_ancestor_marked(&self, parent: Option<Id<Namespace>>) -> bool {
        parent.is_some_and(|parent| {
            self.self_and_ancestors(parent)
                .any(|above| above.deletion.is_some())
        })
    }
}
