//! Functions that configurations call.

mod kubeconfig;

use terraform_plugin::provider::Registry;

use crate::client::Client;

/// Registers the functions.
pub(crate) fn register(registry: &mut Registry<Client>) {
    registry.function(kubeconfig::KubeconfigFunction);
}
