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
        self.expect_remains(products, products, paths)
    }

    /// Checks that this many products and GitLab projects in them were ever made, that each product is marked for
    /// deletion, and that these paths can be used again.
    pub(crate) fn expect_remains(&self, products: usize, projects: usize, paths: &[&str]) -> Case {
        let groups = self.all("groups")?;
        let marked: Vec<&Value> = groups
            .iter()
            .filter(|group| group.get("marked_for_deletion_on") != Some(&Value::Null))
            .filter_map(|group| group.get("id"))
            .collect();
        let left = self.all("projects")?;
        let in_marked = left
            .iter()
            .filter_map(|project| project.pointer("/namespace/id"))
            .filter(|group| marked.contains(group))
            .count();
        ensure!(
            [groups.len(), marked.len()] == [products; 2]
                && [left.len(), in_marked] == [projects; 2],
            "{products} groups with {projects} projects were to be left, marked for deletion; there are {} groups, \
             {} of them marked, and {} projects, {in_marked} of them in marked groups",
            groups.len(),
            marked.len(),
            left.len(),
        );
        for path in paths {
            let group = json!({ "name": path, "path": path });
            self.gitlab.api(Method::POST, "/groups", Some(&group))?;
        }
        Ok(())
    }

    /// Checks that no project, marked for deletion or not, has a deploy key of ours or a token that can be used.
    pub(crate) fn expect_no_credentials(&self) -> Case {
        for project in self.all("projects")? {
            let id = project.get("id").map(Value::to_string).unwrap_or_default();
            for key in self.all(&format!("projects/{id}/deploy_keys"))? {
                let title = key.get("title").and_then(Value::as_str);
                let is_ours = title.is_some_and(|title| title.starts_with("repo-"));
                ensure!(!is_ours, "project {id} still has {key}");
            }
            for token in self.all(&format!("projects/{id}/access_tokens"))? {
                let is_active = token.get("active") != Some(&Value::Bool(false));
                ensure!(!is_active, "project {id} still has {token}");
            }
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
