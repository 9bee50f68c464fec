//! Changes that people make by hand, on GitLab and in Vault.

use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::view::CONFIG;

/// A change by hand. Paths are those below the parent group of products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ManualChange {
    RenameProject {
        path: String,
        name: String,
    },
    RenameGroup {
        path: String,
        name: String,
    },
    DeleteProject {
        path: String,
    },
    DeleteGroup {
        path: String,
    },
    /// Restores everything that is marked for deletion, as far as its path is free.
    RestoreAll,
    ArchiveProject {
        path: String,
    },
    UnarchiveProject {
        path: String,
    },
    DescribeProject {
        path: String,
        text: String,
    },
    DescribeGroup {
        path: String,
        text: String,
    },
    Commit {
        path: String,
        file: String,
    },
    Tag {
        path: String,
    },
    DeleteManifest {
        product: String,
        file: String,
    },
    EditManifest {
        product: String,
        file: String,
    },
    DeleteSecret {
        path: String,
        secret: String,
    },
    DeletePolicy {
        path: String,
        secret: String,
    },
    DeleteKeys {
        path: String,
    },
    TransferProject {
        path: String,
        group: String,
    },
    CreateGroup {
        path: String,
    },
    CreateProject {
        path: String,
    },
    /// Lets the recovery periods of deleted objects end.
    PassRecoveryPeriod,
}

impl ManualChange {
    /// Returns the name of the kind of change.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::RenameProject { .. } => "rename a project",
            Self::RenameGroup { .. } => "rename a group",
            Self::DeleteProject { .. } => "delete a project",
            Self::DeleteGroup { .. } => "delete a group",
            Self::RestoreAll => "restore what is marked for deletion",
            Self::ArchiveProject { .. } => "archive a project",
            Self::UnarchiveProject { .. } => "unarchive a project",
            Self::DescribeProject { .. } => "describe a project",
            Self::DescribeGroup { .. } => "describe a group",
            Self::Commit { .. } => "commit to a project",
            Self::Tag { .. } => "tag a project",
            Self::DeleteManifest { .. } => "delete a manifest",
            Self::EditManifest { .. } => "edit a manifest",
            Self::DeleteSecret { .. } => "delete a secret",
            Self::DeletePolicy { .. } => "delete a policy",
            Self::DeleteKeys { .. } => "delete deploy keys",
            Self::TransferProject { .. } => "transfer a project",
            Self::CreateGroup { .. } => "create a group",
            Self::CreateProject { .. } => "create a project",
            Self::PassRecoveryPeriod => "pass the recovery period",
        }
    }
}

impl World {
    /// Makes a change by hand; GitLab or Vault may refuse it.
    pub(crate) async fn change_manually(&self, change: &ManualChange) -> anyhow::Result<()> {
        let main = &self.main;
        match change {
            ManualChange::RenameProject { path, name } => {
                self.put_project(path, &json!({ "name": name, "path": name }))
                    .await
            }
            ManualChange::RenameGroup { path, name } => {
                self.put_group(path, &json!({ "name": name, "path": name }))
                    .await
            }
            ManualChange::DeleteProject { path } => {
                let path = format!("/projects/{}", self.encoded(path));
                main.api(Method::DELETE, &path, None).await.map(drop)
            }
            ManualChange::DeleteGroup { path } => {
                let path = format!("/groups/{}", self.encoded(path));
                main.api(Method::DELETE, &path, None).await.map(drop)
            }
            ManualChange::RestoreAll => self.restore_all().await,
            ManualChange::ArchiveProject { path } => {
                let path = format!("/projects/{}/archive", self.encoded(path));
                main.api(Method::POST, &path, None).await.map(drop)
            }
            ManualChange::UnarchiveProject { path } => {
                let path = format!("/projects/{}/unarchive", self.encoded(path));
                main.api(Method::POST, &path, None).await.map(drop)
            }
            ManualChange::DescribeProject { path, text } => {
                self.put_project(path, &json!({ "description": text }))
                    .await
            }
            ManualChange::DescribeGroup { path, text } => {
                self.put_group(path, &json!({ "description": text })).await
            }
            ManualChange::Commit { path, file } => {
                self.commit(path, "create", file, "by hand").await
            }
            ManualChange::Tag { path } => {
                let path = format!("/projects/{}/repository/tags", self.encoded(path));
                let body = json!({ "tag_name": "v1", "ref": "main" });
                main.api(Method::POST, &path, Some(&body)).await.map(drop)
            }
            ManualChange::DeleteManifest { product, file } => {
                let config = format!("{product}/{CONFIG}");
                self.commit(&config, "delete", file, "").await
            }
            ManualChange::EditManifest { product, file } => {
                self.edit_manifest(&format!("{product}/{CONFIG}"), file)
                    .await
            }
            ManualChange::DeleteSecret { path, secret } => {
                let number = self.project_number(path).await?;
                super::blocking(|| self.vault.delete_secret(number, secret))
            }
            ManualChange::DeletePolicy { path, secret } => {
                let number = self.project_number(path).await?;
                super::blocking(|| self.vault.delete_policy(number, secret))
            }
            ManualChange::DeleteKeys { path } => self.delete_keys(path).await,
            ManualChange::TransferProject { path, group } => {
                let path = format!("/projects/{}/transfer", self.encoded(path));
                let body = json!({ "namespace": self.full_path(group) });
                main.api(Method::PUT, &path, Some(&body)).await.map(drop)
            }
            ManualChange::CreateGroup { path } => {
                let group = main.create_group(path, self.parent).await?;
                main.create_project(CONFIG, group).await.map(drop)
            }
            ManualChange::CreateProject { path } => {
                let (group, name) = path.rsplit_once('/').unwrap_or(("legacy", path));
                let group = format!("/groups/{}", self.encoded(group));
                let group = main.api(Method::GET, &group, None).await?;
                let group = group.get("id").and_then(Value::as_u64).unwrap_or(0);
                main.create_project(name, group).await.map(drop)
            }
            ManualChange::PassRecoveryPeriod => {
                let period = Duration::from_secs(32 * 24 * 60 * 60);
                main.emulator.advance_clock(period);
                main.emulator
                    .seed(gitlab_emulator::domain::state::State::start_overdue_removals);
                Ok(())
            }
        }
    }

