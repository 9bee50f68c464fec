//! What may be left: objects that GitLab has marked for deletion when everything is destroyed, and no process.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::{Value, json};
use testbed::Method;

use crate::harness::{Case, Stage};

/// A provider without a command line may go on for ten seconds, and looks for its parent every second.
const LONGEST_LIFE_ALONE: Duration = Duration::from_secs(15);

impl Stage {
    /// Checks that this many products were ever made, that each is marked for deletion with its only project, and
    /// that these paths can be used again.
    pub(crate) fn expect_only_remains(&self, products: usize, paths: &[&str]) -> Case {
        let groups = self.all("groups")?;
        let marked: Vec<&Value> = groups
            .iter()
            .filter(|group| group.get("marked_for_deletion_on") != Some(&Value::Null))
            .filter_map(|group| group.get("id"))
            .collect();
        let projects = self.all("projects")?;
        let in_marked = projects
            .iter()
            .filter_map(|project| project.pointer("/namespace/id"))
            .filter(|group| marked.contains(group))
            .count();
        ensure!(
            [groups.len(), marked.len(), projects.len(), in_marked] == [products; 4],
            "{products} groups with a project each were to be left, marked for deletion; there are {} groups, {} of \
             them marked, and {} projects, {in_marked} of them in marked groups",
            groups.len(),
            marked.len(),
            projects.len(),
        );
        for path in paths {
            let group = json!({ "name": path, "path": path });
            self.gitlab.api(Method::POST, "/groups", Some(&group))?;
        }
        Ok(())
    }

    /// Waits until no provider runs any more that was started on this stage.
    pub(crate) fn expect_no_provider(&self) -> Case {
        let begun = Instant::now();
        loop {
            let providers = self.workspace.provider_processes();
            if providers.is_empty() {
                return Ok(());
            }
            ensure!(
                begun.elapsed() < LONGEST_LIFE_ALONE,
                "providers were left behind: {providers:?}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn all(&self, kind: &str) -> anyhow::Result<Vec<Value>> {
        let list = format!("/{kind}?per_page=100");
        let objects = self.gitlab.api(Method::GET, &list, None)?;
        Ok(serde_json::from_value(objects)?)
    }
}
