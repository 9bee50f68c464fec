//! Whether an object that exists may be changed or deleted.

use super::{Label, Owner};
use crate::apply_set::PART_OF_LABEL;
use crate::inventory::Entry;
use crate::object::Object;

/// Which objects may be taken over that do not carry the owner's label.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Adoption {
    /// None.
    #[default]
    Never,
    /// Those that carry another label: what another tool made for the same purpose.
    Labelled(Label),
}

/// Why an object must be neither changed nor deleted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ForeignObject {
    /// Nothing shows that it is the owner's.
    #[error("it exists and does not carry the label {key}={value}, so somebody else made it")]
    Unlabelled {
        /// The key of the owner's label.
        key: String,
        /// The value of the owner's label.
        value: String,
    },
    /// It belongs to another set of objects.
    #[error("it belongs to another set of objects, {id}")]
    OtherSet {
        /// The id of that set.
        id: String,
    },
    /// Another tool keeps it as it wants it, and would undo every change.
    #[error("{tool} manages it too, as {mark} shows, and would undo every change")]
    ManagedElsewhere {
        /// The tool.
        tool: &'static str,
        /// The label or annotation that says so.
        mark: &'static str,
    },
    /// It is another object of the same name than the one that was recorded.
    #[error("it is another object of that name: its UID is {found}, and {recorded} was recorded")]
    OtherUid {
        /// The UID that was recorded.
        recorded: String,
        /// The UID that it has.
        found: String,
    },
    /// The inventory does not list it as one that was created.
    #[error(
        "nothing proves that it was created here: no UID of it was recorded, and it is not labelled"
    )]
    Unproven,
}

/// Labels and annotations by which tools mark what they reconcile.
const MARKS: [(&str, &str); 3] = [
    ("Argo CD", "argocd.argoproj.io/tracking-id"),
    ("Flux", "kustomize.toolkit.fluxcd.io/name"),
    ("Flux", "helm.toolkit.fluxcd.io/name"),
];

/// Checks that an object that exists may be changed.
///
/// `set` is the id of the set that it is to belong to.
pub(crate) fn check_ownership(
    live: &Object,
    owner: &Owner,
    set: Option<&str>,
    adoption: &Adoption,
) -> Result<(), ForeignObject> {
    for (tool, mark) in MARKS {
        if live.annotation(mark).is_some() || live.label(mark).is_some() {
            return Err(ForeignObject::ManagedElsewhere { tool, mark });
        }
    }
    check_set(live, set)?;
    if owner.label.is_on(live) {
        return Ok(());
    }
    match adoption {
        Adoption::Labelled(label) if label.is_on(live) => Ok(()),
        _ => Err(ForeignObject::Unlabelled {
            key: owner.label.key().to_owned(),
            value: owner.label.value().to_owned(),
        }),
    }
}

/// Checks that an object that exists is the one that an inventory lists, and may be deleted.
///
/// It must carry the owner's label, must not belong to another set, and must have the recorded UID. Without
/// a recorded UID, which happens when a run was killed right after the object was created, it must carry
/// the label of this set.
pub(crate) fn check_deletion(
    live: &Object,
    entry: &Entry,
    owner: &Owner,
    set: &str,
) -> Result<(), ForeignObject> {
    check_set(live, Some(set))?;
    if !owner.label.is_on(live) {
        return Err(ForeignObject::Unlabelled {
            key: owner.label.key().to_owned(),
            value: owner.label.value().to_owned(),
        });
    }
    let found = live.uid().unwrap_or_default();
    match &entry.uid {
        Some(recorded) if recorded == found => Ok(()),
        Some(recorded) => Err(ForeignObject::OtherUid {
            recorded: recorded.clone(),
            found: found.to_owned(),
        }),
        None if live.label(PART_OF_LABEL) == Some(set) => Ok(()),
        None => Err(ForeignObject::Unproven),
    }
}

