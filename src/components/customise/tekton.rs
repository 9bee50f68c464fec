//! Tekton: how pods of a run share volumes, and what its dashboard may do.

use super::super::error::ComponentError;
use super::super::ingress::{Backend, Exposure, ingress};
use super::super::manifest::{Manifest, label, set_metadata};

/// The settings of the dashboard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TektonDashboard {
    /// It is not reached from outside, and has the rights that its manifest gives it.
    Internal,
    /// It is reached through the gateway, behind single sign-on, and has no rights but those of its user.
    SingleSignOn {
        /// Where it is reached.
        exposure: Exposure,
        /// The middleware of the gateway that requires a login, as annotations name it:
        /// `traefik-oauth-pipeline-01@kubernetescrd`.
        middleware: String,
    },
}

const NAMESPACE: &str = "tekton-pipelines";

/// The label of bindings that give rights to the dashboard itself.
const SUBJECT_LABEL: &str = "rbac.dashboard.tekton.dev/subject";

pub(in super::super) fn customise_pipelines(manifest: &mut Manifest) -> Result<(), ComponentError> {
    manifest.require("Deployment", "tekton-pipelines-controller")?;
    manifest.require("Deployment", "tekton-pipelines-webhook")?;
    // A task may use two volumes that pods share only on one node.
    manifest.set_data("feature-flags", [("coschedule", "disabled".to_owned())])
}

impl TektonDashboard {
    pub(in super::super) fn customise(
        &self,
        manifest: &mut Manifest,
    ) -> Result<(), ComponentError> {
        manifest.require("Deployment", "tekton-dashboard")?;
        let Self::SingleSignOn {
            exposure,
            middleware,
        } = self
        else {
            return Ok(());
        };
        manifest.remove(|object| label(object, SUBJECT_LABEL) == Some("tekton-dashboard"));
        let backend = Backend {
            path: "/",
            service: "tekton-dashboard",
            port: 9097.into(),
        };
        let mut ingress = ingress(NAMESPACE, "tekton-dashboard", exposure, &backend);
        set_metadata(
            &mut ingress,
            "annotations",
            "traefik.ingress.kubernetes.io/router.middlewares",
            middleware,
        );
        manifest.objects.push(ingress);
        Ok(())
    }
}
