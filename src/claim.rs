//! Which instance in a state holds which object, so that two never share one, and the deletion of
//! one never takes the object of the other.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nautes_model::reference::EntityId;
use nautes_model::{EntityName, Kind, ProductId};
use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;
use terraform_plugin::value::Path;
use uuid::Uuid;

/// The key of a [`Claim`] in private state.
const KEY: &str = "claim";

/// What an instance in a state is known by, since a provider never learns addresses: 16 hexadecimal
/// digits, drawn when it is created or imported, and kept beside it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Claim(String);

impl Claim {
    /// How many characters it has.
    pub(crate) const LENGTH: usize = 16;

    /// Draws a new claim.
    pub fn new() -> Self {
        let (_, random) = Uuid::new_v4().as_u64_pair();
        Self(format!("{random:016x}"))
    }

    /// Loads the claim from private state; `None` in the state of an older version, and for what is
    /// tainted.
    pub(crate) fn load(private: &PrivateState) -> Option<Self> {
        private.get(KEY)
    }

    /// Loads the claim from private state, or draws one and stores it there.
    pub(crate) fn load_or_store(private: &mut PrivateState) -> Result<Self, Diagnostics> {
        if let Some(claim) = Self::load(private) {
            return Ok(claim);
        }
        let claim = Self::new();
        private
            .set(KEY, &claim)
            .map_err(|error| Diagnostics::from(Diagnostic::bug(error)))?;
        Ok(claim)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Default for Claim {
    fn default() -> Self {
        Self::new()
    }
}

/// The instances that this process has read, planned or created since it was configured, by the
/// objects that they hold.
#[derive(Debug, Default)]
pub(crate) struct Holders(Mutex<HashMap<ObjectId, Holder>>);

/// An object of Terraform.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct ObjectId {
    /// Its type, such as `nautes_environment`.
    pub(crate) type_name: &'static str,
    /// Its id.
    pub(crate) id: String,
}

impl ObjectId {
    /// Returns an entity of a product as an object.
    pub(crate) fn entity(kind: Kind, product: ProductId, name: &EntityName) -> Self {
        let name = name.clone();
        Self {
            type_name: kind.terraform_type(),
            id: EntityId { product, name }.to_string(),
        }
    }
}

#[derive(Debug)]
struct Holder {
    claim: Claim,
    /// Whether a creation of this process has made or taken over the object.
    is_new: bool,
}

/// What becomes of an object when an instance that holds it is deleted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// It is deleted.
    Allowed,
    /// It stays: a creation of this process has made it the object of another instance.
    OfAnother,
}

impl Holders {
    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectId, Holder>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that an instance that exists holds an object. Fails if another one holds it.
    pub(crate) fn record(&self, object: &ObjectId, claim: &Claim) -> Result<(), Diagnostics> {
        let mut holders = self.lock();
        match holders.get(object) {
            Some(holder) if holder.claim != *claim => Err(held_twice(object)),
            Some(_) => Ok(()),
            None => {
                let (claim, is_new) = (claim.clone(), false);
                holders.insert(object.clone(), Holder { claim, is_new });
                Ok(())
            }
        }
    }

    /// Records the instance of an object that was read. One without a claim, from the state of an older
    /// version, gets one, so that a second instance of the object is noticed.
    pub(crate) fn record_read(
        &self,
        object: &ObjectId,
        private: &mut PrivateState,
    ) -> Result<(), Diagnostics> {
        let claim = Claim::load_or_store(private)?;
        self.record(object, &claim)
    }

    /// Records the instance of an existing object that its private state tells.
    pub(crate) fn record_kept(
        &self,
        object: &ObjectId,
        private: &PrivateState,
    ) -> Result<(), Diagnostics> {
        match Claim::load(private) {
            Some(claim) => self.record(object, &claim),
            None => Ok(()),
        }
    }

    /// Records the instance whose deletion is planned, which its private state tells. A twin of an
    /// object that this process has created holds nothing any more.
    pub(crate) fn record_planned_deletion(
        &self,
        object: &ObjectId,
        private: &PrivateState,
    ) -> Result<(), Diagnostics> {
        let claim = Claim::load(private);
        match self.judge_deletion(object, claim.as_ref())? {
            Deletion::OfAnother => Ok(()),
            Deletion::Allowed => self.record_kept(object, private),
        }
    }

    /// Records that a creation has made or taken over an object. Fails if another instance holds
    /// it.
    pub(crate) fn record_created(
        &self,
        object: &ObjectId,
        claim: &Claim,
    ) -> Result<(), Diagnostics> {
        self.record(object, claim)?;
        if let Some(holder) = self.lock().get_mut(object) {
            holder.is_new = true;
        }
        Ok(())
    }

    /// Whether an existing instance holds an object, other than the one with this claim.
    pub(crate) fn is_held_by_another(&self, object: &ObjectId, claim: Option<&Claim>) -> bool {
        let holders = self.lock();
        let holder = holders.get(object);
        holder.is_some_and(|holder| !holder.is_new && Some(&holder.claim) != claim)
    }

