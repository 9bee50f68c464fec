//! A set of objects that are applied, pruned, compared and deleted together.
//!
//! A set is an [`ApplySet`][kep] in the sense of Kubernetes: a `ConfigMap`, its parent, names the kinds and namespaces of
//! its objects, and every object carries a label with the id of the set. Besides, the parent lists every object
//! with its UID. The label alone would not prove that an object belongs to the set, because a copy of an object
//! carries it too.
//!
//! [kep]: https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune

mod apply;
mod custom_resources;
mod delete;
mod drift;
mod namespace;
mod parent;
mod prepare;

pub use self::apply::{Applied, ApplyOptions, ApplySetError};
pub use self::delete::{DeleteError, DeleteOptions, Deleted, KeepReason, Kept, NamespaceContent};
pub use self::drift::{DriftError, ObjectDrift};
pub use self::namespace::{Content, namespace_content};
pub use self::parent::{InventoryError, Parent};

pub use crate::live_objects::{Drift, LiveObjects};

use std::time::Duration;

use crate::cluster::Cluster;
use crate::object::{Kind, ObjectRef};
use crate::ownership::Owner;
use crate::readiness::Rules;
use crate::wait::WaitError;

/// The label by which an object belongs to a set.
pub const PART_OF_LABEL: &str = "applyset.kubernetes.io/part-of";

/// A set of objects of one cluster.
///
/// Two processes must not apply one set at the same time. They lose nothing if they do, but one may prune what
/// the other has just applied.
#[derive(Debug)]
pub struct ApplySet<'c> {
    cluster: &'c Cluster,
    owner: Owner,
    parent: Parent,
    id: String,
}

impl<'c> ApplySet<'c> {
    /// Names a set by its parent; nothing is sent.
    pub fn new(cluster: &'c Cluster, owner: Owner, parent: Parent) -> Self {
        let id = parent.set_id();
        Self {
            cluster,
            owner,
            parent,
            id,
        }
    }

    /// Returns the id of the set, which its objects carry as the label [`PART_OF_LABEL`].
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Waits until objects of the set are ready by the rules.
    ///
    /// `objects` are those that [`Applied`] names, or some of them.
    pub async fn wait_until_ready(
        &self,
        objects: &[(Kind, ObjectRef)],
        rules: &Rules,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        let selector = format!("{PART_OF_LABEL}={}", self.id);
        self.cluster
            .wait_until_ready(objects, &selector, rules, timeout)
            .await
    }
}
