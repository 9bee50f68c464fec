//! Which kinds a cluster serves, and where.
//!
//! Each kind is asked for by itself: one aggregated API that is down concerns nobody but those who use its
//! kinds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::connection::{ApiRequest, CallError, CallFailure, Connection, TransportError};
use crate::object::{ApiVersion, GroupKind, Kind};

/// How a cluster serves a kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    /// The kind with its version.
    pub kind: Kind,
    /// Its name in paths, such as `deployments`.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Whether its objects can be listed.
    pub listable: bool,
}

/// Why nobody can tell how a kind is served.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The cluster does not serve it.
    #[error(
        "the cluster does not serve {kind}; install what defines it first, or use a version that the cluster \
         has"
    )]
    NotServed {
        /// The kind, with its version if one was asked for.
        kind: String,
    },
    /// The server behind an aggregated API does not answer.
    #[error(
        "the API {api_version} is registered, but the server behind it does not answer; look at kubectl get \
         apiservice, and mend or remove it"
    )]
    Unavailable {
        /// The API.
        api_version: String,
        /// Why.
        source: CallError,
    },
    /// The cluster could not be asked.
    #[error(transparent)]
    Call(CallError),
}

type Shared<T> = Arc<OnceCell<T>>;

/// What is known about a cluster. Concurrent callers share one request.
#[derive(Default)]
pub(super) struct Discovery {
    resources: Mutex<HashMap<ApiVersion, Shared<Vec<Resource>>>>,
    versions: Mutex<HashMap<String, Shared<Vec<ApiVersion>>>>,
}

impl Discovery {
    pub(super) async fn resource(
        &self,
        connection: &Connection,
        kind: &Kind,
    ) -> Result<Resource, DiscoveryError> {
        let cell = shared(&self.resources, &kind.api_version);
        let read = cell.get_or_try_init(|| read_resources(connection, &kind.api_version));
        let found = match read.await {
            Ok(resources) => resources
                .iter()
                .find(|resource| resource.kind == *kind)
                .cloned(),
            Err(error) if is_not_found(&error) => None,
            Err(error) => return Err(unavailable(error, &kind.api_version)),
        };
        found.ok_or_else(|| {
            // It may be served in a moment.
            forget(&self.resources, &kind.api_version);
            DiscoveryError::NotServed {
                kind: kind.to_string(),
            }
        })
    }

    pub(super) async fn preferred(
        &self,
        connection: &Connection,
        kind: &GroupKind,
    ) -> Result<Resource, DiscoveryError> {
        let cell = shared(&self.versions, &kind.group);
        let read = cell.get_or_try_init(|| read_versions(connection, &kind.group));
        let versions = match read.await {
            Ok(versions) => versions.clone(),
            Err(error) if is_not_found(&error) => Vec::new(),
            Err(error) => return Err(DiscoveryError::Call(error)),
        };
        for version in versions {
            match self.resource(connection, &version.kind(&kind.kind)).await {
                Err(DiscoveryError::NotServed { .. }) => {}
                outcome => return outcome,
            }
        }
        forget(&self.versions, &kind.group);
        Err(DiscoveryError::NotServed {
            kind: kind.to_string(),
        })
    }

    /// Returns all kinds in namespaces that can be listed, each in the version that the cluster prefers, and
    /// the APIs that do not answer.
    pub(super) async fn namespaced(
        &self,
        connection: &Connection,
    ) -> Result<(Vec<Resource>, Vec<String>), DiscoveryError> {
        let request = ApiRequest::get("/apis".to_owned());
        let (_, groups) = connection
            .send(&request)
            .await
            .map_err(DiscoveryError::Call)?;
        let groups = groups.get("groups").and_then(Value::as_array);
        let preferred = groups.into_iter().flatten().filter_map(|group| {
            let version = group.pointer("/preferredVersion/groupVersion")?.as_str()?;
            Some(ApiVersion::parse(version))
        });
        let mut resources = Vec::new();
        let mut unavailable = Vec::new();
        for version in std::iter::once(ApiVersion::parse("v1")).chain(preferred) {
            match read_resources(connection, &version).await {
                Ok(found) => resources.extend(found),
                // Its definitions have just gone.
                Err(error) if is_not_found(&error) => {}
                Err(_) => unavailable.push(version.to_string()),
            }
        }
        resources.retain(|resource| resource.namespaced && resource.listable);
        Ok((resources, unavailable))
    }

