//! Full paths: one space of names for groups, personal namespaces and projects.

use std::collections::HashMap;

use super::namespace::Namespace;
use super::project::{Project, Redirect};
use super::state::State;
use super::table::Id;

/// What a full path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A group or personal namespace.
    Namespace(Id<Namespace>),
    /// A project.
    Project(Id<Project>),
}

/// Index of the full paths, in lower case because GitLab matches them so.
#[derive(Debug, Default)]
pub struct Routes {
    by_path: HashMap<String, Target>,
}

impl State {
    /// The segments' names or paths of a namespace from the top, joined.
    fn trail(&self, id: Id<Namespace>, part: impl Fn(&Namespace) -> &str, glue: &str) -> String {
        let mut parts: Vec<&str> = self.self_and_ancestors(id).map(part).collect();
        parts.reverse();
        parts.join(glue)
    }

    /// A namespace and the groups above it, nearest first.
    pub fn self_and_ancestors(&self, id: Id<Namespace>) -> impl Iterator<Item = &Namespace> {
        std::iter::successors(self.namespaces.get(id), |namespace| {
            namespace
                .parent
                .and_then(|parent| self.namespaces.get(parent))
        })
    }

    /// `platform/team-a`.
    pub fn namespace_path(&self, id: Id<Namespace>) -> String {
        self.trail(id, |namespace| &namespace.path, "/")
    }

    /// `Platform / Team A`.
    pub fn namespace_full_name(&self, id: Id<Namespace>) -> String {
        self.trail(id, |namespace| &namespace.name, " / ")
    }

    /// `platform/team-a/api`.
    pub fn project_path(&self, project: &Project) -> String {
        format!(
            "{}/{}",
            self.namespace_path(project.namespace),
            project.path
        )
    }

    /// Finds what is at a full path now.
    pub fn at_path(&self, path: &str) -> Option<Target> {
        self.routes.by_path.get(&path.to_lowercase()).copied()
    }

    /// Finds what a full path led to before a rename.
    pub fn redirected(&self, path: &str) -> Option<&Project> {
        let path = path.to_lowercase();
        let redirect = self.redirects.find(|redirect| redirect.path == path)?;
        self.projects.get(redirect.project)
    }

    /// Whether a path is in use below `parent` (`None`: at the top).
    pub fn is_path_taken(&self, parent: Option<Id<Namespace>>, path: &str) -> bool {
        let full = match parent {
            Some(parent) => format!("{}/{path}", self.namespace_path(parent)),
            None => path.to_owned(),
        };
        self.at_path(&full).is_some()
    }

    /// Enters a new namespace.
    pub fn add_namespace_route(&mut self, id: Id<Namespace>) {
        let path = self.namespace_path(id).to_lowercase();
        self.routes.by_path.insert(path, Target::Namespace(id));
    }

    /// Enters a new project; an old path that led elsewhere ends.
    pub fn add_project_route(&mut self, id: Id<Project>) {
        let Some(project) = self.projects.get(id) else {
            return;
        };
        let path = self.project_path(project).to_lowercase();
        self.redirects.retain(|redirect| redirect.path != path);
        self.routes.by_path.insert(path, Target::Project(id));
    }

    /// Computes all paths anew, after something was removed or loaded.
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

    /// Makes a change that may move paths, and leaves redirects for the projects that moved.
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

    /// Everything below a group: its subgroups at any depth, itself first.
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

    /// Whether something above in the tree waits for its removal.
    pub fn is_ancestor_marked(&self, parent: Option<Id<Namespace>>) -> bool {
        parent.is_some_and(|parent| {
            self.self_and_ancestors(parent)
                .any(|above| above.deletion.is_some())
        })
    }
}
