//! Components that are there already, which the provider uses and does not change, except for keys of its own.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubernetes_apply::cluster::{ApiError, Detail, DiscoveryError};
use kubernetes_apply::object::{Kind, Object};
use serde_json::{Value, json};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::super::slots::SlotModel;
use super::super::stored::ClusterSecrets;
use super::settings::Context;
use super::{Installer, floor_warnings, slot_path};
use crate::clusters::owner;
use crate::components::readiness::version_of;
use crate::components::{Component, Images, Installation, Settings};
use crate::diagnostics::Context as _;
use crate::error_chain::sentence;

/// How long a component may take to work that was there before.
const READY_TIMEOUT: Duration = Duration::from_secs(120);

/// A component that is there already.
#[derive(Debug)]
pub(super) struct Existing {
    pub(super) component: Component,
    pub(super) namespace: String,
}

/// A key of the provider's own in an object of somebody else.
struct OwnKey {
    kind: Kind,
    namespace: String,
    object: String,
    key: String,
    /// The value as the cluster stores it.
    value: String,
}

/// What an object has at a key of the provider's own.
#[derive(Debug, Eq, PartialEq)]
enum KeyState {
    /// There is no such object.
    NoObject,
    /// The object does not have the key.
    Missing,
    /// It has a value that will do.
    Present,
    /// It has another value, which the provider has written.
    Outdated,
    /// It has another value of somebody else.
    Taken,
}

impl Existing {
    pub(super) fn new(component: Component, slot: Option<&SlotModel>) -> Self {
        let namespace = slot.and_then(|slot| slot.namespace.clone());
        let namespace = namespace.unwrap_or_else(|| component.namespace().to_owned());
        Self {
            component,
            namespace,
        }
    }

    /// Returns what is ours in the component; `None` if nothing is.
    pub(super) fn installation(
        &self,
        installer: &Installer<'_>,
        context: &Context<'_>,
    ) -> Option<Installation> {
        if self.component != Component::ArgoCd {
            return None;
        }
        let argo_cd = installer.existing_argo_cd(&self.namespace, context.webhook_token);
        Some(Installation {
            settings: Settings::ArgoCd(Box::new(argo_cd)),
            version: self.component.default_version(),
            images: Images::default(),
        })
    }

    /// Checks that the component can be used, and returns warnings.
    ///
    /// One that is not there at all is a warning: it may come later.
    pub(super) async fn check(
        &self,
        installer: &Installer<'_>,
        installation: Option<&Installation>,
    ) -> Result<Vec<(String, String)>, Diagnostics> {
        let component = self.component;
        let path = slot_path(component.slot());
        let attempt = format!("use the {component} of the cluster {}", installer.name);
        let used = component.used_kinds();
        let missing = self.missing_kinds(installer).await.context(&attempt)?;
        let workloads = component.workloads(&self.namespace);
        let mut found = Vec::new();
        for (kind, object) in &workloads {
            let workload = installer.cluster.find(
                kind,
                object.namespace.as_deref(),
                &object.name,
                Detail::Full,
            );
            found.extend(workload.await.context(&attempt)?);
        }
        let is_absent = found.is_empty() && missing.len() == used.len();
        if is_absent {
            let detail = format!(
                "{path} has install = false, but the cluster {} has no {component} in the namespace {}. What needs it does not work until it is there.",
                installer.name, self.namespace
            );
            return Ok(vec![(format!("{component} is not there yet"), detail)]);
        }
        if !missing.is_empty() {
            let kinds: Vec<String> = missing.iter().map(ToString::to_string).collect();
            let detail = format!(
                "It does not serve {}, which this provider uses. Nothing was changed. Install a version of {component} that does, or let the provider install it (remove install = false from {path} and the objects from the cluster).",
                kinds.join(", ")
            );
            return Err(Diagnostic::error(format!("Cannot {attempt}"), detail)
                .at(&path.attribute("install"))
                .into());
        }
        let mut warnings = Vec::new();
        if found.is_empty() {
            let detail = format!(
                "The cluster serves the kinds of {component}, but has none of its workloads in the namespace {}, so neither its version nor its readiness was checked. If it is in another namespace, set namespace in {path}.",
                self.namespace
            );
            warnings.push((format!("{component} was not checked"), detail));
        } else {
            let present = found.iter().map(Object::reference);
            let present: Vec<_> = present.collect();
            let workloads: Vec<_> = workloads
                .into_iter()
                .filter(|(_, object)| present.contains(&object))
                .collect();
            let rules = kubernetes_apply::readiness::Rules::default();
            let ready = installer
                .cluster
                .wait_until_ready(&workloads, "", &rules, READY_TIMEOUT);
            if let Err(error) = ready.await {
                let detail = format!(
                    "{} Nothing was changed. Mend it, then apply again.",
                    sentence(&error)
                );
                return Err(Diagnostic::error(format!("Cannot {attempt}"), detail)
                    .at(&path)
                    .into());
            }
            let version = found.iter().find_map(version_of);
            let floors = version.map(|version| floor_warnings(component, &version));
            warnings.extend(floors.unwrap_or_default());
        }
        self.require_free_keys(installer, installation).await?;
        Ok(warnings)
    }

