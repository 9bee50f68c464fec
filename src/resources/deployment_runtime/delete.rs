//! The deletion of a deployment runtime: the manifest, the Application with what it deployed, and then what no other
//! runtime needs.

use std::sync::Arc;

use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::{Kind, Object};
use kubernetes_apply::ownership::FieldManager;
use nautes_model::EntityKey;
use nautes_model::reference::EntityId;
use serde_json::json;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;

use super::model::DeploymentRuntimeModel;
use super::read::{object_id, worker_of};
use crate::claim::{Claim, Deletion};
use crate::client::Client;
use crate::config_repo::Validation;
use crate::diagnostics::Context as _;
use crate::error_chain::sentence;
use crate::lookup::{Worker, WorkerError};
use crate::resources::home::{Home, ManifestLocation};
use crate::runtime::deployment::{Application, CASCADE};
use crate::runtime::reconcile::Reconciler;
use crate::runtime::registry::{Contribution, RuntimeKind};

/// The label of the workload of Argo CD that ends Applications.
const CONTROLLER: &str = "app.kubernetes.io/name=argocd-application-controller";

/// Deletes a runtime; what is gone already is deleted already.
pub(super) async fn delete(
    operation: &mut Operation<Client>,
    state: &DeploymentRuntimeModel,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let EntityId { product, name } = state.entity_id()?;
    let attempt = format!("delete the deployment runtime {name}");
    let key = EntityKey::new(nautes_model::Kind::DeploymentRuntime, name.clone());
    let object = object_id(product, &name);
    let claim = Claim::load(&operation.private);
    if client.holders().judge_deletion(&object, claim.as_ref())? == Deletion::OfAnother {
        return Ok(());
    }
    let removal = if client.settings().nautes_reconciles() || state.cluster.is_null() {
        None
    } else {
        match worker_of(&client, state).await {
            Ok(worker) => Some(Removal::prepare(&client, worker, state, &attempt).await?),
            Err(WorkerError::Unreachable { name, error })
                if client.settings().forgets_unreachable_clusters =>
            {
                let summary = format!("The cluster {name} cannot be reached and was forgotten");
                let detail = format!(
                    "{} The manifest is deleted; what the runtime has in the cluster, and its roles in Vault, stay.",
                    sentence(&error)
                );
                operation.warn(summary, detail);
                None
            }
            Err(error) => return Err(error.into()),
        }
    };
    let validation = if operation.is_replacement() {
        Validation::Skip
    } else {
        state.common.validation(&client)
    };
    let home = Home::product(&client, product).at(ManifestLocation::load(&operation.private));
    let home = home.with_claim(claim);
    let request = home.begin(key.clone());
    home.delete(&request, &key, validation, &attempt).await?;
    drop(request);
    if let Some(removal) = removal {
        removal.run(state).await?;
    }
    client.holders().release(&object);
    Ok(())
}

/// What a state knows of what the runtime contributes.
fn contribution(state: &DeploymentRuntimeModel) -> Contribution {
    let spaces = state.effective_namespaces.known().into_iter().flatten();
    Contribution {
        spaces: spaces.cloned().collect(),
        account: Some(state.account().to_owned()),
        ..Contribution::default()
    }
}

/// What removes a runtime from its worker.
struct Removal {
    worker: Arc<Worker>,
    reconciler: Reconciler,
    /// The Application, if there is one.
    application: Option<Object>,
}

impl Removal {
    /// Checks what would keep the removal from ending, before its first effect.
    async fn prepare(
        client: &Arc<Client>,
        worker: Arc<Worker>,
        state: &DeploymentRuntimeModel,
        attempt: &str,
    ) -> Result<Self, Diagnostics> {
        let EntityId { product, name } = state.entity_id()?;
        client.require_vault().await?;
        let kind = RuntimeKind::Deployment;
        let reconciler = Reconciler::new(client, Arc::clone(&worker), product, kind, &name).await?;
        let reference = Application::reference(product, name.as_str(), worker.argo_cd());
        let namespace = reference.namespace.as_deref();
        let found = worker
            .cluster
            .find(
                &Application::kind(),
                namespace,
                &reference.name,
                Detail::Full,
            )
            .await;
        let application = found.context(attempt)?;
        if let Some(application) = &application {
            reconciler.require_own(application)?;
        }
        let removal = Self {
            worker,
            reconciler,
            application,
        };
        if state.cascade && removal.application.is_some() {
            removal.require_argo_cd(attempt).await?;
        }
        Ok(removal)
    }

    /// Checks that Argo CD runs: without it, an Application whose workloads it is to delete never goes.
    async fn require_argo_cd(&self, attempt: &str) -> Result<(), Diagnostics> {
        let kind = Kind::new("apps/v1", "StatefulSet");
        let (cluster, namespace) = (&self.worker.cluster, self.worker.argo_cd());
        let found = cluster
            .list(&kind, Some(namespace), CONTROLLER, Detail::Full)
            .await
            .context(attempt)?;
        let is_ready =
            |found: &Object| found.number("/status/readyReplicas").unwrap_or_default() > 0;
        let Some(stopped) = found.first().filter(|_| !found.iter().any(is_ready)) else {
            // One that was installed in another way may have no such label.
            return Ok(());
        };
        let detail = format!(
            "The {} in the cluster {} has no ready pod, so nothing deletes what the runtime has deployed, and its Application would never go. Nothing was changed. Repair Argo CD; or set cascade = false, apply, and then destroy: what is deployed goes with its namespaces.",
            stopped.reference(),
            self.worker.name
        );
        Err(Diagnostic::error(format!("Cannot {attempt}: Argo CD does not run"), detail).into())
    }

    async fn run(self, state: &DeploymentRuntimeModel) -> Result<(), Diagnostics> {
        if let Some(application) = &self.application {
            if state.cascade {
                self.ensure_cascade(application).await?;
            }
            let reference = application.reference();
            self.reconciler
                .delete(&Application::kind(), reference)
                .await?;
        }
        self.reconciler.remove(&contribution(state)).await
    }

    /// Makes Argo CD delete what it has deployed, if somebody has taken that away.
    async fn ensure_cascade(&self, application: &Object) -> Result<(), Diagnostics> {
        let attempt = "prepare the deletion of an Application";
        let mut finalizers = application.list("/metadata/finalizers").iter();
        if application.is_terminating() || finalizers.any(|finalizer| finalizer == CASCADE) {
            return Ok(());
        }
        let reference = application.reference();
        let object = Object::new(json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "namespace": reference.namespace,
                "name": reference.name,
                "finalizers": [CASCADE],
            },
        }));
        // Another manager than that of the specification, which stays as it is.
        let manager = FieldManager::new("tf-nautes/cascade").context(attempt)?;
        let object = object.context(attempt)?;
        let applied = self.worker.cluster.apply_fields(&object, &manager).await;
        applied.context(attempt).map(drop)
    }
}
