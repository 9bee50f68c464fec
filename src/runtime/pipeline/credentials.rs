//! What pipelines may use: Secrets that External Secrets copies from Vault, and their links to the service account.
//!
//! Every key is that of the repository with the pipelines; a binding lets it into other repositories.

use std::collections::{BTreeMap, BTreeSet};

use kubernetes_apply::object::{Object, ObjectError};
use nautes_model::entity::Permissions;
use nautes_model::vault::{ACCESS_TOKEN, DEPLOY_KEY, GIT_MOUNT, GitSecret, SecretPath};
use serde_json::{Value, json};

use super::init_run::report_entry;
use super::inputs::PipelineInputs;
use crate::runtime::external_secret::{
    ExternalSecret, RemoteValue, SecretStore, SecretTemplate, VaultAccess,
};
use crate::runtime::names;

/// The entry with the key that may clone the repository of the pipelines. Every runtime has it.
pub(crate) const SOURCE_ENTRY: &str = "source";

/// How the names of entries begin that the provider adds.
pub(crate) const REPORT_PREFIX: &str = "report-repo-";

const SSH_AUTH: &str = "kubernetes.io/ssh-auth";
const DOCKER_CONFIG: &str = "kubernetes.io/dockerconfigjson";

/// The host keys of GitLab, and the credentials of a runtime.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// In the format of `known_hosts`.
    pub(crate) known_hosts: String,
    pub(crate) entries: BTreeMap<String, Credential>,
}

/// A credential that pipelines may use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Credential {
    /// The deploy key of the pipelines' repository, for the repository at this SSH URL.
    DeployKey {
        ssh_url: String,
        permissions: Permissions,
    },
    /// A value of a secret in Vault.
    Vault {
        mount: String,
        path: String,
        key: String,
        kind: VaultKind,
    },
}

/// What a value in Vault is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum VaultKind {
    /// A configuration of docker with the logins to registries.
    DockerConfig,
    /// Anything.
    Opaque,
}

impl Credentials {
    /// Returns the stores and the secrets.
    pub(crate) fn objects(
        &self,
        inputs: &PipelineInputs<'_>,
        vault: &VaultAccess,
    ) -> Result<Vec<Object>, ObjectError> {
        let runtime = inputs.runtime;
        let account = runtime.effective_account();
        let namespace = runtime.effective_namespace();
        let role = names::account_role(runtime.product, account);
        let entries = self.all_entries(inputs);
        let mounts: BTreeSet<&str> = entries.values().map(|entry| entry.mount.as_str()).collect();
        let mut objects = Vec::new();
        for mount in mounts {
            let store = SecretStore {
                vault,
                namespace,
                name: &store_name(account, mount),
                mount,
                role: &role,
                service_account: account,
            };
            objects.push(store.object()?);
        }
        for (entry, secret) in &entries {
            let secret = ExternalSecret {
                namespace,
                name: &inputs.names().credential(entry),
                store: &store_name(account, &secret.mount),
                values: vec![RemoteValue {
                    name: "value",
                    path: &secret.path,
                    field: Some(&secret.field),
                }],
                template: SecretTemplate {
                    secret_type: secret.secret_type,
                    labels: BTreeMap::new(),
                    annotations: secret.annotations.clone(),
                    data: secret
                        .data
                        .iter()
                        .map(|(key, text)| (key.as_str(), text.clone()))
                        .collect(),
                },
            };
            objects.push(secret.object()?);
        }
        Ok(objects)
    }

    /// Returns the policies of Vault that the runtime's role needs.
    pub(crate) fn policies(&self, inputs: &PipelineInputs<'_>) -> BTreeSet<String> {
        let entries = self.all_entries(inputs);
        let git = entries.values().filter(|secret| secret.mount == GIT_MOUNT);
        let git = git.map(|secret| secret.path.replace('/', "-"));
        let own = self.vault_policies(inputs).into_keys();
        git.chain(own).collect()
    }

