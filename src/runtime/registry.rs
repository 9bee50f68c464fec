//! The registry: a `ConfigMap` for each product in a cluster that records what each runtime contributes to what they
//! share.
//!
//! Each runtime applies its own key under a field manager of its own, so that writers lose nothing of each other. A key
//! is written before the first object of the runtime is created and removed after the last one is deleted: it names at
//! least what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kubernetes_apply::object::{Object, ObjectError};
use kubernetes_apply::ownership::{FieldManager, InvalidOwner};
use nautes_model::{EntityName, ProductId, RepositoryId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::names;
use crate::clusters::{NAMESPACE, PRODUCT_LABEL};

/// The longest name of a field manager.
const MANAGER_LENGTH: usize = 128;

/// The version of the format of an entry.
const VERSION: u8 = 1;

/// The kind of a runtime.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum RuntimeKind {
    Deployment,
    Pipeline,
}

/// A runtime of a product.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct RuntimeKey {
    pub(crate) product: ProductId,
    pub(crate) kind: RuntimeKind,
    pub(crate) name: EntityName,
}

/// What a runtime contributes to what the runtimes of its product share in a cluster.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct Contribution {
    /// The namespaces in which it has something.
    pub(crate) spaces: BTreeSet<String>,
    /// Its service account, in each of these namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    /// The Vault policies of the account.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) vault: BTreeSet<String>,
    /// The repositories that Argo CD reads for it, by the URLs that its Applications have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) repos: BTreeMap<RepositoryId, String>,
    /// Its Applications.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) apps: BTreeSet<String>,
    /// The repositories with a hook to Argo CD.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) push: BTreeSet<RepositoryId>,
}

/// How far a runtime is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    /// Its creation has begun and not ended.
    Creating,
    #[default]
    Complete,
    /// Its deletion has begun.
    Deleting,
}

/// What the registry records of a runtime.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Entry {
    /// The version of this format.
    v: u8,
    #[serde(default, skip_serializing_if = "is_complete")]
    pub(crate) progress: Progress,
    /// What it contributes from now on.
    #[serde(flatten)]
    pub(crate) current: Contribution,
    /// What it contributed before and still needs, until it works without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) previous: Vec<Contribution>,
    /// What it contributed before and is being removed, unless other runtimes need it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) removing: Vec<Contribution>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_complete(progress: &Progress) -> bool {
    *progress == Progress::Complete
}

/// The runtimes of a product in a cluster.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Registry {
    pub(crate) entries: BTreeMap<(RuntimeKind, EntityName), Entry>,
}

/// An entry cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the key {key} of the ConfigMap {NAMESPACE}/{config_map} cannot be read: {reason}")]
pub(crate) struct RegistryError {
    pub(crate) config_map: String,
    pub(crate) key: String,
    pub(crate) reason: String,
}

impl RuntimeKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Pipeline => "pipeline",
        }
    }
}

impl fmt::Display for RuntimeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            product,
            kind,
            name,
        } = self;
        write!(f, "{}/{product}/{name}", kind.as_str())
    }
}

impl RuntimeKey {
    /// Returns the field manager of the runtime's key.
    pub(crate) fn field_manager(&self) -> Result<FieldManager, InvalidOwner> {
        FieldManager::new(&names::shorten(
            &format!("tf-nautes/{self}"),
            MANAGER_LENGTH,
        ))
    }

    /// Returns the `ConfigMap` with the entry alone, as the field manager of the runtime applies it; with `None` the
    /// entry goes.
    pub(crate) fn config_map(&self, entry: Option<&Entry>) -> Result<Object, ObjectError> {
        let mut data = BTreeMap::new();
        if let Some(entry) = entry {
            let key = format!("{}.{}", self.kind.as_str(), self.name);
            data.insert(key, json!(entry).to_string());
        }
        Object::new(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "namespace": NAMESPACE,
                "name": names::registry(self.product),
                "labels": { PRODUCT_LABEL: self.product.to_string() },
            },
            "data": data,
        }))
    }

    fn position(&self) -> (RuntimeKind, EntityName) {
        (self.kind, self.name.clone())
    }
}

impl Entry {
    /// Returns the entry of a runtime that has nothing but this.
    pub(crate) fn new(progress: Progress, current: Contribution) -> Self {
        Self {
            v: VERSION,
            progress,
            current,
            previous: Vec::new(),
            removing: Vec::new(),
        }
    }

    /// Returns the entry of a runtime that contributes something else from now on, and still needs what it has.
    #[must_use]
    pub(crate) fn changed(self, progress: Progress, current: Contribution) -> Self {
        let previous = [self.current].into_iter().chain(self.previous);
        Self {
            previous: distinct(previous, &current),
            removing: distinct(self.removing, &current),
            ..Self::new(progress, current)
        }
    }

    /// Returns the entry of a runtime that works without what it contributed before.
    #[must_use]
    pub(crate) fn settled(self, progress: Progress) -> Self {
        let former = self.previous.into_iter().chain(self.removing);
        Self {
            removing: distinct(former, &self.current),
            ..Self::new(progress, self.current)
        }
    }

    /// Whether nothing of what it contributed before is left.
    pub(crate) fn is_settled(&self) -> bool {
        self.previous.is_empty() && self.removing.is_empty()
    }

