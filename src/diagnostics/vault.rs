//! Failed calls to Vault.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics, SharedCause};

use super::transport::{self, BackEnd};
use super::{Explain, with_cause};
use crate::backends::vault::{Error, Kind};
use crate::error_chain::error_chain;

const VAULT: BackEnd = BackEnd {
    name: "Vault",
    address: "vault.address",
    authority: "vault.ca_file or vault.ca_pem",
};

impl Explain for Error {
    fn explain(&self, attempt: &str) -> Diagnostics {
        let detail = format!("{}.\n\n{}", error_chain(self), hint(self.kind()));
        let diagnostic = Diagnostic::error(format!("Cannot {attempt}"), detail.trim_end());
        with_cause(diagnostic, shared_cause(self)).into()
    }
}

/// Returns the cause of an error that all calls to Vault have in common.
pub(super) fn shared_cause(error: &Error) -> Option<SharedCause> {
    let is_common = matches!(
        error.kind(),
        Kind::Transport(_)
            | Kind::Sealed
            | Kind::LoginRefused
            | Kind::LoginUnreadable { .. }
            | Kind::NoNamespace
            | Kind::NoMount { .. }
            | Kind::NotVersioned { .. }
    );
    is_common
        .then(|| transport::shared_cause(error.kind(), error.transport(), &VAULT))
        .flatten()
}

/// Says what to do next; empty when that depends on what was attempted.
pub(super) fn hint(kind: &Kind) -> String {
    let text = match kind {
        Kind::Transport(error) => return transport::hint(error, &VAULT),
        Kind::Sealed => "Unseal it with `vault operator unseal`, then apply again.",
        Kind::LoginRefused => {
            "Check the way to log in that the provider argument vault names: its mount, its role, and what proves the identity."
        }
        Kind::LoginUnreadable { .. } => {
            "Set the provider argument vault.kubernetes.token_path to the file with the service account's token. Outside of a pod, log in another way."
        }
        Kind::Unauthorized { rule } => {
            return format!(
                "Check the provider argument vault.token (environment: NAUTES_VAULT_TOKEN, VAULT_TOKEN): the token is unknown, expired or revoked, or is of another vault.namespace. If it is good, but has not even the policy \"default\", its policies lack this line:\n\n  {rule}"
            );
        }
        Kind::Forbidden { rule } => {
            return format!("The policies of the token lack this line:\n\n  {rule}");
        }
        Kind::NoNamespace => {
            "Check the provider argument vault.namespace (environment: NAUTES_VAULT_NAMESPACE, VAULT_NAMESPACE): it is the full path of a namespace that exists."
        }
        Kind::NoMount { mount } => return missing_mount(mount),
        Kind::NotVersioned { mount } => {
            return format!(
                "If it is a key-value engine, run `vault kv enable-versioning {mount}/`."
            );
        }
        Kind::Conflict => "Something else writes to the same secret. Apply again.",
        Kind::NotReady => "What was done so far is kept. Apply again to finish it.",
        Kind::NotFound | Kind::Invalid => "",
    };
    text.to_owned()
}

fn missing_mount(mount: &str) -> String {
    match mount.strip_prefix("auth/") {
        Some(method) => format!(
            "Enable the Kubernetes auth method with `vault auth enable -path={method} kubernetes`, or name the mount that there is in the provider argument vault.auth_mount."
        ),
        None => format!(
            "Mount a key-value engine of version 2 with `vault secrets enable -path={mount} -version=2 kv`, or set the provider argument vault.manage_mounts to true, so that the provider does."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_as_it_is_typed() {
        let rule = r#"path "git/data/a/*" { capabilities = ["read"] }"#.to_owned();
        let forbidden = hint(&Kind::Forbidden { rule: rule.clone() });
        assert!(forbidden.ends_with(&rule), "{forbidden}");
        let no_mount = |mount: &str| {
            let mount = mount.to_owned();
            hint(&Kind::NoMount { mount })
        };
        let engine = no_mount("git");
        assert!(
            engine.contains("`vault secrets enable -path=git -version=2 kv`"),
            "{engine}"
        );
        assert!(engine.contains("vault.manage_mounts"), "{engine}");
        let method = no_mount("auth/nautes");
        assert!(
            method.contains("`vault auth enable -path=nautes kubernetes`"),
            "{method}"
        );
    }
}