    /// Returns the policies that the runtime has for itself, with their texts.
    pub(crate) fn vault_policies(&self, inputs: &PipelineInputs<'_>) -> BTreeMap<String, String> {
        let entries = self.entries.iter();
        let policies = entries.filter_map(|(entry, credential)| match credential {
            Credential::Vault { mount, path, .. } => {
                // Neither name can have this character, so no two pairs make one name.
                let name = format!("{}_{entry}", inputs.names().uid());
                let text =
                    format!("path \"{mount}/data/{path}\" {{\n  capabilities = [\"read\"]\n}}\n");
                Some((name, text))
            }
            Credential::DeployKey { .. } => None,
        });
        policies.collect()
    }

    /// Returns the names of the Secrets by their entries.
    pub(crate) fn secrets(&self, inputs: &PipelineInputs<'_>) -> BTreeMap<String, String> {
        let entries = self.entries.keys().map(String::as_str);
        let entries = entries.chain([SOURCE_ENTRY]);
        entries
            .map(|entry| (entry.to_owned(), inputs.names().credential(entry)))
            .collect()
    }

    /// Returns the service account with its links to the Secrets that Tekton uses.
    ///
    /// Kubernetes reads only `imagePullSecrets`, which is one value for server-side apply and not part of it; see
    /// [`Self::image_pull_secrets`].
    pub(crate) fn account_links(&self, inputs: &PipelineInputs<'_>) -> Result<Object, ObjectError> {
        let entries = self.all_entries(inputs);
        let linked = entries
            .iter()
            .filter(|(_, secret)| secret.secret_type.is_some());
        let linked: Vec<Value> = linked
            .map(|(entry, _)| json!({ "name": inputs.names().credential(entry) }))
            .collect();
        Object::new(json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": inputs.runtime.effective_account(),
                "namespace": inputs.runtime.effective_namespace(),
            },
            "secrets": linked,
        }))
    }

    /// Returns the Secrets with logins to registries.
    pub(crate) fn image_pull_secrets(&self, inputs: &PipelineInputs<'_>) -> BTreeSet<String> {
        let entries = self.entries.iter();
        let configs = entries.filter(|(_, credential)| {
            matches!(
                credential,
                Credential::Vault {
                    kind: VaultKind::DockerConfig,
                    ..
                }
            )
        });
        configs
            .map(|(entry, _)| inputs.names().credential(entry))
            .collect()
    }

    fn all_entries(&self, inputs: &PipelineInputs<'_>) -> BTreeMap<String, CopiedSecret> {
        let mut all: BTreeMap<String, CopiedSecret> = self
            .entries
            .iter()
            .map(|(entry, credential)| (entry.clone(), self.copied(inputs, credential)))
            .collect();
        let source = inputs.repositories.get(&inputs.runtime.pipeline_source);
        let ssh_url = source.map_or("", |source| source.ssh_url.as_str());
        let source = self.deploy_key(inputs, Permissions::ReadOnly, host(ssh_url));
        all.insert(SOURCE_ENTRY.to_owned(), source);
        if inputs.report_status {
            for repository in inputs.event_repositories() {
                let path = SecretPath::for_repository(repository, GitSecret::AccessToken);
                let report = CopiedSecret {
                    mount: path.mount().to_owned(),
                    path: path.path().to_owned(),
                    field: ACCESS_TOKEN.to_owned(),
                    secret_type: None,
                    annotations: BTreeMap::new(),
                    data: BTreeMap::from([("token".to_owned(), VALUE.to_owned())]),
                };
                all.insert(report_entry(repository), report);
            }
        }
        all
    }

    fn copied(&self, inputs: &PipelineInputs<'_>, credential: &Credential) -> CopiedSecret {
        match credential {
            Credential::DeployKey {
                ssh_url,
                permissions,
            } => self.deploy_key(inputs, *permissions, repository(ssh_url)),
            Credential::Vault {
                mount,
                path,
                key,
                kind,
            } => CopiedSecret {
                mount: mount.clone(),
                path: path.clone(),
                field: key.clone(),
                secret_type: match kind {
                    VaultKind::DockerConfig => Some(DOCKER_CONFIG),
                    VaultKind::Opaque => None,
                },
                annotations: BTreeMap::new(),
                data: match kind {
                    VaultKind::DockerConfig => {
                        BTreeMap::from([(".dockerconfigjson".to_owned(), VALUE.to_owned())])
                    }
                    VaultKind::Opaque => BTreeMap::from([(key.clone(), VALUE.to_owned())]),
                },
            },
        }
    }

    /// `place` is where the key is used: a host, or a repository. With a host alone, the server takes the first of
    /// several keys that it knows, so only one that may clone is used for a whole host.
    fn deploy_key(
        &self,
        inputs: &PipelineInputs<'_>,
        permissions: Permissions,
        place: String,
    ) -> CopiedSecret {
        let source = inputs.runtime.pipeline_source;
        let path = SecretPath::for_repository(source, permissions.into());
        CopiedSecret {
            mount: path.mount().to_owned(),
            path: path.path().to_owned(),
            field: DEPLOY_KEY.to_owned(),
            secret_type: Some(SSH_AUTH),
            annotations: BTreeMap::from([("tekton.dev/git-0", place)]),
            data: BTreeMap::from([
                ("ssh-privatekey".to_owned(), VALUE.to_owned()),
                ("id_ecdsa".to_owned(), VALUE.to_owned()),
                ("known_hosts".to_owned(), self.known_hosts.clone()),
            ]),
        }
    }
}

