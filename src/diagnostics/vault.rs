//! Failed calls to Vault.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::{Attempted, causes};
use crate::backends::vault::{Error, Kind};

impl<T> Attempted<T> for Result<T, Error> {
    fn attempted(self, attempt: impl Into<String>) -> Result<T, Diagnostics> {
        self.map_err(|error| {
            let detail = format!("{}.\n\n{}", causes(&error), hint(error.kind()));
            Diagnostic::error(format!("Cannot {}", attempt.into()), detail.trim_end()).into()
        })
    }
}

/// Says what to do next; empty when that depends on what was attempted.
pub(super) fn hint(kind: &Kind) -> String {
    let text = match kind {
        Kind::Unreachable => {
            "Check the provider argument vault.address, and that this machine reaches it, directly or through HTTPS_PROXY."
        }
        Kind::Untrusted => {
            "If the Vault has a certificate of a private authority, name that authority in the provider argument vault.ca_file or vault.ca_pem."
        }
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
        Kind::NoMount { mount } => return missing_mount(mount),
        Kind::NotVersioned { mount } => {
            return format!(
                "If it is a key-value engine, run `vault kv enable-versioning {mount}/`."
            );
        }
        Kind::Conflict => "Something else writes to the same secret. Apply again.",
        Kind::Interrupted { .. } | Kind::Server { .. } | Kind::Limited { .. } | Kind::NotReady => {
            "What was done so far is kept. Apply again to finish it."
        }
        Kind::Redirected { .. } => {
            "Set the provider argument vault.address to the address that the Vault itself uses."
        }
        Kind::UnexpectedBody => {
            "Check that the provider argument vault.address is a Vault and not a page before it."
        }
        Kind::NotFound | Kind::Invalid | Kind::Unsendable => "",
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