fn check_set(live: &Object, set: Option<&str>) -> Result<(), ForeignObject> {
    match live.label(PART_OF_LABEL) {
        Some(id) if Some(id) != set => Err(ForeignObject::OtherSet { id: id.to_owned() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ownership::FieldManager;

    fn owner() -> Owner {
        Owner {
            field_manager: FieldManager::new("tool").unwrap(),
            label: Label::new("managed-by", "tool").unwrap(),
        }
    }

    fn live(labels: &Value, annotations: &Value) -> Object {
        Object::new(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "b", "uid": "1", "labels": labels,
                         "annotations": annotations}
        }))
        .unwrap()
    }

    fn check(labels: &Value) -> Result<(), ForeignObject> {
        check_ownership(
            &live(labels, &json!({})),
            &owner(),
            Some("set"),
            &Adoption::Never,
        )
    }

    #[test]
    fn only_an_object_with_the_label_is_the_owners() {
        assert_eq!(check(&json!({"managed-by": "tool"})), Ok(()));
        assert_eq!(
            check(&json!({"managed-by": "tool", PART_OF_LABEL: "set"})),
            Ok(())
        );
        for labels in [
            json!({}),
            json!({"managed-by": "other"}),
            json!({PART_OF_LABEL: "set"}),
        ] {
            assert!(matches!(
                check(&labels),
                Err(ForeignObject::Unlabelled { .. })
            ));
        }
    }

    #[test]
    fn an_object_of_another_set_is_foreign_whatever_its_label() {
        assert_eq!(
            check(&json!({"managed-by": "tool", PART_OF_LABEL: "other"})),
            Err(ForeignObject::OtherSet {
                id: "other".to_owned()
            })
        );
    }

    #[test]
    fn an_object_that_another_tool_reconciles_is_foreign_whatever_its_label() {
        let tracked = json!({"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:b/a"});
        let live = live(&json!({"managed-by": "tool"}), &tracked);
        let checked = check_ownership(&live, &owner(), None, &Adoption::Never);
        assert!(matches!(
            checked,
            Err(ForeignObject::ManagedElsewhere {
                tool: "Argo CD",
                ..
            })
        ));
    }

    #[test]
    fn adoption_takes_over_what_carries_its_label_and_nothing_else() {
        let adoption = Adoption::Labelled(Label::new("belongs-to", "shop").unwrap());
        let check =
            |labels: &Value| check_ownership(&live(labels, &json!({})), &owner(), None, &adoption);
        assert_eq!(check(&json!({"belongs-to": "shop"})), Ok(()));
        assert!(check(&json!({"belongs-to": "other"})).is_err());
    }

    #[test]
    fn a_deletion_needs_the_recorded_uid_and_the_label() {
        let entry = |uid: Option<&str>| Entry {
            object: live(&json!({}), &json!({})).reference().clone(),
            uid: uid.map(str::to_owned),
        };
        let check = |labels: &Value, uid: Option<&str>| {
            check_deletion(&live(labels, &json!({})), &entry(uid), &owner(), "set")
        };
        let own = json!({"managed-by": "tool"});
        let own_in_set = json!({"managed-by": "tool", PART_OF_LABEL: "set"});
        assert_eq!(check(&own, Some("1")), Ok(()));
        assert_eq!(check(&own_in_set, None), Ok(()));
        assert_eq!(check(&own, None), Err(ForeignObject::Unproven));
        assert!(matches!(
            check(&own_in_set, Some("2")),
            Err(ForeignObject::OtherUid { .. })
        ));
        assert!(matches!(
            check(&json!({}), Some("1")),
            Err(ForeignObject::Unlabelled { .. })
        ));
        assert!(matches!(
            check(
                &json!({"managed-by": "tool", PART_OF_LABEL: "other"}),
                Some("1")
            ),
            Err(ForeignObject::OtherSet { .. })
        ));
    }
}
