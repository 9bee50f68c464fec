//! Errors of a Kubernetes cluster.

use std::error::Error;

use kubernetes_apply::apply::ApplyError;
use kubernetes_apply::apply_set::{ApplySetError, DeleteError, DriftError, InventoryError};
use kubernetes_apply::cluster::{ApiError, IdentityError};
use kubernetes_apply::connection::{AccessError, TransportError};
use kubernetes_apply::lease::LeaseError;
use kubernetes_apply::object::ObjectError;
use kubernetes_apply::ownership::InvalidOwner;
use kubernetes_apply::single::DeleteObjectError;
use kubernetes_apply::wait::WaitError;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::Explain;
use crate::clusters::KubeconfigError;
use crate::components::ComponentError;
use crate::error_chain::sentence;
use crate::runtime::registry::RegistryError;

/// What to do when the API server cannot be used.
const CHECK_ACCESS: &str =
    "Check api_server and the kubeconfig, and that this machine reaches the API server.";

fn message(attempt: &str, error: &dyn Error, next_step: &str) -> Diagnostics {
    let detail = format!("{}\n\n{next_step}", sentence(error));
    Diagnostic::error(format!("Cannot {attempt}"), detail.trim_end()).into()
}

impl Explain for ApiError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        let next_step = match (self.transport(), self.call()) {
            (Some(_), _) => CHECK_ACCESS,
            (None, Some(call)) if call.is_refused_for("Unauthorized") => {
                "The cluster does not accept the credential. Give a kubeconfig that works, and change kubeconfig_wo_version."
            }
            (None, Some(call)) if call.is_refused_for("Forbidden") => {
                "Give the credential the right that the message names."
            }
            _ => "",
        };
        message(attempt, self, next_step)
    }
}

impl Explain for IdentityError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        match self {
            Self::Unknown(error) => error.explain(attempt),
            Self::Other { .. } => message(
                attempt,
                self,
                "Nothing was changed. Correct api_server; or, if the cluster was rebuilt and this one is meant, write its UID into cluster_uid.",
            ),
        }
    }
}

impl Explain for AccessError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(attempt, self, "Correct the kubeconfig.")
    }
}

impl Explain for KubeconfigError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(attempt, self, "Correct the kubeconfig.")
    }
}

impl Explain for ApplySetError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(
            attempt,
            self,
            "What was done so far is kept. Apply again to finish it.",
        )
    }
}

impl Explain for DeleteError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(
            attempt,
            self,
            "What is left is still in the state. Destroy again to finish it.",
        )
    }
}

impl Explain for ComponentError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(attempt, self, "")
    }
}

impl Explain for ApplyError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(
            attempt,
            self,
            "What was done so far is kept. Apply again to finish it.",
        )
    }
}

impl Explain for DeleteObjectError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(
            attempt,
            self,
            "What is left is still in the state. Destroy again to finish it.",
        )
    }
}

impl Explain for InventoryError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(attempt, self, CHECK_ACCESS)
    }
}

impl Explain for DriftError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(attempt, self, CHECK_ACCESS)
    }
}

impl Explain for LeaseError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(
            attempt,
            self,
            "What was done so far is kept. Run one apply after the other, and apply again to finish it.",
        )
    }
}

impl Explain for WaitError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(
            attempt,
            self,
            "What was applied is kept. Mend the cause and apply again.",
        )
    }
}

impl Explain for ObjectError {
    fn explain(&self, _: &str) -> Diagnostics {
        Diagnostic::bug(self).into()
    }
}

impl Explain for RegistryError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        message(
            attempt,
            self,
            "Nothing was changed. Use the version of the provider that wrote it; or, if people have edited it, correct it, or remove the key if the runtime does not exist any more.",
        )
    }
}

impl Explain for InvalidOwner {
    fn explain(&self, _: &str) -> Diagnostics {
        Diagnostic::bug(self).into()
    }
}

/// Whether nothing is known about any object of a cluster, because it gives no answer.
pub(crate) fn is_unreachable(error: &ApiError) -> bool {
    matches!(
        error.transport(),
        Some(
            TransportError::Unreachable { .. }
                | TransportError::Interrupted { .. }
                | TransportError::CircuitOpen { .. }
        )
    )
}
