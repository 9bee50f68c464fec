//! Refreshes of what a virtual cluster has in its host.

use kubernetes_apply::apply_set::LiveObjects;
use kubernetes_apply::cluster::{ApiError, Detail};
use kubernetes_apply::object::{Kind, Object};
use nautes_model::EntityName;
use serde_json::Value;
use terraform_plugin::value::{Known, Tf};

use super::super::answer::Answer;
use super::super::model::{ClusterModel, VclusterModel};
use super::super::read::Inspection;
use super::host::{Host, HostError};
use super::{host_name, object_set, settings};
use crate::client::Client;
use crate::clusters::owner;
use crate::diagnostics::Context as _;

/// Compares what a virtual cluster has in its host with how it was made, and returns whether its data are gone. After an
/// import it finds out how the cluster runs.
pub(in super::super) async fn inspect(
    client: &Client,
    name: &EntityName,
    state: &mut ClusterModel,
    drift: &mut Vec<String>,
) -> Result<Option<Answer>, Inspection> {
    let host = Host::open(client, &host_name(state)?).await;
    let host = host.map_err(|error| match error {
        HostError::Lost(found) => Inspection::HostLost(found),
        HostError::Failed(found) => Inspection::Failed(found),
    })?;
    let attempt = format!("read the virtual cluster {name} in the host {}", host.name);
    let failed = |error: ApiError| Inspection::new(error, &attempt);
    let checked = host.check().await;
    checked.map_err(|error| Inspection::of_identity(error, &attempt))?;
    let has_data = host.has_data_of(name).await.map_err(failed)?;
    let answer = (!has_data).then_some(Answer::WithoutData);
    if state.vcluster.known().is_none() {
        state.vcluster = Known(observe(&host, name).await.map_err(failed)?);
    }
    let Known(vcluster) = &state.vcluster else {
        return Ok(answer);
    };
    let is_complete = vcluster.https_node_port.known().is_some()
        && vcluster.version.known().is_some()
        && vcluster.kubernetes_version.known().is_some();
    if !is_complete {
        drift.push(format!(
            "the virtual cluster is not in the host {}",
            host.name
        ));
        return Ok(answer);
    }
    let objects = settings(client, name, state, vcluster)?.objects();
    let owner = owner().context(&attempt)?;
    let live = LiveObjects::new(&host.cluster, &owner.label);
    let differences = object_set(&host, name)?.drift(objects, None, &live).await;
    let differences = differences.context(&attempt)?;
    drift.extend(
        differences
            .iter()
            .map(|difference| format!("host {}: {difference}", host.name)),
    );
    Ok(answer)
}

/// Finds out how a virtual cluster runs; null is what the host does not tell.
async fn observe(host: &Host, name: &EntityName) -> Result<VclusterModel, ApiError> {
    let name = name.as_str();
    let find = async |kind: Kind| {
        host.cluster
            .find(&kind, Some(name), name, Detail::Full)
            .await
    };
    let service = find(Kind::new("v1", "Service")).await?;
    let stateful_set = find(Kind::new("apps/v1", "StatefulSet")).await?;
    let tag = |pointer: &str| {
        let image = stateful_set.as_ref().and_then(|set| set.text(pointer));
        let tag = image.and_then(|image| Some(image.rsplit_once(':')?.1));
        Tf::from(tag.map(|tag| format!("v{}", tag.trim_start_matches('v'))))
    };
    Ok(VclusterModel {
        https_node_port: service.as_ref().and_then(https_node_port).into(),
        version: tag("/spec/template/spec/containers/0/image"),
        kubernetes_version: tag("/spec/template/spec/initContainers/0/image"),
    })
}

fn https_node_port(service: &Object) -> Option<u64> {
    let mut ports = service.list("/spec/ports").iter();
    let https = ports.find(|port| port.get("name").and_then(Value::as_str) == Some("https"))?;
    https.get("nodePort")?.as_u64()
}