    /// The objects of a type that the instance with this claim holds.
    pub(crate) fn held_by(&self, claim: &Claim, type_name: &str) -> Vec<String> {
        let holders = self.lock();
        let held = holders
            .iter()
            .filter(|(object, holder)| object.type_name == type_name && holder.claim == *claim);
        held.map(|(object, _)| object.id.clone()).collect()
    }

    /// Whether a creation of this process has made or taken over an object.
    pub(crate) fn is_created_here(&self, object: &ObjectId) -> bool {
        self.lock().get(object).is_some_and(|holder| holder.is_new)
    }

    /// Decides about the deletion of an object for an instance, and fails if another instance holds
    /// it that this process has not created.
    pub(crate) fn judge_deletion(
        &self,
        object: &ObjectId,
        claim: Option<&Claim>,
    ) -> Result<Deletion, Diagnostics> {
        let holders = self.lock();
        match (holders.get(object), claim) {
            (Some(holder), Some(claim)) if holder.claim == *claim => Ok(Deletion::Allowed),
            (Some(holder), _) if holder.is_new => Ok(Deletion::OfAnother),
            (None, _) | (Some(_), None) => Ok(Deletion::Allowed),
            (Some(_), Some(_)) => Err(held_twice(object)),
        }
    }

    /// Forgets the instance of an object that was deleted.
    pub(crate) fn release(&self, object: &ObjectId) {
        self.lock().remove(object);
    }
}

/// Refuses to plan the creation half of a replacement that may take over existing objects: if it is
/// created before the old one is destroyed, it would take over the old one.
pub(crate) fn check_replacement(
    replaced: Option<&PrivateState>,
    adopt_existing: Option<bool>,
) -> Result<(), Diagnostics> {
    if adopt_existing != Some(true) || replaced.is_none() {
        return Ok(());
    }
    let detail = "With adopt_existing = true, a replacement could take over the very object that it replaces. The argument is used at creation alone: remove it, then plan the replacement again. With create_before_destroy, the new one needs another name.";
    Err(Diagnostic::error("A replacement does not adopt", detail)
        .at(&Path::to("adopt_existing"))
        .into())
}

fn held_twice(object: &ObjectId) -> Diagnostics {
    let ObjectId { type_name, id } = object;
    let detail = format!(
        "Another {type_name} of this state, or an older instance of the same one, is {id} already. What two hold is neither changed nor deleted. Find the addresses of both (terraform state list -id={id}), take one out of the state (terraform state rm <address>), and remove its block or give it another name. If the resource is only tainted, use terraform untaint, and -replace to replace it."
    );
    Diagnostic::error(format!("Two resources hold {id}"), detail).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> ObjectId {
        ObjectId {
            type_name: "nautes_environment",
            id: "product-2/dev".to_owned(),
        }
    }

    #[test]
    fn a_second_holder_is_refused_and_named_by_its_id() {
        let (holders, first, second) = (Holders::default(), Claim::new(), Claim::new());
        holders.record(&object(), &first).unwrap();
        holders.record(&object(), &first).unwrap();
        let refused = holders.record(&object(), &second).unwrap_err();
        let refused = refused.iter().next().unwrap();
        assert_eq!(refused.summary, "Two resources hold product-2/dev");
        assert!(refused.detail.contains("terraform state rm"));
        assert!(holders.judge_deletion(&object(), Some(&second)).is_err());
        assert!(holders.record_created(&object(), &second).is_err());
    }

    #[test]
    fn what_a_creation_has_made_is_deleted_for_its_own_instance_alone() {
        let (holders, deposed, new) = (Holders::default(), Claim::new(), Claim::new());
        holders.record_created(&object(), &new).unwrap();
        let judged = |claim| holders.judge_deletion(&object(), claim).unwrap();
        assert_eq!(judged(Some(&deposed)), Deletion::OfAnother);
        assert_eq!(judged(None), Deletion::OfAnother);
        assert_eq!(judged(Some(&new)), Deletion::Allowed);
        holders.release(&object());
        assert_eq!(judged(None), Deletion::Allowed);
    }

    #[test]
    fn the_deletion_of_a_deposed_twin_may_be_planned_after_the_creation() {
        let (holders, new) = (Holders::default(), Claim::new());
        let mut deposed = PrivateState::default();
        Claim::load_or_store(&mut deposed).unwrap();
        holders.record_created(&object(), &new).unwrap();
        holders
            .record_planned_deletion(&object(), &deposed)
            .unwrap();
        let other = ObjectId {
            id: "product-2/test".to_owned(),
            ..object()
        };
        holders.record(&other, &new).unwrap();
        assert!(holders.record_planned_deletion(&other, &deposed).is_err());
    }

    #[test]
    fn a_claim_is_kept_beside_the_state() {
        let holders = Holders::default();
        let mut private = PrivateState::default();
        let claim = Claim::load_or_store(&mut private).unwrap();
        assert_eq!(Claim::load_or_store(&mut private).unwrap(), claim);
        holders.record_kept(&object(), &private).unwrap();
        assert!(!holders.is_held_by_another(&object(), Some(&claim)));
        assert!(holders.is_held_by_another(&object(), None));
    }
}
