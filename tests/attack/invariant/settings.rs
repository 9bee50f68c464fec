//! Settings that groups and projects have alike, and that a plan shows as attributes.

use super::group::without_mark;
use crate::world::view::{GroupView, ProjectView};

/// The settings of a group or project.
pub(super) struct Settings<'a> {
    path: &'a str,
    name: &'a str,
    description: &'a str,
    visibility: &'a str,
}

impl<'a> From<&'a GroupView> for Settings<'a> {
    fn from(group: &'a GroupView) -> Self {
        Self {
            path: &group.path,
            name: &group.name,
            description: &group.description,
            visibility: group.visibility,
        }
    }
}

impl<'a> From<&'a ProjectView> for Settings<'a> {
    fn from(project: &'a ProjectView) -> Self {
        Self {
            path: &project.path,
            name: &project.name,
            description: &project.description,
            visibility: project.visibility,
        }
    }
}

impl Settings<'_> {
    /// Returns the attributes that differ, each with the change.
    pub(super) fn changes(&self, now: &Self) -> Vec<(&'static str, String)> {
        let arrow = |before: &str, now: &str| format!("{before} -> {now}");
        let description = without_mark(self.description);
        let description_now = without_mark(now.description);
        let all = [
            ("name", self.path != now.path, arrow(self.path, now.path)),
            (
                "display_name",
                self.name != now.name,
                arrow(self.name, now.name),
            ),
            (
                "description",
                description != description_now,
                format!("{description:?} -> {description_now:?}"),
            ),
            (
                "visibility",
                self.visibility != now.visibility,
                arrow(self.visibility, now.visibility),
            ),
        ];
        let changed = all.into_iter().filter(|(_, is_changed, _)| *is_changed);
        changed
            .map(|(attribute, _, change)| (attribute, change))
            .collect()
    }
}