    async fn put_project(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let path = format!("/projects/{}", self.encoded(path));
        self.main
            .api(Method::PUT, &path, Some(body))
            .await
            .map(drop)
    }

    async fn put_group(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let path = format!("/groups/{}", self.encoded(path));
        self.main
            .api(Method::PUT, &path, Some(body))
            .await
            .map(drop)
    }

    async fn project_number(&self, path: &str) -> anyhow::Result<u64> {
        let path = format!("/projects/{}", self.encoded(path));
        let project = self.main.api(Method::GET, &path, None).await?;
        Ok(project.get("id").and_then(Value::as_u64).unwrap_or(0))
    }

    async fn commit(
        &self,
        project: &str,
        action: &str,
        file: &str,
        content: &str,
    ) -> anyhow::Result<()> {
        let path = format!("/projects/{}/repository/commits", self.encoded(project));
        let commit = json!({
            "branch": "main",
            "commit_message": "By hand",
            "actions": [{ "action": action, "file_path": file, "content": content }],
        });
        let commit = Some(&commit);
        self.main.api(Method::POST, &path, commit).await.map(drop)
    }

    /// Appends a comment, which changes the file but not its meaning.
    async fn edit_manifest(&self, config: &str, file: &str) -> anyhow::Result<()> {
        let project = self.encoded(config);
        let encoded = file.replace('/', "%2F");
        let path = format!("/projects/{project}/repository/files/{encoded}?ref=main");
        let read = self.main.api(Method::GET, &path, None).await?;
        let content = read.get("content").and_then(Value::as_str);
        let content = {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(content.unwrap_or_default())?
        };
        let content = format!("{}# by hand\n", String::from_utf8(content)?);
        self.commit(config, "update", file, &content).await
    }

    async fn delete_keys(&self, project: &str) -> anyhow::Result<()> {
        let keys = format!("/projects/{}/deploy_keys", self.encoded(project));
        let listed = self.main.api(Method::GET, &keys, None).await?;
        for key in listed.as_array().into_iter().flatten() {
            if let Some(number) = key.get("id").and_then(Value::as_u64) {
                let path = format!("{keys}/{number}");
                self.main.api(Method::DELETE, &path, None).await?;
            }
        }
        Ok(())
    }

    async fn restore_all(&self) -> anyhow::Result<()> {
        let marked = self.main.emulator.seed(|state, _| {
            let groups = state.namespaces.iter();
            let groups = groups
                .filter(|group| group.deletion.is_some())
                .map(|group| format!("/groups/{}/restore", group.id));
            let projects = state.projects.iter();
            let projects = projects
                .filter(|project| project.deletion.is_some())
                .map(|project| format!("/projects/{}/restore", project.id));
            groups.chain(projects).collect::<Vec<_>>()
        });
        for path in marked {
            // A path may have been taken meanwhile.
            let _ = self.main.api(Method::POST, &path, None).await;
        }
        Ok(())
    }
}
