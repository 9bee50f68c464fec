//! Adds diagnostics to responses.

use crate::diagnostics::Diagnostics;
use crate::protocol::tfplugin6 as tf;

/// A response that can carry diagnostics.
pub(super) trait RpcResponse: Default + Send {
    fn add_diagnostics(&mut self, diagnostics: &Diagnostics);
}

macro_rules! with_diagnostics {
    ($($messages:ident)*) => {
        $(
            impl RpcResponse for tf::$messages::Response {
                fn add_diagnostics(&mut self, diagnostics: &Diagnostics) {
                    self.diagnostics.extend(Vec::from(diagnostics));
                }
            }
        )*
    };
}

with_diagnostics! {
    get_metadata
    get_provider_schema
    get_resource_identity_schemas
    get_functions
    validate_provider_config
    validate_resource_config
    validate_data_resource_config
    configure_provider
    upgrade_resource_state
    upgrade_resource_identity
    move_resource_state
    read_resource
    plan_resource_change
    apply_resource_change
    import_resource_state
    read_data_source
    validate_ephemeral_resource_config
    open_ephemeral_resource
    renew_ephemeral_resource
    close_ephemeral_resource
    validate_list_resource_config
    validate_action_config
    plan_action
}

impl RpcResponse for tf::stop_provider::Response {
    fn add_diagnostics(&mut self, diagnostics: &Diagnostics) {
        self.error = diagnostics.to_string();
    }
}