    async fn missing_kinds(&self, installer: &Installer<'_>) -> Result<Vec<Kind>, ApiError> {
        let mut missing = Vec::new();
        for kind in self.component.used_kinds() {
            match installer.cluster.resource(&kind).await {
                Ok(_) => {}
                Err(DiscoveryError::NotServed { .. }) => missing.push(kind),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(missing)
    }

    /// Requires that nobody else uses a key that the provider needs.
    async fn require_free_keys(
        &self,
        installer: &Installer<'_>,
        installation: Option<&Installation>,
    ) -> Result<(), Diagnostics> {
        let component = self.component;
        for key in own_keys(installation)? {
            if self.state_of(installer, &key).await? != KeyState::Taken {
                continue;
            }
            let way_out = match key.kind.kind.as_str() {
                "Secret" => format!(
                    "If hooks of others use it, write its value into Vault at {}, fields token and cluster_uid ({}), so that the provider uses it too. Otherwise remove the key.",
                    ClusterSecrets::new(installer.client, installer.name)?
                        .webhook()
                        .path,
                    installer.uid().await?
                ),
                _ => "Add the claim to its value, or remove the key.".to_owned(),
            };
            let detail = format!(
                "The key {} of {} has a value of somebody else, and this provider needs it for a value of its own. Nothing was changed. {way_out}",
                key.key,
                key.place()
            );
            let summary = format!(
                "Cannot use the {component} of the cluster {}",
                installer.name
            );
            return Err(Diagnostic::error(summary, detail)
                .at(&slot_path(component.slot()))
                .into());
        }
        Ok(())
    }

    /// Writes the provider's own keys.
    pub(super) async fn write_own_keys(
        &self,
        installer: &Installer<'_>,
        installation: Option<&Installation>,
    ) -> Result<(), Diagnostics> {
        for key in own_keys(installation)? {
            match self.state_of(installer, &key).await? {
                KeyState::Missing | KeyState::Outdated => {
                    let value = key.value.clone();
                    let name = key.key.clone();
                    let change = move |object: &mut Value| set_entry(object, &name, &value);
                    self.modify(installer, &key, change).await?;
                }
                KeyState::NoObject | KeyState::Present | KeyState::Taken => {}
            }
        }
        Ok(())
    }

    /// Removes the keys that the provider has written. A value that others have written too stays theirs.
    pub(super) async fn remove_own_keys(
        &self,
        installer: &Installer<'_>,
    ) -> Result<(), Diagnostics> {
        if self.component != Component::ArgoCd {
            return Ok(());
        }
        let nothing = crate::secret::Secret::default();
        let argo_cd = installer.existing_argo_cd(&self.namespace, &nothing);
        let installation = Installation {
            settings: Settings::ArgoCd(Box::new(argo_cd)),
            version: self.component.default_version(),
            images: Images::default(),
        };
        for key in own_keys(Some(&installation))? {
            let live = self.find(installer, &key).await?;
            if live.is_some_and(|live| is_written_by_us(&live, &key.key)) {
                let name = key.key.clone();
                let manager = owner().context("name objects")?.field_manager;
                let manager = manager.as_str().to_owned();
                let change = move |object: &mut Value| give_up_entry(object, &name, &manager);
                self.modify(installer, &key, change).await?;
            }
        }
        Ok(())
    }

    /// Describes which of the provider's own keys are not as they were written.
    pub(super) async fn drift(
        &self,
        installer: &Installer<'_>,
        installation: Option<&Installation>,
    ) -> Result<Vec<String>, Diagnostics> {
        let mut drift = Vec::new();
        for key in own_keys(installation)? {
            let place = key.place();
            match self.state_of(installer, &key).await? {
                KeyState::Missing => drift.push(format!("{place} lacks the key {}", key.key)),
                KeyState::Outdated | KeyState::Taken => {
                    drift.push(format!("the key {} of {place} has changed", key.key));
                }
                KeyState::NoObject | KeyState::Present => {}
            }
        }
        Ok(drift)
    }

    async fn state_of(
        &self,
        installer: &Installer<'_>,
        key: &OwnKey,
    ) -> Result<KeyState, Diagnostics> {
        let live = self.find(installer, key).await?;
        Ok(key.state(live.as_ref()))
    }

    async fn find(
        &self,
        installer: &Installer<'_>,
        key: &OwnKey,
    ) -> Result<Option<Object>, Diagnostics> {
        let found =
            installer
                .cluster
                .find(&key.kind, Some(&key.namespace), &key.object, Detail::Full);
        let found = found.await;
        found.with_context(|| format!("read {} of the cluster {}", key.place(), installer.name))
    }

    async fn modify(
        &self,
        installer: &Installer<'_>,
        key: &OwnKey,
        change: impl Fn(&mut Value),
    ) -> Result<(), Diagnostics> {
        let attempt = || format!("write {} of the cluster {}", key.place(), installer.name);
        let owner = owner().with_context(attempt)?;
        let manager = &owner.field_manager;
        let namespace = Some(key.namespace.as_str());
        let changed: Result<_, ApiError> = installer
            .cluster
            .modify(&key.kind, namespace, &key.object, manager, change)
            .await;
        changed.map(drop).with_context(attempt)
    }
}

impl OwnKey {
    fn place(&self) -> String {
        format!("{} {}/{}", self.kind.kind, self.namespace, self.object)
    }

    fn state(&self, live: Option<&Object>) -> KeyState {
        let Some(live) = live else {
            return KeyState::NoObject;
        };
        match live.get("/data").and_then(|data| data.get(&self.key)) {
            None | Some(Value::Null) => KeyState::Missing,
            Some(Value::String(value)) if self.accepts(value) => KeyState::Present,
            Some(_) if is_written_by_us(live, &self.key) => KeyState::Outdated,
            Some(_) => KeyState::Taken,
        }
    }

    /// Whether a value serves the purpose. A list of claims may have more of them.
    fn accepts(&self, value: &str) -> bool {
        let claims = |list: &str| -> Vec<String> {
            let list = list.trim_matches(['[', ']']).split(',');
            list.map(|claim| claim.trim_matches([' ', '\'', '"']).to_owned())
                .collect()
        };
        value == self.value
            || (self.key == "scopes"
                && claims(&self.value)
                    .iter()
                    .all(|claim| claims(value).contains(claim)))
    }
}

/// Returns the provider's own keys in a component.
fn own_keys(installation: Option<&Installation>) -> Result<Vec<OwnKey>, Diagnostics> {
    let Some(installation) = installation else {
        return Ok(Vec::new());
    };
    let objects = installation.own_keys().map_err(Diagnostic::bug)?;
    let keys = objects.iter().flat_map(|object| {
        let reference = object.reference();
        let (field, is_secret) = match object.get("/stringData") {
            Some(data) => (Some(data), true),
            None => (object.get("/data"), false),
        };
        let entries = field.and_then(Value::as_object).into_iter().flatten();
        entries.filter_map(move |(key, value)| {
            let value = value.as_str()?;
            Some(OwnKey {
                kind: object.kind(),
                namespace: reference.namespace.clone()?,
                object: reference.name.clone(),
                key: key.clone(),
                value: if is_secret {
                    STANDARD.encode(value)
                } else {
                    value.to_owned()
                },
            })
        })
    });
    Ok(keys.collect())
}

/// Whether the value of a key was last written by this provider, by the record that the cluster keeps of it.
fn is_written_by_us(live: &Object, key: &str) -> bool {
    let Ok(owner) = owner() else {
        return false;
    };
    let field = format!("f:{key}");
    live.list("/metadata/managedFields").iter().any(|entry| {
        let manager = entry.get("manager").and_then(Value::as_str);
        let data = entry.pointer("/fieldsV1/f:data");
        manager == Some(owner.field_manager.as_str())
            && data.is_some_and(|data| data.get(&field).is_some())
    })
}

fn set_entry(object: &mut Value, key: &str, value: &str) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let data = object.entry("data").or_insert_with(|| json!({}));
    if data.is_null() {
        *data = json!({});
    }
    if let Some(data) = data.as_object_mut() {
        data.insert(key.to_owned(), value.into());
    }
}

/// Gives up a key as server-side apply does: the value goes, unless another manager has it too.
fn give_up_entry(object: &mut Value, key: &str, manager: &str) {
    let field = format!("f:{key}");
    let managed = object.pointer_mut("/metadata/managedFields");
    let Some(entries) = managed.and_then(Value::as_array_mut) else {
        return;
    };
    let is_ours = |entry: &Value| entry.get("manager").and_then(Value::as_str) == Some(manager);
    let has_field = |entry: &Value| {
        let data = entry.pointer("/fieldsV1/f:data");
        data.is_some_and(|data| data.get(&field).is_some())
    };
    if !entries
        .iter()
        .any(|entry| is_ours(entry) && has_field(entry))
    {
        return;
    }
    if entries
        .iter()
        .any(|entry| !is_ours(entry) && has_field(entry))
    {
        for entry in entries.iter_mut().filter(|entry| is_ours(entry)) {
            let data = entry.pointer_mut("/fieldsV1/f:data");
            if let Some(data) = data.and_then(Value::as_object_mut) {
                data.remove(&field);
            }
        }
        return;
    }
    let data = object.get_mut("data").and_then(Value::as_object_mut);
    if let Some(data) = data {
        data.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str) -> OwnKey {
        OwnKey {
            kind: Kind::new("v1", "ConfigMap"),
            namespace: "argocd".to_owned(),
            object: "argocd-rbac-cm".to_owned(),
            key: "scopes".to_owned(),
            value: value.to_owned(),
        }
    }

    fn live(data: &Value, manager: &str) -> Object {
        Object::new(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "argocd-rbac-cm", "namespace": "argocd", "managedFields": [
                {"manager": manager, "fieldsV1": {"f:data": {".": {}, "f:scopes": {}}}}
            ]},
            "data": data
        }))
        .unwrap()
    }

    #[test]
    fn a_value_of_others_is_taken_unless_it_has_what_is_needed() {
        let key = key("[groups_direct]");
        assert_eq!(key.state(None), KeyState::NoObject);
        for (data, manager, expected) in [
            (json!({}), "kubectl", KeyState::Missing),
            (
                json!({"scopes": "[groups_direct]"}),
                "kubectl",
                KeyState::Present,
            ),
            (
                json!({"scopes": "[email, groups_direct]"}),
                "kubectl",
                KeyState::Present,
            ),
            (json!({"scopes": "[email]"}), "kubectl", KeyState::Taken),
            (
                json!({"scopes": "[groups]"}),
                "terraform-provider-nautes",
                KeyState::Outdated,
            ),
        ] {
            assert_eq!(key.state(Some(&live(&data, manager))), expected, "{data}");
        }
    }

    #[test]
    fn entries_are_added_beside_those_of_others() {
        let mut object = json!({"data": {"theirs": "a"}});
        set_entry(&mut object, "ours", "b");
        assert_eq!(object, json!({"data": {"theirs": "a", "ours": "b"}}));
        let mut empty = json!({"data": null});
        set_entry(&mut empty, "ours", "b");
        assert_eq!(empty, json!({"data": {"ours": "b"}}));
    }

    #[test]
    fn a_value_is_removed_only_if_nobody_else_has_it() {
        let entry = |manager: &str, fields: &Value| json!({"manager": manager, "fieldsV1": {"f:data": fields}});
        let ours = entry("us", &json!({"f:scopes": {}, "f:other": {}}));
        let object = |managed: Value| json!({"metadata": {"managedFields": managed}, "data": {"scopes": "[groups]", "other": "a"}});
        let give_up = |managed: Value| {
            let mut object = object(managed);
            give_up_entry(&mut object, "scopes", "us");
            object
        };
        let alone = give_up(json!([ours, entry("them", &json!({"f:theirs": {}}))]));
        assert_eq!(alone["data"], json!({"other": "a"}));
        let theirs = entry("them", &json!({"f:scopes": {}}));
        let both = give_up(json!([ours, theirs]));
        let left = json!([entry("us", &json!({"f:other": {}})), theirs]);
        assert_eq!(both, object(left));
        assert_eq!(give_up(json!([theirs])), object(json!([theirs])));
    }
}
