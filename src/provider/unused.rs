//! Arguments of kinds of resources that this version does not have yet.

use terraform_plugin::provider::ConfigureContext;

use super::block::ProviderBlock;

/// Warns of arguments that nothing in this version uses.
pub(super) fn warn_of_unused_arguments(block: &ProviderBlock, context: &mut ConfigureContext) {
    let arguments = [("tenant_cluster", block.tenant_cluster.is_some())];
    let unused: Vec<_> = arguments
        .into_iter()
        .filter_map(|(argument, is_set)| is_set.then_some(argument))
        .collect();
    let (subject, verb) = match unused.as_slice() {
        [] => return,
        [only] => (format!("argument {only}"), "has"),
        several => (format!("arguments {}", several.join(", ")), "have"),
    };
    context.warn(
        "Provider arguments without effect",
        format!("The provider {subject} {verb} no effect in this version."),
    );
}
