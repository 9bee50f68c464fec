//! From the objects that an author wrote to those that are applied.

use std::collections::BTreeMap;

use super::{ApplySet, PART_OF_LABEL};
use crate::apply::{ApplyError, ApplyFailure};
use crate::cluster::{ApiError, DiscoveryError, Resource};
use crate::object::{GroupKind, Kind, Object};
use crate::order::defined_kind;

/// An object as it is applied.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) object: Object,
    pub(super) resource: Resource,
    /// Whether the cluster serves its kind already.
    pub(super) served: bool,
}

impl ApplySet<'_> {
    /// Prepares objects: gives them labels and a namespace, and removes what only the server writes.
    pub(super) async fn prepare(
        &self,
        objects: Vec<Object>,
        default_namespace: Option<&str>,
    ) -> Result<Vec<Prepared>, Vec<ApplyError>> {
        let definitions: BTreeMap<GroupKind, Object> = objects
            .iter()
            .filter_map(|object| Some((defined_kind(object)?, object.clone())))
            .collect();
        let mut prepared = Vec::new();
        let mut errors = Vec::new();
        for mut object in objects {
            let outcome = self
                .prepare_object(&mut object, &definitions, default_namespace)
                .await;
            let reference = object.reference().clone();
            let reason = match outcome {
                Ok((resource, served)) => {
                    let same = prepared
                        .iter()
                        .find(|it: &&Prepared| it.object.reference() == &reference);
                    match same {
                        None => {
                            prepared.push(Prepared {
                                object,
                                resource,
                                served,
                            });
                            continue;
                        }
                        Some(same) if same.object == object => continue,
                        Some(_) => ApplyFailure::Duplicate,
                    }
                }
                Err(reason) => reason,
            };
            errors.push(ApplyError {
                object: reference,
                reason,
            });
        }
        if errors.is_empty() {
            Ok(prepared)
        } else {
            Err(errors)
        }
    }

    async fn prepare_object(
        &self,
        object: &mut Object,
        definitions: &BTreeMap<GroupKind, Object>,
        default_namespace: Option<&str>,
    ) -> Result<(Resource, bool), ApplyFailure> {
        let kind = object.kind();
        let (resource, served) = match self.cluster.resource(&kind).await {
            Ok(resource) => (resource, true),
            Err(error @ DiscoveryError::NotServed { .. }) => {
                let definition = definitions.get(&kind.group_kind());
                match definition.and_then(|definition| defined_resource(definition, &kind)) {
                    Some(resource) => (resource, false),
                    None => return Err(ApiError::from(error).into()),
                }
            }
            Err(error) => return Err(ApiError::from(error).into()),
        };
        object.normalize();
        match (
            resource.namespaced,
            &object.reference().namespace,
            default_namespace,
        ) {
            (false, _, _) => object.set_namespace(None),
            (true, Some(_), _) => {}
            (true, None, Some(namespace)) => object.set_namespace(Some(namespace)),
            (true, None, None) => return Err(ApplyFailure::NoNamespace),
        }
        self.owner.label.put_on(object);
        object.set_label(PART_OF_LABEL, self.id());
        Ok((resource, served))
    }
}

/// Returns how a kind will be served once its definition is there.
fn defined_resource(definition: &Object, kind: &Kind) -> Option<Resource> {
    let mut versions = definition.list("/spec/versions").iter();
    let is_version = |version: &serde_json::Value| {
        version.get("name").and_then(serde_json::Value::as_str) == Some(&kind.api_version.version)
    };
    versions.any(is_version).then_some(())?;
    Some(Resource {
        kind: kind.clone(),
        plural: definition.text("/spec/names/plural")?.to_owned(),
        namespaced: definition.text("/spec/scope")? == "Namespaced",
        listable: true,
    })
}