/// The longest name of a store.
const STORE_LENGTH: usize = 253;

/// The value from Vault in a template.
const VALUE: &str = "{{ .value }}";

/// A Secret that is copied from Vault.
struct CopiedSecret {
    mount: String,
    path: String,
    field: String,
    secret_type: Option<&'static str>,
    annotations: BTreeMap<&'static str, String>,
    data: BTreeMap<String, String>,
}

/// The name of the store of a mount.
fn store_name(account: &str, mount: &str) -> String {
    let store = format!("nautes-{account}");
    if mount == GIT_MOUNT {
        return store;
    }
    let name = format!("{store}-{}", mount.replace('/', "-"));
    let is_label = mount
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_label {
        return names::shorten(&name, STORE_LENGTH);
    }
    let hash = crate::components::Sha256::compute(mount.as_bytes()).to_string();
    let hash: String = hash.chars().take(8).collect();
    format!("{store}-{hash}")
}

/// Returns host and port, and the path of the repository, of an SSH URL in either spelling.
fn parts(ssh_url: &str) -> (String, String) {
    let without_user = |text: &str| {
        text.rsplit_once('@')
            .map_or(text, |(_, rest)| rest)
            .to_owned()
    };
    let (host, path) = match ssh_url.strip_prefix("ssh://") {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => ssh_url.split_once(':').unwrap_or((ssh_url, "")),
    };
    let path = path.trim_start_matches('/');
    (
        without_user(host),
        path.strip_suffix(".git").unwrap_or(path).to_owned(),
    )
}

fn host(ssh_url: &str) -> String {
    parts(ssh_url).0
}

fn repository(ssh_url: &str) -> String {
    let (host, path) = parts(ssh_url);
    format!("{host}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_an_ssh_url_name_host_and_repository() {
        for (url, expected) in [
            (
                "git@gitlab.example.com:demo/shop.git",
                "gitlab.example.com/demo/shop",
            ),
            (
                "ssh://git@gitlab.example.com:2222/demo/shop.git",
                "gitlab.example.com:2222/demo/shop",
            ),
        ] {
            assert_eq!(repository(url), expected);
        }
        assert_eq!(
            host("git@gitlab.example.com:demo/shop.git"),
            "gitlab.example.com"
        );
    }

    #[test]
    fn a_store_has_the_name_of_its_account_and_of_its_mount() {
        assert_eq!(store_name("ci", "git"), "nautes-ci");
        assert_eq!(store_name("ci", "kv"), "nautes-ci-kv");
        let odd = store_name("ci", "Team/KV");
        assert!(odd.starts_with("nautes-ci-") && odd.len() == 18, "{odd}");
    }
}
