//! Errors of a Kubernetes cluster.

use std::error::Error;

use kubernetes_apply::apply::ApplyError;
use kubernetes_apply::apply_set::{ApplySetError, DeleteError, DriftError, InventoryError};
use kubernetes_apply::cluster::{ApiError, IdentityError};
use kubernetes_apply::connection::{AccessError, CallError, TransportError};
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

/// What to do when the API server does not accept the credential.
const NEW_KUBECONFIG: &str = "The cluster does not accept the credential. Give a kubeconfig that works in kubeconfig_wo, change kubeconfig_wo_version, and apply; a destroy works after that.";

/// What to do when no TLS connection is made.
const NEW_AUTHORITY: &str = "The API server answers, but not with a certificate that the kubeconfig trusts. If the authority of the cluster was replaced, or the cluster was rebuilt, give its new kubeconfig in kubeconfig_wo, change kubeconfig_wo_version, and apply; otherwise correct api_server, or what is in between.";

fn message(attempt: &str, error: &dyn Error, next_step: &str) -> Diagnostics {
    let detail = format!("{}\n\n{next_step}", sentence(error));
    Diagnostic::error(format!("Cannot {attempt}"), detail.trim_end()).into()
}

impl Explain for ApiError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        let next_step = match (self.transport(), self.call()) {
            (Some(TransportError::Untrusted { .. } | TransportError::TlsRefused { .. }), _) => {
                NEW_AUTHORITY
            }
            (Some(_), _) => CHECK_ACCESS,
            (None, Some(call)) if call.is_refused_for("Unauthorized") => NEW_KUBECONFIG,
            (None, Some(call)) if call.is_refused_for("Forbidden") => {
                "Give the credential the right that the message names; or give a kubeconfig that has it in kubeconfig_wo, change kubeconfig_wo_version, and apply without a refresh (-refresh=false)."
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
                "Nothing was changed. Correct api_server; or, if the cluster was rebuilt and this one is meant, write its UID into cluster_uid and apply.",
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

/// Whether the API server does not accept the credential, or the kubeconfig does not trust the API server: another
/// kubeconfig is needed.
pub(crate) fn needs_kubeconfig(error: &ApiError) -> bool {
    let call = error.call();
    matches!(
        error.transport(),
        Some(TransportError::Untrusted { .. } | TransportError::TlsRefused { .. })
    ) || call.is_some_and(|call| call.is_refused_for("Unauthorized"))
}

/// Whether nothing at all answers at the address of a cluster, so that it may not exist any more.
pub(crate) fn is_silent(error: &ApiError) -> bool {
    error.call().is_some_and(CallError::is_silence)
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
