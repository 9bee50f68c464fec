//! Attempts to make the provider destroy, take over, change or forget what is living.
//!
//! Each case does something to a small product that people do by mistake, and checks that nothing
//! living has changed.

mod adoption;
mod another_gitlab;
mod configuration_repository;
mod half_way;
mod late_plan;
mod moved;
mod state;
mod vault;
mod work;

use serde_json::{Value, json};
use testbed::Method;

use crate::safety::{REPO, SMALL};
use crate::test_env::TestEnv;

impl TestEnv {
    /// Everything in GitLab and Vault that must not change: groups, projects with their commits,
    /// deploy keys and tokens, and what Vault holds.
    pub(crate) fn living(&self) -> anyhow::Result<Value> {
        let fields = |objects: &Value, names: &[&str]| {
            let objects = objects.as_array().cloned().unwrap_or_default();
            let objects = objects.iter().map(|object| {
                let fields = names.iter().map(|name| object[*name].clone());
                Value::Array(fields.collect())
            });
            objects.collect::<Vec<_>>()
        };
        let get = |path: &str| self.gitlab.api(Method::GET, path, None);
        let of_group = [
            "id",
            "full_path",
            "name",
            "description",
            "visibility",
            "marked_for_deletion_on",
        ];
        let of_project = [
            "id",
            "path_with_namespace",
            "name",
            "description",
            "visibility",
            "archived",
            "marked_for_deletion_on",
        ];
        let listed = get("/projects?per_page=100")?;
        let mut parts = Vec::new();
        for project in listed.as_array().into_iter().flatten() {
            let path = format!("/projects/{}", project["id"]);
            let branches = get(&format!("{path}/repository/branches"))?;
            let heads = branches.as_array().cloned().unwrap_or_default();
            let heads = heads
                .iter()
                .map(|branch| json!([branch["name"], branch["commit"]["id"]]));
            let keys = get(&format!("{path}/deploy_keys"))?;
            let tokens = get(&format!("{path}/access_tokens"))?;
            parts.push(json!({
                "id": project["id"],
                "branches": heads.collect::<Vec<_>>(),
                "keys": fields(&keys, &["id", "title", "can_push"]),
                "tokens": fields(&tokens, &["id", "name", "active", "revoked"]),
            }));
        }
        let vault = match self.vault() {
            Ok(vault) => json!(vault.inventory()?),
            Err(_) => Value::Null,
        };
        Ok(json!({
            "groups": fields(&get("/groups?per_page=100&all_available=true")?, &of_group),
            "projects": fields(&listed, &of_project),
            "parts": parts,
            "vault": vault,
        }))
    }

    /// Runs a command that must fail, and returns its text.
    pub(crate) fn refused(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let outcome = self.workspace.run(arguments)?;
        let text = outcome.text();
        anyhow::ensure!(outcome.exit_code() != Some(0), "{arguments:?}: {text}");
        Ok(text)
    }

    /// Applies the saved plan, whatever comes of it.
    pub(crate) fn apply_saved_plan(&self) -> anyhow::Result<String> {
        let arguments = ["apply", "-auto-approve", "-no-color", "plan.tfplan"];
        Ok(self.workspace.run(arguments)?.text())
    }

    /// Edits the state file by hand: every instance with its type and name.
    pub(crate) fn edit_state(&self, mut edit: impl FnMut(&str, &mut Value)) -> anyhow::Result<()> {
        let text = self.workspace.state_file().unwrap_or_default();
        let mut state: Value = serde_json::from_str(&text)?;
        for resource in state["resources"].as_array_mut().into_iter().flatten() {
            let name = format!(
                "{}.{}",
                resource["type"].as_str().unwrap_or_default(),
                resource["name"].as_str().unwrap_or_default()
            );
            for instance in resource["instances"].as_array_mut().into_iter().flatten() {
                edit(&name, instance);
            }
        }
        state["serial"] = json!(state["serial"].as_u64().unwrap_or_default() + 1);
        Ok(self
            .workspace
            .write("terraform.tfstate", &state.to_string())?)
    }

    /// Makes a group by hand, and returns its number.
    pub(crate) fn group_by_hand(&self, path: &str) -> anyhow::Result<Value> {
        let new = json!({ "name": path, "path": path });
        let group = self.gitlab.api(Method::POST, "/groups", Some(&new))?;
        Ok(group["id"].clone())
    }

    /// Makes a project by hand in a group, and returns its number.
    pub(crate) fn project_by_hand(&self, group: &Value, path: &str) -> anyhow::Result<Value> {
        let new = json!({ "path": path, "namespace_id": group, "initialize_with_readme": true });
        let project = self.gitlab.api(Method::POST, "/projects", Some(&new))?;
        Ok(project["id"].clone())
    }
}

/// The small product with more arguments of its repository.
fn repo_with(more: &str) -> String {
    SMALL.replace(
        "access_token = {}",
        &format!("access_token = {{}}\n  {more}"),
    )
}

/// The small product without permission to destroy it with its contents.
fn guarded() -> String {
    SMALL.replace("  force_destroy = true\n", "")
}

/// The number of the small product's repository.
fn repo_number(env: &TestEnv) -> anyhow::Result<Value> {
    Ok(env.workspace.resource(REPO)?["project_id"].clone())
}
