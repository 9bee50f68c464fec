//! Looking at an existing code repository: for a refresh, an import or a data source.

use std::collections::BTreeSet;

use nautes_model::entity::Entity;
use nautes_model::layout::ManifestPath;
use nautes_model::reference::{ImportPath, ProductReference};
use nautes_model::{EntityKey, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;
use terraform_plugin::value::{Known, Tf};

use super::credentials::EnabledKeys;
use super::model::CodeRepoModel;
use super::{credentials, manifest};
use crate::backends::gitlab::Project;
use crate::config_repo::{Present, Reading, Repository, Written};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;
use crate::resources::manifest::place::{self, Place};
use crate::resources::manifest::reasons;
use crate::resources::unfinished;

/// A repository that exists.
pub(super) struct Found {
    pub(super) product: ProductId,
    pub(super) project: Project,
}

/// Finds a repository by its id, `repo-12`, or by product and name, `shop/checkout`; with the reference to its product.
pub(super) async fn find(
    client: &Client,
    text: &str,
) -> Result<Option<(String, Found)>, Diagnostics> {
    let (product, number_or_path) = if let Ok(id) = text.parse::<RepositoryId>() {
        (None, id.number().to_string())
    } else {
        let path: ImportPath = text.parse().map_err(|_| {
            let text = format!(
                "{text:?} does not name a product and a code repository. Write <product>/<name>, for example shop/checkout or product-12/checkout, or repo-<number of the GitLab project>."
            );
            Diagnostic::error("Invalid import id", text)
        })?;
        let reference = path.product.to_string();
        let id = client.products().id_of(client, &reference).await?;
        let Some(product) = client.products().look_up(client, id).await? else {
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
            return Err(error).attempted(format!("read the GitLab project {number_or_path}"));
        }
    };
    let of_group = ProductId::new(project.namespace.id);
    if client
        .products()
        .config_project(client, of_group)
        .await?
        .is_none()
    {
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

/// Where a manifest was verified last, and what followed from all manifests by then.
pub(super) struct Verified {
    pub(super) place: Place,
    pub(super) enabled: Option<EnabledKeys>,
}

impl Verified {
    /// What is kept; `None` after an import.
    pub(super) fn kept(private: &PrivateState) -> Option<Self> {
        Some(Self {
            place: Place::of(private)?,
            enabled: EnabledKeys::kept(private),
        })
    }

    /// Keeps it.
    pub(super) fn keep(&self, private: &mut PrivateState) -> Result<(), Diagnostics> {
        self.place.keep(private)?;
        match &self.enabled {
            Some(enabled) => enabled.keep(private),
            None => Ok(()),
        }
    }

    /// What holds after the manifest of a repository was written.
    pub(super) fn after(project: u64, written: Written, id: RepositoryId) -> Option<Self> {
        Some(Self {
            place: Place {
                project,
                verified: written.verified?,
            },
            enabled: EnabledKeys::of(written.snapshot.tree(), id),
        })
    }
}

/// Takes over what is found; returns where the manifest is verified now, unless it is as it was at `kept`.
pub(super) async fn absorb(
    client: &Client,
    state: &mut CodeRepoModel,
    found: &Found,
    kept: Option<&Verified>,
) -> Result<Option<Verified>, Diagnostics> {
    let Found { product, project } = found;
    let id = RepositoryId::new(project.id);
    state.absorb_project(project);
    state.namespace = Known(product.to_string());
    state.manifest_path = Known(ManifestPath::code_repo(id).as_str().to_owned());
    let mut drift = BTreeSet::new();
    if project.archived {
        drift.insert("the GitLab project is archived".to_owned());
    }
    if unfinished::is_marked(project.description.as_deref().unwrap_or_default()) {
        drift.insert("the GitLab project is marked as unfinished".to_owned());
    }
    let read = read_manifest(client, *product, id, kept).await?;
    let mut enabled = None;
    let mut verified = None;
    match read {
        None => {
            drift.insert("the manifest is missing".to_owned());
        }
        Some(ReadManifest { now, present }) => {
            if let Some(present) = present {
                if let Some(Entity::CodeRepo(entity)) = &present.entity {
                    drift.extend(manifest::absorb(client, state, *product, entity));
                }
                drift.extend(reasons(&present));
                verified = Some(now.place.clone());
            }
            enabled = now.enabled;
        }
    }
    drift.extend(credentials::inspect(client, state, id, enabled.as_ref()).await?);
    state.drift = if drift.is_empty() {
        Tf::Null
    } else {
        Known(drift)
    };
    Ok(verified.map(|place| Verified { place, enabled }))
}

/// A manifest that is there.
struct ReadManifest {
    now: Verified,
    /// What was read; `None` if nothing has changed since it was verified.
    present: Option<Present>,
}

async fn read_manifest(
    client: &Client,
    product: ProductId,
    id: RepositoryId,
    kept: Option<&Verified>,
) -> Result<Option<ReadManifest>, Diagnostics> {
    let key = EntityKey::new(Kind::CodeRepo, id.into());
    let attempt = format!("read the {key}");
    let read = |project, repository: Repository| {
        let kept = kept.filter(|kept| kept.place.project == project);
        let key = &key;
        async move {
            let reading = repository
                .read(key, kept.map(|kept| &kept.place.verified))
                .await?;
            let (place, enabled, present) = match (reading, kept) {
                (Reading::Absent, _) | (Reading::Unchanged, None) => return Ok(None),
                (Reading::Unchanged, Some(kept)) => {
                    (kept.place.clone(), kept.enabled.clone(), None)
                }
                (Reading::Present(present), _) => {
                    let verified = present.verified.clone();
                    (Place { project, verified }, None, Some(*present))
                }
            };
            let enabled = match enabled {
                Some(enabled) => Some(enabled),
                None => EnabledKeys::of(repository.snapshot().await?.tree(), id),
            };
            let now = Verified { place, enabled };
            Ok(Some(ReadManifest { now, present }))
        }
    };
    let found = place::read_in(client, product, &attempt, read).await?;
    Ok(found.flatten())
}
