//! The removal of components, and what stands in its way.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use kubernetes_apply::apply_set::{ApplySet, DeleteOptions, Kept, NamespaceContent};
use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::{GroupKind, Kind, Object, ObjectRef};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::super::slots::SlotModel;
use super::existing::Existing;
use super::selection::slot_path;
use super::{GONE_TIMEOUT, Installer, Preparation};
use crate::clusters::{FACTS, Facts, NAMESPACE, PRODUCT_LABEL, RUNTIME_ACCOUNT, owner};
use crate::components::Component;
use crate::diagnostics::Context as _;

/// How many objects of a kind an error names.
const SHOWN: usize = 5;

/// What becomes of objects of a component that the provider is not to install.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unwanted {
    /// They are removed.
    Remove,
    /// They stay, and the provider uses them from now on like those of somebody else.
    Release,
}

impl Installer<'_> {
    /// Requires that no component would be removed under objects of others that need it. Nothing is written.
    pub(in super::super) async fn require_all_unused(&self) -> Result<(), Diagnostics> {
        let checks = Component::ALL.map(|component| self.require_removable(component));
        let mut found = Diagnostics::default();
        for checked in join_all(checks).await {
            found.extend(checked.err().unwrap_or_default());
        }
        if found.has_error() {
            Err(found)
        } else {
            Ok(())
        }
    }

    /// Requires that others have nothing that would be left without a component.
    pub(super) async fn require_removable(&self, component: Component) -> Result<(), Diagnostics> {
        let attempt = format!("remove {component} from the cluster {}", self.name);
        let way_out = format!(
            "keep {component}: set install = false in {} and apply, after which it stays as it is, also when the cluster is destroyed here",
            slot_path(component.slot())
        );
        let namespace = self.namespace_of(component);
        self.require_unused(component, &namespace, &attempt, &way_out)
            .await
    }

    /// Requires that others have nothing that would be left without the Argo CD of the namespaces that it leaves.
    pub(super) async fn require_movable(
        &self,
        component: Component,
        namespace: &str,
    ) -> Result<(), Diagnostics> {
        let attempt = format!(
            "move {component} to the namespace {namespace} of the cluster {}",
            self.name
        );
        for left in self.left_namespaces(component, namespace).await? {
            let way_out = format!(
                "keep {component} where it is: set namespace = \"{left}\" in {}",
                slot_path(component.slot())
            );
            self.require_unused(component, &left, &attempt, &way_out)
                .await?;
        }
        Ok(())
    }

    async fn require_unused(
        &self,
        component: Component,
        namespace: &str,
        attempt: &str,
        way_out: &str,
    ) -> Result<(), Diagnostics> {
        let label = owner().context(attempt)?.label;
        let expendable = component.own_objects(namespace);
        // What runtimes have made carries both labels, and needs the component as that of others does.
        let is_own = |object: &Object| {
            expendable.contains(object.reference())
                || (label.is_on(object) && object.label(PRODUCT_LABEL).is_none())
        };
        let set = self.set(component)?;
        let others = set.custom_resources_of_others(is_own).await;
        let others = others.with_context(|| format!("look for what uses {component}"))?;
        if others.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "Objects that this provider has not made for itself need it: {}. Nothing was changed. Delete them or move them to another cluster (what runtimes have made goes with the runtimes); or {way_out}.",
            describe(&others)
        );
        let summary = format!("Cannot {attempt}: others use it");
        Err(Diagnostic::error(summary, detail)
            .at(&slot_path(component.slot()))
            .into())
    }

    /// Returns the namespaces other than this one in which the provider has installed a component.
    pub(super) async fn left_namespaces(
        &self,
        component: Component,
        namespace: &str,
    ) -> Result<BTreeSet<String>, Diagnostics> {
        let set = self.set(component)?;
        let inventory = set.inventory().await;
        let inventory = inventory.with_context(|| format!("look for {component}"))?;
        let workloads = component.workloads(namespace);
        let is_workload = |object: &ObjectRef| {
            let mut workloads = workloads.iter();
            workloads.any(|(_, known)| known.kind == object.kind && known.name == object.name)
        };
        let entries = inventory
            .entries()
            .filter(|entry| is_workload(&entry.object));
        let namespaces = entries.filter_map(|entry| entry.object.namespace);
        Ok(namespaces.filter(|found| found != namespace).collect())
    }

    /// Returns the components that the provider is not to install and of which it has objects, in the order of their
    /// removal. `is_installed` tells whether the state has a component.
    ///
    /// Of one that is to be used as it is, a run that was interrupted may have left a part, which is nothing to use.
    pub(super) async fn unwanted(
        &self,
        preparation: &Preparation,
        is_installed: impl Fn(Component) -> bool,
    ) -> Result<Vec<(Component, Unwanted)>, Diagnostics> {
        let wanted: Vec<Component> = preparation.installed().collect();
        let sets = Component::ALL.iter().map(|component| self.set(*component));
        let sets = sets.collect::<Result<Vec<_>, _>>()?;
        let inventories = join_all(sets.iter().map(ApplySet::inventory)).await;
        let mut facts = None;
        let mut found = Vec::new();
        for (component, inventory) in Component::ALL.into_iter().zip(inventories).rev() {
            // Also that of a wanted one must be readable before anything is written.
            let inventory = inventory.with_context(|| format!("look for {component}"))?;
            if inventory.is_empty() || wanted.contains(&component) {
                continue;
            }
            let facts = match &mut facts {
                Some(facts) => facts,
                facts @ None => facts.insert(self.completed_components().await?),
            };
            let is_complete = is_installed(component) || facts.contains(component.name());
            let keeps = self.slot(component).is_some_and(SlotModel::uses_existing);
            let fate = if keeps && is_complete {
                Unwanted::Release
            } else {
                Unwanted::Remove
            };
            found.push((component, fate));
        }
        Ok(found)
    }

    /// Returns the components that the facts of the cluster name as installed by the provider.
    async fn completed_components(&self) -> Result<BTreeSet<String>, Diagnostics> {
        let kind = Kind::new("v1", "ConfigMap");
        let found = self
            .cluster
            .find(&kind, Some(NAMESPACE), FACTS, Detail::Full)
            .await;
        let found =
            found.with_context(|| format!("read the facts of the cluster {}", self.name))?;
        let facts = found.as_ref().and_then(Facts::parse);
        let components = facts
            .into_iter()
            .flat_map(|facts| facts.components.components);
        let installed = components.filter(|(_, fact)| fact.version.is_some());
        Ok(installed.map(|(name, _)| name).collect())
    }

    /// Forgets which objects of a component were applied, so that they stay from now on.
    pub(in super::super) async fn release(&self, component: Component) -> Result<(), Diagnostics> {
        let attempt = format!("release {component} in the cluster {}", self.name);
        let parent = self.set(component)?.parent();
        let owner = owner().context(&attempt)?;
        let kind = Kind::new("v1", "ConfigMap");
        let found = self
            .cluster
            .find(&kind, Some(NAMESPACE), &parent.name, Detail::Metadata);
        let Some(found) = found.await.context(&attempt)? else {
            return Ok(());
        };
        let uid = found.uid().unwrap_or_default();
        let deleted = self
            .cluster
            .delete_own(found.reference(), uid, &owner, GONE_TIMEOUT);
        deleted.await.context(&attempt)
    }

    /// Removes what the provider has of a component, and returns warnings of what stays. Of one that was there before,
    /// only the keys that the provider wrote are removed.
    pub(in super::super) async fn remove(
        &self,
        component: Component,
    ) -> Result<Vec<(String, String)>, Diagnostics> {
        let attempt = format!("remove {component} from the cluster {}", self.name);
        let slot = self.slot(component);
        if slot.is_some_and(SlotModel::uses_existing) {
            Existing::new(component, slot).remove_own_keys(self).await?;
        }
        let options = DeleteOptions {
            namespaces: NamespaceContent::Keep {
                expendable: component.own_objects(&self.namespace_of(component)),
            },
            ..DeleteOptions::default()
        };
        let deleted = self.set(component)?.delete(&options).await;
        let deleted = deleted.context(&attempt)?;
        Ok(self.warnings_of_kept(component, &deleted.kept).collect())
    }

    /// Returns the warnings of objects of a component that were to go and stay.
    pub(super) fn warnings_of_kept<'k>(
        &'k self,
        component: Component,
        kept: &'k [Kept],
    ) -> impl Iterator<Item = (String, String)> + 'k {
        kept.iter().map(move |kept| {
            let summary = format!(
                "An object of {component} stays in the cluster {}",
                self.name
            );
            (summary, format!("{kept}."))
        })
    }

    fn slot(&self, component: Component) -> Option<&SlotModel> {
        let components = self.model.components.as_ref();
        components.and_then(|components| components.slot(component.slot()))
    }

    pub(super) fn namespace_of(&self, component: Component) -> String {
        let chosen = self.slot(component).and_then(|slot| slot.namespace.clone());
        chosen.unwrap_or_else(|| component.namespace().to_owned())
    }
}