    pub(super) fn forget(&self) {
        lock(&self.resources).clear();
        lock(&self.versions).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shared<K: Clone + Eq + std::hash::Hash, T>(
    known: &Mutex<HashMap<K, Shared<T>>>,
    key: &K,
) -> Shared<T> {
    lock(known).entry(key.clone()).or_default().clone()
}

fn forget<K: Eq + std::hash::Hash, T>(known: &Mutex<HashMap<K, Shared<T>>>, key: &K) {
    lock(known).remove(key);
}

async fn read_resources(
    connection: &Connection,
    api_version: &ApiVersion,
) -> Result<Vec<Resource>, CallError> {
    let request = ApiRequest::get(root(api_version));
    let (_, list) = connection.send(&request).await?;
    Ok(parse_resources(api_version, &list))
}

fn parse_resources(api_version: &ApiVersion, list: &Value) -> Vec<Resource> {
    let resources = list.get("resources").and_then(Value::as_array);
    let resources = resources.map_or(&[][..], Vec::as_slice).iter();
    resources
        .filter_map(|resource| {
            let plural = resource.get("name")?.as_str()?;
            // Sub-resources have a slash.
            if plural.contains('/') {
                return None;
            }
            let verbs = resource.get("verbs")?.as_array()?;
            Some(Resource {
                kind: api_version.kind(resource.get("kind")?.as_str()?),
                plural: plural.to_owned(),
                namespaced: resource.get("namespaced")?.as_bool()?,
                listable: verbs.iter().any(|verb| verb == "list"),
            })
        })
        .collect()
}

/// Returns the versions of a group, the preferred one first.
async fn read_versions(connection: &Connection, group: &str) -> Result<Vec<ApiVersion>, CallError> {
    if group.is_empty() {
        return Ok(vec![ApiVersion::parse("v1")]);
    }
    let request = ApiRequest::get(format!("/apis/{}", escape(group)));
    let (_, answer) = connection.send(&request).await?;
    let preferred = answer.pointer("/preferredVersion/groupVersion");
    let all = answer.get("versions").and_then(Value::as_array);
    let all = all
        .into_iter()
        .flatten()
        .filter_map(|version| version.get("groupVersion"));
    let mut versions: Vec<ApiVersion> = Vec::new();
    for version in preferred.into_iter().chain(all).filter_map(Value::as_str) {
        let version = ApiVersion::parse(version);
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    Ok(versions)
}

fn is_not_found(error: &CallError) -> bool {
    error.status().is_some_and(|status| status.code == 404)
}

fn unavailable(error: CallError, api_version: &ApiVersion) -> DiscoveryError {
    let is_unavailable = match error.kind() {
        CallFailure::Refused(status) => status.code == 503,
        // The server answers with a text in the place of the API that it cannot reach.
        CallFailure::Transport(TransportError::NotTheApi { status, .. }) => status.as_u16() == 503,
        CallFailure::Transport(_) => false,
    };
    if is_unavailable && !api_version.group.is_empty() {
        DiscoveryError::Unavailable {
            api_version: api_version.to_string(),
            source: error,
        }
    } else {
        DiscoveryError::Call(error)
    }
}

/// Returns the path of a version: `/apis/apps/v1`.
fn root(ApiVersion { group, version }: &ApiVersion) -> String {
    match group.as_str() {
        "" => format!("/api/{}", escape(version)),
        group => format!("/apis/{}/{}", escape(group), escape(version)),
    }
}

/// What cannot stand in a segment of a path or in a value of a query.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'/')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// Encodes a segment of a path or a value of a query.
pub(super) fn escape(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

impl Resource {
    /// Returns the path of all objects, or of those in a namespace.
    pub(super) fn collection(&self, namespace: Option<&str>) -> String {
        let root = root(&self.kind.api_version);
        let plural = escape(&self.plural);
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{}/{plural}", escape(namespace)),
            None => format!("{root}/{plural}"),
        }
    }

    /// Returns the path of one object.
    pub(super) fn path(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), escape(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_follow_group_scope_and_namespace() {
        let resource = |api_version, kind, plural: &str, namespaced| Resource {
            kind: Kind::new(api_version, kind),
            plural: plural.to_owned(),
            namespaced,
            listable: true,
        };
        let deployments = resource("apps/v1", "Deployment", "deployments", true);
        assert_eq!(
            deployments.path(Some("shop"), "web"),
            "/apis/apps/v1/namespaces/shop/deployments/web"
        );
        assert_eq!(deployments.collection(None), "/apis/apps/v1/deployments");
        let namespaces = resource("v1", "Namespace", "namespaces", false);
        assert_eq!(namespaces.path(None, "shop"), "/api/v1/namespaces/shop");
        let roles = resource(
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            "clusterroles",
            false,
        );
        assert_eq!(
            roles.path(None, "system:a/b?"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%2Fb%3F"
        );
    }

    #[test]
    fn sub_resources_are_no_kinds() {
        let list = json!({"resources": [
            {"name": "deployments", "kind": "Deployment", "namespaced": true, "verbs": ["list", "get"]},
            {"name": "deployments/scale", "kind": "Scale", "namespaced": true, "verbs": ["get"]},
            {"name": "tokenreviews", "kind": "TokenReview", "namespaced": false, "verbs": ["create"]}
        ]});
        let resources = parse_resources(&ApiVersion::parse("apps/v1"), &list);
        let shown: Vec<_> = resources
            .iter()
            .map(|it| (it.plural.as_str(), it.listable))
            .collect();
        assert_eq!(shown, [("deployments", true), ("tokenreviews", false)]);
    }
}
