//! `data "nautes_deployment_runtime"`: one runtime, with how far Argo CD is.

use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::Object;
use nautes_model::reference::EntityId;
use nautes_model::{EntityKey, Kind};
use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Convert as _, Tf};

use super::model::DeploymentRuntimeModel;
use super::read::{self, TYPE_NAME, worker_of};
use crate::client::Client;
use crate::lookup::WorkerError;
use crate::resources::attribute::check_lookup_arguments;
use crate::resources::manifest::{entity_to_look_up, missing_entity};
use crate::runtime::deployment::{Application, health_status, sync_status};

/// A deployment runtime, with how far Argo CD is.
#[derive(Debug, Model)]
pub(crate) struct DeploymentRuntimeData {
    /// The attributes of the resource.
    #[tf(flatten)]
    runtime: DeploymentRuntimeModel,
    /// Whether what is in the repository is in the cluster, in Argo CD's words, such as `Synced` or `OutOfSync`; null if
    /// Argo CD has not looked at it yet, or the cluster gives no answer.
    sync_status: Tf<String>,
    /// Whether what is deployed works, in Argo CD's words, such as `Healthy` or `Degraded`; null as `sync_status`.
    health_status: Tf<String>,
}

/// `data "nautes_deployment_runtime"`.
pub(crate) struct DeploymentRuntimeDataSource;

impl DataSource for DeploymentRuntimeDataSource {
    type Client = Client;
    type Data = DeploymentRuntimeData;
    const TYPE_NAME: &'static str = TYPE_NAME;
    const DESCRIPTION: &'static str = "Looks up a deployment runtime of a product, by product and name or by id. With reconciler = \"provider\" its cluster is asked how far Argo CD is.";
    const REQUIRED: &'static [&'static str] = &[];
    const OPTIONAL: &'static [&'static str] = &["id", "product", "name"];
    const OMITTED: &'static [&'static str] = &[
        "sync",
        "push_hook",
        "wait_for",
        "cascade",
        "insecure_skip_check",
        "timeouts",
    ];

    fn validate(&self, config: &PlanOf<DeploymentRuntimeData>) -> Diagnostics {
        let runtime = &config.runtime;
        check_lookup_arguments(
            !runtime.common.id.is_null(),
            !runtime.common.product.is_null(),
            !runtime.name.is_null(),
        )
    }

    async fn read(
        &self,
        context: &mut Context<Client>,
        config: PlanOf<DeploymentRuntimeData>,
    ) -> Result<DeploymentRuntimeData, Diagnostics> {
        let (product, name, path) = entity_to_look_up(&config.to_value(), Kind::DeploymentRuntime)?;
        let loaded = read::load(context.client(), product, &name).await?;
        let Some((runtime, _, _)) = loaded else {
            let key = EntityKey::new(Kind::DeploymentRuntime, name);
            return Err(missing_entity(&key, &path).into());
        };
        let application = match find_application(context.client(), &runtime).await {
            Ok(application) => application,
            Err(WorkerError::Unreachable { name, error }) => {
                let (summary, detail) = WorkerError::unreachable_warning(&name, &error);
                context.warn(summary, detail);
                None
            }
            Err(WorkerError::Failed(found)) => return Err(found),
        };
        let status = |read: fn(&Object) -> Option<&str>| {
            application
                .as_ref()
                .and_then(read)
                .map(str::to_owned)
                .into()
        };
        Ok(DeploymentRuntimeData {
            sync_status: status(sync_status),
            health_status: status(health_status),
            runtime,
        })
    }
}

/// Reads the Application of a runtime; `None` if there is none, or the operators of Nautes make it.
async fn find_application(
    client: &Client,
    runtime: &DeploymentRuntimeModel,
) -> Result<Option<Object>, WorkerError> {
    if client.settings().nautes_reconciles() {
        return Ok(None);
    }
    let worker = worker_of(client, runtime).await?;
    let EntityId { product, name } = runtime.entity_id()?;
    let application = Application::reference(product, name.as_str(), worker.argo_cd());
    let namespace = application.namespace.as_deref();
    let kind = Application::kind();
    let found = worker
        .cluster
        .find(&kind, namespace, &application.name, Detail::Full)
        .await;
    let attempt = format!("read the {application} in the cluster {}", worker.name);
    found.map_err(|error| WorkerError::from_api(&worker.name, error, &attempt))
}
