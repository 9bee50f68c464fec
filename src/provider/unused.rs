//! Arguments of kinds of resources that this version does not have yet.

use terraform_plugin::provider::ConfigureContext;

use super::block::ProviderBlock;

/// Warns of arguments that nothing in this version uses.
pub(super) fn warn_of_unused_arguments(block: &ProviderBlock, context: &mut ConfigureContext) {
    let (gitlab, vault) = (block.gitlab.as_ref(), block.vault.as_ref());
    let tenant_repository = block.tenant_repository.as_ref();
    let arguments = [
        (
            "gitlab.ssh_known_hosts",
            gitlab.is_some_and(|block| block.ssh_known_hosts.is_some()),
        ),
        (
            "vault.cluster_address",
            vault.is_some_and(|block| block.cluster_address.is_some()),
        ),
        (
            "vault.shared_credential_paths",
            vault
                .and_then(|block| block.shared_credential_paths.as_ref())
                .is_some_and(|paths| !paths.is_empty()),
        ),
        ("oidc", block.oidc.is_some()),
        (
            "tenant_repository.create",
            tenant_repository.is_some_and(|block| block.create == Some(true)),
        ),
        ("tenant_cluster", block.tenant_cluster.is_some()),
    ];
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
        format!(
            "The provider {subject} {verb} no effect in this version, which does not manage clusters and runtimes yet."
        ),
    );
}