    /// Returns what the runtime needs.
    pub(crate) fn needed(&self) -> impl Iterator<Item = &Contribution> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// Returns what contributions hold besides the current one, each once.
fn distinct(
    contributions: impl IntoIterator<Item = Contribution>,
    current: &Contribution,
) -> Vec<Contribution> {
    let mut kept: Vec<Contribution> = Vec::new();
    for contribution in contributions {
        let is_new = contribution != *current && contribution != Contribution::default();
        if is_new && !kept.contains(&contribution) {
            kept.push(contribution);
        }
    }
    kept
}

impl Registry {
    /// Reads a `ConfigMap`. An entry that cannot be read is an error: what it contributes would be taken away.
    pub(crate) fn parse(config_map: &Object) -> Result<Self, RegistryError> {
        let mut entries = BTreeMap::new();
        let data = config_map.get("/data").and_then(|data| data.as_object());
        for (key, value) in data.into_iter().flatten() {
            let failed = |reason: String| RegistryError {
                config_map: config_map.reference().name.clone(),
                key: key.clone(),
                reason,
            };
            let (kind, name) = match key.split_once('.') {
                Some(("deployment", name)) => (RuntimeKind::Deployment, name),
                Some(("pipeline", name)) => (RuntimeKind::Pipeline, name),
                _ => return Err(failed("it names no kind of runtime".to_owned())),
            };
            let name = EntityName::new(name).map_err(|error| failed(error.to_string()))?;
            let text = value.as_str().unwrap_or_default();
            let entry: Entry =
                serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
            if entry.v != VERSION {
                return Err(failed(
                    "another version of the provider wrote it".to_owned(),
                ));
            }
            entries.insert((kind, name), entry);
        }
        Ok(Self { entries })
    }

    /// Returns the entry of a runtime.
    pub(crate) fn get(&self, runtime: &RuntimeKey) -> Option<&Entry> {
        self.entries.get(&runtime.position())
    }

    /// Returns the registry with another entry of a runtime; with `None` without it.
    #[must_use]
    pub(crate) fn with(&self, runtime: &RuntimeKey, entry: Option<Entry>) -> Self {
        let mut changed = self.clone();
        match entry {
            Some(entry) => changed.entries.insert(runtime.position(), entry),
            None => changed.entries.remove(&runtime.position()),
        };
        changed
    }

    /// Whether no runtime is recorded.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns what the runtimes need.
    pub(crate) fn needed(&self) -> impl Iterator<Item = &Contribution> {
        self.entries.values().flat_map(Entry::needed)
    }

    /// Returns the registry in which what is being removed is needed, which tells all that may be there.
    #[must_use]
    pub(crate) fn with_all_needed(&self) -> Self {
        let mut all = self.clone();
        for entry in all.entries.values_mut() {
            entry.previous.append(&mut entry.removing);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(name: &str) -> RuntimeKey {
        RuntimeKey {
            product: ProductId::new(42),
            kind: RuntimeKind::Deployment,
            name: EntityName::new(name).unwrap(),
        }
    }

    fn contribution(space: &str) -> Contribution {
        Contribution {
            spaces: BTreeSet::from([space.to_owned()]),
            account: Some("shop".to_owned()),
            repos: BTreeMap::from([(RepositoryId::new(7), "ssh://git@host/shop.git".to_owned())]),
            ..Contribution::default()
        }
    }

    #[test]
    fn an_entry_comes_back_as_it_was_written_and_holds_no_time() {
        let key = runtime("web.v2");
        let entry = Entry::new(Progress::Complete, contribution("b"))
            .changed(Progress::Creating, contribution("a"));
        assert_eq!(entry.previous, [contribution("b")]);
        let config_map = key.config_map(Some(&entry)).unwrap();
        let registry = Registry::parse(&config_map).unwrap();
        assert_eq!(registry.get(&key), Some(&entry));
        assert_eq!(key.config_map(Some(&entry)).unwrap(), config_map);
        let finished = Entry::new(Progress::Complete, contribution("a"));
        assert_eq!(
            json!(finished).to_string(),
            r#"{"account":"shop","repos":{"repo-7":"ssh://git@host/shop.git"},"spaces":["a"],"v":1}"#
        );
    }

    #[test]
    fn an_entry_remembers_what_it_contributed_until_that_is_gone() {
        let entry = Entry::new(Progress::Complete, contribution("a"))
            .changed(Progress::Complete, contribution("b"))
            .changed(Progress::Complete, contribution("c"));
        let needed: Vec<_> = entry.needed().cloned().collect();
        assert_eq!(needed, ["c", "b", "a"].map(contribution));
        let settled = entry.settled(Progress::Complete);
        assert_eq!(settled.removing, ["b", "a"].map(contribution));
        assert_eq!(settled.needed().count(), 1);
        // What comes back while it is being removed is needed again.
        let back = settled.changed(Progress::Complete, contribution("a"));
        assert_eq!(back.removing, [contribution("b")]);
        assert_eq!(back.previous, [contribution("c")]);
        let gone = Entry::new(Progress::Complete, contribution("a"))
            .changed(Progress::Deleting, Contribution::default())
            .settled(Progress::Deleting);
        assert_eq!(gone.removing, [contribution("a")]);
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_an_error_and_not_absent() {
        let key = runtime("web");
        for (name, value) in [
            ("deployment.web", "{"),
            ("deployment.web", r#"{"v":2,"spaces":["a"]}"#),
            ("other.web", "{}"),
        ] {
            let mut json = key.config_map(None).unwrap().into_json();
            json["data"] = json!({ name: value });
            let error = Registry::parse(&Object::new(json).unwrap()).unwrap_err();
            assert_eq!(error.key, name);
        }
    }

    #[test]
    fn the_field_manager_of_a_long_name_is_one_that_the_server_accepts() {
        let key = runtime(&"a".repeat(200));
        assert!(key.field_manager().is_ok());
        assert_eq!(
            runtime("web").field_manager().unwrap().as_str(),
            "tf-nautes/deployment/product-42/web"
        );
    }
}