/// Returns what a component leaves in a namespace from which it is moved, besides its own objects: what it has made for
/// itself, and the rights of runtimes, which are made anew in its new namespace.
pub(super) fn left_behind(component: Component, namespace: &str) -> Vec<ObjectRef> {
    let rights = ["Role", "RoleBinding"].map(|kind| {
        let group = "rbac.authorization.k8s.io";
        ObjectRef::namespaced(group, kind, namespace, RUNTIME_ACCOUNT.name)
    });
    let made = component.own_objects(namespace);
    made.into_iter().chain(rights).collect()
}

/// Describes objects by kind and number, with the names of some of them.
fn describe(objects: &[ObjectRef]) -> String {
    let mut kinds: BTreeMap<&GroupKind, Vec<String>> = BTreeMap::new();
    for object in objects {
        let name = match &object.namespace {
            Some(namespace) => format!("{namespace}/{}", object.name),
            None => object.name.clone(),
        };
        kinds.entry(&object.kind).or_default().push(name);
    }
    let kinds = kinds.into_iter().map(|(GroupKind { group, kind }, names)| {
        let count = names.len();
        let more = match count.saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown: Vec<String> = names.into_iter().take(SHOWN).collect();
        format!("{count} {kind}.{group} ({}{more})", shown.join(", "))
    });
    kinds.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_described_by_kind_number_and_some_names() {
        let application =
            |name: &str| ObjectRef::namespaced("argoproj.io", "Application", "argocd", name);
        let mut objects: Vec<ObjectRef> =
            ["a", "b", "c", "d", "e", "f", "g"].map(application).into();
        objects.push(ObjectRef::cluster("cert-manager.io", "ClusterIssuer", "ca"));
        assert_eq!(
            describe(&objects),
            "7 Application.argoproj.io (argocd/a, argocd/b, argocd/c, argocd/d, argocd/e and 2 more), 1 ClusterIssuer.cert-manager.io (ca)"
        );
    }
}
