//! The OpenBao that all worlds share, each with numbers of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testbed::{Error, OpenBao, OpenBaoProgram};

/// How many numbers a world has.
pub(crate) const RANGE: u64 = 100_000;

/// The policy that the documentation recommends.
const POLICY: &str = include_str!("../../../examples/provider/vault-policy.hcl");

const READ_ONLY: &str = r#"
path "git/*" {
  capabilities = ["read", "list"]
}
path "sys/policies/acl*" {
  capabilities = ["read", "list"]
}
"#;

/// What the provider may do in Vault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VaultRole {
    #[default]
    Root,
    Recommended,
    ReadOnly,
}

/// The shared server.
pub(crate) struct Vault {
    pub(crate) server: OpenBao,
    recommended: String,
    read_only: String,
}

/// The secrets and policies of a world.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct VaultView {
    /// Paths below the mount `git`, with the version and the custom metadata.
    pub(crate) secrets: BTreeMap<String, String>,
    /// Names with texts.
    pub(crate) policies: BTreeMap<String, String>,
}

impl Vault {
    /// Starts a server; blocks.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let server = OpenBao::start(OpenBaoProgram::obtain()?, folder)?;
        server.enable_kv("git")?;
        let day = Duration::from_secs(24 * 60 * 60);
        Ok(Self {
            recommended: server.token_with_policy(POLICY, day)?,
            read_only: server.token_with_policy(READ_ONLY, day)?,
            server,
        })
    }

    pub(crate) fn token(&self, role: VaultRole) -> &str {
        match role {
            VaultRole::Root => self.server.root_token(),
            VaultRole::Recommended => &self.recommended,
            VaultRole::ReadOnly => &self.read_only,
        }
    }

    /// Reads the secrets and policies of the repositories with numbers from `base`; blocks.
    pub(crate) fn view(&self, base: u64) -> anyhow::Result<VaultView> {
        let mut view = VaultView::default();
        for folder in self.list("git/metadata/gitlab")? {
            if repository(&folder).is_some_and(|number| is_in(base, number)) {
                self.read_folder(&format!("gitlab/{folder}"), &mut view)?;
            }
        }
        for policy in self.list("sys/policies/acl")? {
            if repository_of_policy(&policy).is_some_and(|number| is_in(base, number)) {
                let path = format!("sys/policies/acl/{policy}");
                let read = self.server.api(Method::GET, &path, None)?;
                let text = read.pointer("/data/policy").map(Value::to_string);
                view.policies.insert(policy, text.unwrap_or_default());
            }
        }
        Ok(view)
    }

    fn read_folder(&self, folder: &str, view: &mut VaultView) -> anyhow::Result<()> {
        for name in self.list(&format!("git/metadata/{}", folder.trim_end_matches('/')))? {
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            if name.ends_with('/') {
                self.read_folder(&path, view)?;
                continue;
            }
            let metadata = self
                .server
                .api(Method::GET, &format!("git/metadata/{path}"), None)?;
            let part = |pointer: &str| metadata.pointer(pointer).map(Value::to_string);
            let version = part("/data/current_version").unwrap_or_default();
            let deleted = part(&format!("/data/versions/{version}/deletion_time"));
            view.secrets.insert(
                path,
                format!("version {version} {}", deleted.unwrap_or_default()),
            );
        }
        Ok(())
    }

    fn list(&self, path: &str) -> anyhow::Result<Vec<String>> {
        let path = format!("{path}?list=true");
        let listed = match self.server.api(Method::GET, &path, None) {
            Ok(listed) => listed,
            Err(Error::Refused { status: 404, .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let keys = listed.pointer("/data/keys").and_then(Value::as_array);
        let keys = keys.into_iter().flatten().filter_map(Value::as_str);
        Ok(keys.map(str::to_owned).collect())
    }

    /// Writes the secrets and policies of a repository that another installation manages; blocks.
    pub(crate) fn add_foreign_secrets(&self, repository: u64) -> anyhow::Result<()> {
        for name in ["readonly", "readwrite"] {
            let path = format!("git/data/gitlab/repo-{repository}/default/{name}");
            let data = json!({ "data": {
                "deploykey": "foreign",
                "fingerprint": "foreign",
                "id": "1",
            } });
            self.server.api(Method::POST, &path, Some(&data))?;
            let policy = format!("sys/policies/acl/gitlab-repo-{repository}-default-{name}");
            let text = format!("path \"{path}\" {{ capabilities = [\"read\"] }}");
            let text = json!({ "policy": text });
            self.server.api(Method::PUT, &policy, Some(&text))?;
        }
        Ok(())
    }

    /// Deletes a secret of a repository for good; blocks.
    pub(crate) fn delete_secret(&self, repository: u64, name: &str) -> anyhow::Result<()> {
        let path = format!("git/metadata/gitlab/repo-{repository}/default/{name}");
        self.server.api(Method::DELETE, &path, None)?;
        Ok(())
    }

    /// Deletes a policy of a repository; blocks.
    pub(crate) fn delete_policy(&self, repository: u64, name: &str) -> anyhow::Result<()> {
        let path = format!("sys/policies/acl/gitlab-repo-{repository}-default-{name}");
        self.server.api(Method::DELETE, &path, None)?;
        Ok(())
    }
}

const fn is_in(base: u64, number: u64) -> bool {
    base <= number && number < base + RANGE
}

/// Returns the number in `gitlab/repo-12/default/readonly` or in `repo-12/`.
pub(crate) fn repository(path: &str) -> Option<u64> {
    let folder = path.trim_start_matches("gitlab/").split('/').next()?;
    folder.strip_prefix("repo-")?.parse().ok()
}

/// Returns the number in `gitlab-repo-12-default-readonly`.
pub(crate) fn repository_of_policy(name: &str) -> Option<u64> {
    let number = name.strip_prefix("gitlab-repo-")?.split('-').next()?;
    number.parse().ok()
}
