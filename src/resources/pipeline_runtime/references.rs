//! The code repositories that a runtime names, and what they are in GitLab.

use std::collections::BTreeMap;

use nautes_model::{ProductId, RepositoryId};
use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::{Operation, PrivateState};
use terraform_plugin::value::Path;

use super::model::PipelineRuntimeModel;
use crate::client::Client;
use crate::resources::references::ReferenceResolver;
use crate::runtime::pipeline::RepositoryFacts;

/// The key in private data.
const KEY: &str = "repositories";

/// What the references of a runtime to code repositories mean, by the texts that the user wrote.
///
/// It is kept beside the state: an unchanged text goes on meaning the same repository.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Meanings(BTreeMap<String, RepositoryId>);

impl Meanings {
    pub(super) fn load(private: &PrivateState) -> Self {
        private.get(KEY).unwrap_or_default()
    }

    pub(super) fn store(&self, operation: &mut Operation<Client>) -> Result<(), Diagnostics> {
        let stored = operation.private.set(KEY, self);
        stored.map_err(|error| Diagnostic::bug(error).into())
    }

    /// Resolves all references of a runtime; those that are kept are not looked up again.
    pub(super) async fn resolve(
        &self,
        references: ReferenceResolver<'_>,
        model: &PipelineRuntimeModel,
    ) -> Result<Self, Diagnostics> {
        let mut resolved = Self::default();
        for (path, text) in written(model) {
            let id = if let Some(kept) = self.0.get(text) {
                *kept
            } else {
                let found = references.code_repo("code_repo", text).await;
                found.map_err(|found| moved(found, &path))?
            };
            resolved.0.insert(text.to_owned(), id);
        }
        Ok(resolved)
    }

    /// Takes every reference of a runtime for one to a repository that does not exist, for checks of the rest.
    pub(super) fn placeholders(model: &PipelineRuntimeModel) -> Self {
        let written = written(model).into_iter();
        Self(
            written
                .map(|(_, text)| (text.to_owned(), RepositoryId::UNASSIGNED))
                .collect(),
        )
    }

    /// Notes what a text means.
    pub(super) fn insert(&mut self, text: &str, id: RepositoryId) {
        self.0.insert(text.to_owned(), id);
    }

    /// Returns what a text means; every text of the runtime was resolved.
    pub(super) fn get(&self, text: &str) -> Result<RepositoryId, Diagnostics> {
        let kept = self.0.get(text).copied().or_else(|| text.parse().ok());
        kept.ok_or_else(|| {
            let detail = format!("It is not known which code repository {text} is. Apply again.");
            Diagnostic::error("A code repository is not known", detail).into()
        })
    }

    /// Looks up what the repositories are in GitLab.
    pub(super) async fn facts(
        &self,
        client: &Client,
        product: ProductId,
        model: &PipelineRuntimeModel,
    ) -> Result<BTreeMap<RepositoryId, RepositoryFacts>, Diagnostics> {
        let facts = self.known_facts(client, product, model).await?;
        for (path, text) in written(model) {
            let id = self.get(text)?;
            if !facts.contains_key(&id) {
                let detail = format!(
                    "GitLab has no project of {id} in the group of {product}. Name a nautes_code_repo of the same product."
                );
                let error = Diagnostic::error("The code repository does not exist", detail);
                return Err(error.at(&path).into());
            }
        }
        Ok(facts)
    }

    /// Does the same, and leaves out the repositories that GitLab does not have.
    pub(super) async fn known_facts(
        &self,
        client: &Client,
        product: ProductId,
        model: &PipelineRuntimeModel,
    ) -> Result<BTreeMap<RepositoryId, RepositoryFacts>, Diagnostics> {
        let mut facts = BTreeMap::new();
        for (path, text) in written(model) {
            let id = self.get(text)?;
            if facts.contains_key(&id) {
                continue;
            }
            let project = client.code_repos()?.project(product, id).await;
            let project = project.map_err(|found| moved(found, &path))?;
            if let Some(project) = project.filter(|project| !project.is_marked_for_deletion()) {
                let found = RepositoryFacts {
                    name: project.path,
                    ssh_url: project.ssh_url_to_repo,
                };
                facts.insert(id, found);
            }
        }
        Ok(facts)
    }
}

/// The references of a runtime to code repositories, with their paths.
fn written(model: &PipelineRuntimeModel) -> Vec<(Path, &str)> {
    let source = (Path::to("pipeline_source"), model.pipeline_source.as_str());
    let events = model.event_sources.iter().filter_map(|(name, source)| {
        let path = Path::to("event_sources").key(name).attribute("gitlab");
        let gitlab = source.gitlab.as_ref()?;
        Some((path.attribute("code_repo"), gitlab.code_repo.as_str()))
    });
    let credentials = model.credentials.iter().flatten();
    let credentials = credentials.filter_map(|(name, credential)| {
        let path = Path::to("credentials").key(name).attribute("code_repo");
        Some((path, credential.code_repo.as_deref()?))
    });
    let additional = model.additional_resources.as_ref().and_then(|resources| {
        let path = Path::to("additional_resources").attribute("code_repo");
        Some((path, resources.code_repo.as_deref()?))
    });
    let all = [source].into_iter().chain(events).chain(credentials);
    all.chain(additional).collect()
}

/// Moves errors to the attribute of the reference.
pub(super) fn moved(found: Diagnostics, path: &Path) -> Diagnostics {
    found.into_iter().map(|found| found.at(path)).collect()
}
