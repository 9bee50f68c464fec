//! Looking at an existing code repository: for a refresh, an import or a data source.

use std::collections::BTreeSet;
use std::sync::Arc;

use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::Entity;
use nautes_model::layout::ManifestPath;
use nautes_model::name::NameRule;
use nautes_model::reference::{ImportPath, ProductReference, ReferenceError};
use nautes_model::{EntityKey, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;
use terraform_plugin::value::Known;

use super::model::CodeRepoModel;
use super::{credentials, gitlab_project, manifest};
use crate::backends::gitlab::Project;
use crate::client::Client;
use crate::config_repo::Present;
use crate::credentials::{KeyDigest, Owner};
use crate::diagnostics::Context as _;
use crate::error_chain::error_chain;
use crate::resources::attribute::{check_product_path, drift_attribute, invalid_import_id};
use crate::resources::home::{Found as FoundManifest, Home, ManifestLocation, Saved, drift_of};
use crate::resources::unfinished;

/// The key of the digest of the enabled keys in private state.
const KEYS: &str = "enabled_keys_v2";

/// The key of the provider name in private state.
const PROVIDER: &str = "code_repo_provider";

/// Where earlier versions stored the titles of those keys.
const FORMER_KEYS: &str = "enabled_keys";

/// A repository that exists.
pub(super) struct Found {
    pub(super) product: ProductId,
    pub(super) project: Project,
}

fn parse_import_id(text: &str) -> Result<ImportPath, Diagnostics> {
    let forms = "<product>/<name>, such as shop/checkout or product-12/checkout, or repo-<numeric ID of the GitLab project>";
    let invalid = |reason: String| invalid_import_id(Kind::CodeRepo, text, &reason, forms);
    let names_neither = || "it names no product and repository".to_owned();
    let path: ImportPath = text.parse().map_err(|error| match error {
        ReferenceError::Empty => invalid(names_neither()),
        error => invalid(error_chain(&error)),
    })?;
    check_product_path(&path.product.to_string()).map_err(invalid)?;
    let name = NameRule::CodeRepo.check(&path.name);
    name.map_err(|error| invalid(error.to_string()))?;
    Ok(path)
}

/// Finds a repository by its id, `repo-12`, or by product and name, `shop/checkout`; with the reference to its product.
pub(super) async fn find(
    client: &Client,
    text: &str,
) -> Result<Option<(String, Found)>, Diagnostics> {
    let (product, number_or_path) = if let Ok(id) = text.parse::<RepositoryId>() {
        (None, id.number().to_string())
    } else {
        let path = parse_import_id(text)?;
        let reference = path.product.to_string();
        let products = client.products()?;
        let id = products.resolve(&reference).await?;
        let Some(product) = products.get(id).await? else {
            return Ok(None);
        };
        let path = format!("{}/{}", product.group.full_path, path.name);
        (Some((reference, id)), path)
    };
    let gitlab = client.gitlab()?;
    let project = match number_or_path.parse::<u64>() {
        Ok(number) => gitlab.project(number).await,
        Err(_) => gitlab.project(number_or_path.as_str()).await,
    };
    let project = match project {
        Ok(project) if project.is_marked_for_deletion() => return Ok(None),
        Ok(project) => project,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => {
            let attempt = format!("read the GitLab project {number_or_path}");
            return Err(error).context(attempt);
        }
    };
    gitlab_project::refuse_config_repository(&project)?;
    let of_group = ProductId::new(project.namespace.id);
    if client.products()?.config_project(of_group).await?.is_none() {
        let text = format!(
            "The group of the GitLab project {} has no configuration repository, so that it is no product of Nautes.",
            project.path_with_namespace
        );
        let summary = "The repository belongs to no product";
        return Err(Diagnostic::error(summary, text).into());
    }
    let reference = match product {
        Some((_, id)) if id != of_group => return Ok(None),
        Some((reference, _)) => reference,
        None => ProductReference::Id(of_group).to_string(),
    };
    let found = Found {
        product: of_group,
        project,
    };
    Ok(Some((reference, found)))
}

/// Where the manifest was last verified, and which deploy keys were to be enabled by then.
pub(super) struct Verified {
    pub(super) location: ManifestLocation,
    /// `None` if that is unknown, as in the state of an older version.
    pub(super) keys: Option<KeyDigest>,
    /// The `codeRepoProvider` that the manifest has by then; `None` if that is unknown.
    pub(super) provider: Option<String>,
}

impl Verified {
    /// Loads it from private state; `None` after an import.
    pub(super) fn load(private: &PrivateState) -> Option<Self> {
        Some(Self {
            location: ManifestLocation::load(private)?,
            keys: private.get(KEYS),
            provider: private.get(PROVIDER),
        })
    }

    /// Whether the manifest names the provider's `code_repo_provider`, as far as that is known.
    pub(super) fn names_provider(&self, client: &Client) -> bool {
        let provider = self.provider.as_ref();
        provider.is_none_or(|provider| *provider == client.settings().code_repo_provider)
    }

    /// Stores it in private state.
    pub(super) fn store(&self, private: &mut PrivateState) -> Result<(), Diagnostics> {
        self.location.store(private)?;
        private.remove(FORMER_KEYS);
        if let Some(provider) = &self.provider {
            let stored = private.set(PROVIDER, provider);
            stored.map_err(|error| Diagnostics::from(Diagnostic::bug(error)))?;
        }
        let Some(keys) = &self.keys else {
            private.remove(KEYS);
            return Ok(());
        };
        private
            .set(KEYS, keys)
            .map_err(|error| Diagnostic::bug(error).into())
    }

    /// What holds after the manifest of a repository was saved.
    pub(super) fn new(saved: &Saved, id: RepositoryId, provider: &str) -> Self {
        let enabled = saved.snapshot.enabled_keys().get(&id);
        Self {
            location: saved.location.clone(),
            keys: enabled.map(|keys| digest(keys.as_ref())),
            provider: Some(provider.to_owned()),
        }
    }
}

fn digest(keys: &BTreeSet<DeployKey>) -> KeyDigest {
    KeyDigest::new(keys.iter().copied())
}

/// Takes over what is found. Returns where the manifest is verified now, unless it is unchanged
/// since `kept`.
pub(super) async fn update_from(
    client: &Client,
    state: &mut CodeRepoModel,
    found: &Found,
    kept: Option<&Verified>,
) -> Result<Option<Verified>, Diagnostics> {
    let Found { product, project } = found;
    let id = RepositoryId::new(project.id);
    let path = match state.common.manifest_path.known() {
        Some(known) => known.clone(),
        None => ManifestPath::code_repo(id).as_str().to_owned(),
    };
    state.update_from_project(project);
    state.fill_computed(*product, path);
    let mut drift = BTreeSet::new();
    if project.archived {
        drift.insert(gitlab_project::ARCHIVED.to_owned());
    }
    if unfinished::is_marked(project.description.as_deref().unwrap_or_default()) {
        drift.insert("the GitLab project is marked as unfinished".to_owned());
    }
    if unfinished::is_destroying(project.description.as_deref().unwrap_or_default()) {
        drift.insert("the GitLab project is marked as being destroyed".to_owned());
    }
    let listed = credentials::listed_keys(client, id, &state.name).await?;
    let mut enabled = None;
    let mut verified = None;
    match read_manifest(client, *product, id, kept, listed).await? {
        None => {
            drift.insert("the manifest is missing".to_owned());
        }
        Some(read) => {
            enabled = read.enabled;
            if let Some(present) = read.present {
                let mut provider = kept.and_then(|kept| kept.provider.clone());
                if let Some(Entity::CodeRepo(entity)) = &present.entity {
                    provider = Some(entity.code_repo_provider.clone());
                    drift.extend(manifest::update_from(client, state, *product, entity));
                }
                drift.extend(drift_of(&present));
                state.common.manifest_path = Known(present.path);
                verified = Some(Verified {
                    location: read.location,
                    keys: enabled.as_deref().map(digest),
                    provider,
                });
            }
        }
    }
    drift.extend(credentials::inspect(client, state, project, enabled.as_deref()).await?);
    state.common.drift = drift_attribute(drift);
    Ok(verified)
}

/// How the drift begins of a repository whose GitLab project was deleted by hand.
const DELETED: &str = "the GitLab project was deleted";

/// Whether the last refresh found that the GitLab project was deleted, so that only a replacement
/// repairs the repository.
pub(super) fn is_deleted(state: &CodeRepoModel) -> bool {
    let mut drift = state.common.drift.known().into_iter().flatten();
    drift.any(|found| found.starts_with(DELETED))
}

/// Reads a repository whose GitLab project is gone. It stays in the state as long as something is
/// left that was made for it, so that a destroy or a replacement removes that too.
pub(super) async fn read_deleted(
    client: &Client,
    mut state: CodeRepoModel,
    product: ProductId,
    id: RepositoryId,
) -> Result<Option<CodeRepoModel>, Diagnostics> {
    let key = EntityKey::new(Kind::CodeRepo, id.into());
    let attempt = format!("read the {key}");
    let found = Home::product(client, product).read(&key, &attempt).await?;
    let owner = Owner {
        repository: id,
        created_at: state.created_at.known().cloned(),
    };
    let has_secrets = credentials::has_secrets(client, owner, &state.name).await?;
    let left = match (!matches!(found, FoundManifest::Absent), has_secrets) {
        (false, false) => return Ok(None),
        (true, false) => "its manifest is left",
        (false, true) => "its secrets in Vault are left",
        (true, true) => "its manifest and its secrets in Vault are left",
    };
    let drift = format!(
        "{DELETED}, and {left}; where prevent_destroy forbids the replacement, use terraform state rm"
    );
    state.common.drift = drift_attribute([drift]);
    Ok(Some(state))
}

/// A manifest that is there.
struct ReadManifest {
    location: ManifestLocation,
    /// What was read; `None` if nothing has changed since it was verified.
    present: Option<Box<Present>>,
    /// The keys that are to be enabled on the repository.
    enabled: Option<Arc<BTreeSet<DeployKey>>>,
}

async fn read_manifest(
    client: &Client,
    product: ProductId,
    id: RepositoryId,
    kept: Option<&Verified>,
    listed: Vec<DeployKey>,
) -> Result<Option<ReadManifest>, Diagnostics> {
    let key = EntityKey::new(Kind::CodeRepo, id.into());
    let attempt = format!("read the {key}");
    let home = Home::product(client, product).at(kept.map(|kept| kept.location.clone()));
    let (location, present) = match (home.read(&key, &attempt).await?, kept) {
        (FoundManifest::Absent, _) | (FoundManifest::Unchanged, None) => return Ok(None),
        (FoundManifest::Unchanged, Some(kept)) => (kept.location.clone(), None),
        (FoundManifest::Present(present, location), _) => (location, Some(present)),
    };
    let listed_digest = KeyDigest::new(listed.iter().copied());
    let kept_digest = kept.and_then(|kept| kept.keys.as_ref());
    let enabled = if present.is_none() && kept_digest == Some(&listed_digest) {
        // GitLab lists what was to be enabled when the manifests were as they are now.
        Some(Arc::new(listed.into_iter().collect()))
    } else {
        let snapshot = home.snapshot(&attempt).await?;
        snapshot.and_then(|snapshot| snapshot.enabled_keys().get(&id).cloned())
    };
    Ok(Some(ReadManifest {
        location,
        present,
        enabled,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    fn values(private: &PrivateState) -> BTreeMap<&'static str, Value> {
        let keys = ["manifest", KEYS, PROVIDER, FORMER_KEYS].into_iter();
        keys.filter_map(|key| Some((key, private.get(key)?)))
            .collect()
    }

    #[test]
    fn titles_that_an_earlier_version_stored_count_as_unknown_and_are_dropped() {
        let location = json!({ "project": 3, "commit": "c".repeat(40), "blob_id": "b".repeat(40) });
        let mut private = PrivateState::default();
        private.set("manifest", &location).unwrap();
        private
            .set(FORMER_KEYS, &["repo-7-readonly", "repo-7-readwrite"])
            .unwrap();
        let mut verified = Verified::load(&private).unwrap();
        assert_eq!(verified.keys, None);

        let enabled = DeployKey::both(RepositoryId::new(7)).into();
        verified.keys = Some(digest(&enabled));
        verified.store(&mut private).unwrap();
        let kept = values(&private);
        assert_eq!(
            kept,
            [("manifest", location), (KEYS, json!("cc9a12d6b6facd9d"))].into()
        );
        assert_eq!(Verified::load(&private).unwrap().keys, verified.keys);
    }
}
