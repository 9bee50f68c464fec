//! Writes the kubeconfigs of virtual clusters, which other clusters play.

use futures_util::StreamExt;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::sync::watch;

use super::{FIELD_MANAGER, Settings};

/// Writes the Secret of each virtual cluster as soon as its `StatefulSet` is there, for ever.
pub(super) async fn run(client: Client, settings: watch::Receiver<Settings>) {
    let all: Api<StatefulSet> = Api::all(client.clone());
    let mut sets = watcher(all, watcher::Config::default().labels("app=vcluster"))
        .default_backoff()
        .applied_objects()
        .boxed();
    while let Some(set) = sets.next().await {
        // The watcher repeats what fails.
        let Ok(set) = set else { continue };
        let (Some(namespace), name) = (set.namespace(), set.name_any()) else {
            continue;
        };
        let kubeconfig = settings.borrow().virtual_clusters.get(&name).cloned();
        if let Some(kubeconfig) = kubeconfig.filter(|_| set.metadata.deletion_timestamp.is_none()) {
            // After a conflict, the watcher reports the set again.
            let _ = write_secret(&client, &namespace, &name, &kubeconfig).await;
        }
    }
}

async fn write_secret(
    client: &Client,
    namespace: &str,
    name: &str,
    kubeconfig: &str,
) -> kube::Result<()> {
    let name = format!("vc-{name}");
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name },
        "stringData": { "config": kubeconfig },
    });
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(&name, &params, &Patch::Apply(&secret)).await?;
    Ok(())
}
