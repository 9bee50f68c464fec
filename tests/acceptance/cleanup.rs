//! Checks after a destroy: only objects marked for deletion remain in GitLab, and no provider process.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::{Value, json};
use testbed::Method;

use crate::test_env::{Case, TestEnv};

/// An orphaned provider may run on for ten seconds, and checks for its parent every second.
const EXIT_LIMIT: Duration = Duration::from_secs(15);

impl TestEnv {
    /// Checks that GitLab has `products` groups, each marked for deletion with its only project,
    /// and that `paths` are free again.
    pub(crate) fn check_products_marked_for_deletion(
        &self,
        products: usize,
        paths: &[&str],
    ) -> Case {
        self.check_marked_for_deletion(products, products, paths)
    }

    /// Checks that GitLab has `products` groups, all marked for deletion, with `projects` projects
    /// in them, and that `paths` are free again.
    pub(crate) fn check_marked_for_deletion(
        &self,
        products: usize,
        projects: usize,
        paths: &[&str],
    ) -> Case {
        let groups = self.list("groups")?;
        let marked: Vec<&Value> = groups
            .iter()
            .filter(|group| group.get("marked_for_deletion_on") != Some(&Value::Null))
            .filter_map(|group| group.get("id"))
            .collect();
        let remaining = self.list("projects")?;
        let in_marked = remaining
            .iter()
            .filter_map(|project| project.pointer("/namespace/id"))
            .filter(|group| marked.contains(group))
            .count();
        ensure!(
            [groups.len(), marked.len()] == [products; 2]
                && [remaining.len(), in_marked] == [projects; 2],
            "expected {products} groups with {projects} projects, all marked for deletion; found {} groups, \
             {} of them marked, and {} projects, {in_marked} of them in marked groups",
            groups.len(),
            marked.len(),
            remaining.len(),
        );
        for path in paths {
            let group = json!({ "name": path, "path": path });
            self.gitlab.api(Method::POST, "/groups", Some(&group))?;
        }
        Ok(())
    }

    /// Checks that no project, marked for deletion or not, has a deploy key of the provider or an
    /// active token.
    pub(crate) fn check_no_credentials(&self) -> Case {
        for project in self.list("projects")? {
            let id = project.get("id").map(Value::to_string).unwrap_or_default();
            for key in self.list(&format!("projects/{id}/deploy_keys"))? {
                let title = key.get("title").and_then(Value::as_str);
                let is_of_provider = title.is_some_and(|title| title.starts_with("repo-"));
                ensure!(!is_of_provider, "project {id} still has {key}");
            }
            for token in self.list(&format!("projects/{id}/access_tokens"))? {
                let is_active = token.get("active") != Some(&Value::Bool(false));
                ensure!(!is_active, "project {id} still has {token}");
            }
        }
        Ok(())
    }

    /// Waits until all providers that this environment started have exited.
    pub(crate) fn wait_for_providers_to_exit(&self) -> Case {
        let started = Instant::now();
        loop {
            let providers = self.workspace.provider_processes();
            if providers.is_empty() {
                return Ok(());
            }
            ensure!(
                started.elapsed() < EXIT_LIMIT,
                "providers are still running: {providers:?}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn list(&self, kind: &str) -> anyhow::Result<Vec<Value>> {
        let list = format!("/{kind}?per_page=100");
        let objects = self.gitlab.api(Method::GET, &list, None)?;
        Ok(serde_json::from_value(objects)?)
    }
}
