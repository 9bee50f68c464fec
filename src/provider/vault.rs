//! How the provider reaches Vault, and how it logs in.

use std::path::PathBuf;

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::block::{VaultAppRoleBlock, VaultBlock, VaultJwtBlock, VaultKubernetesBlock};
use super::client::not_configured;
use super::setting::Authority;
use crate::backends::vault::{Limits, Login, Options, SetupError, Vault};
use crate::diagnostics::causes;
use crate::secret::Secret;

/// What the user decided about Vault, or the defaults.
#[derive(Debug)]
pub(crate) struct VaultSettings {
    address: Option<String>,
    namespace: Option<String>,
    authority: Option<Authority>,
    manage_mounts: bool,
    login: LoginSettings,
    /// The mount, below `auth/`, of the tenant's cluster.
    pub(crate) auth_mount: String,
}

/// The way to log in, before what it needs was looked for.
#[derive(Debug)]
enum LoginSettings {
    Token(Option<Secret>),
    AppRole {
        mount: String,
        role_id: Option<String>,
        secret_id: Option<Secret>,
    },
    Jwt {
        mount: String,
        role: Option<String>,
        token: Option<Secret>,
    },
    Kubernetes {
        mount: String,
        role: Option<String>,
        token_path: Option<String>,
    },
}

/// What is looked up outside of the configuration when Vault is first needed.
pub(super) struct Surroundings {
    /// The token that a remote run has as its identity.
    workload_identity: Option<Secret>,
    /// The home folder.
    home: Option<PathBuf>,
}

impl Surroundings {
    /// Takes them from the environment of this process.
    pub(super) fn of_process() -> Self {
        let token = std::env::var("TFC_WORKLOAD_IDENTITY_TOKEN").ok();
        Self {
            workload_identity: token.filter(|token| !token.is_empty()).map(Secret::from),
            home: std::env::home_dir(),
        }
    }

    /// The token that `vault login` keeps.
    fn kept_token(&self) -> Option<Secret> {
        let file = self.home.as_ref()?.join(".vault-token");
        let token = std::fs::read_to_string(file).ok()?;
        let token = token.trim();
        (!token.is_empty()).then(|| Secret::from(token))
    }
}

impl VaultSettings {
    pub(super) fn of(block: Option<VaultBlock>, tenant: &str) -> Self {
        let Some(block) = block else {
            return Self {
                address: None,
                namespace: None,
                authority: None,
                manage_mounts: false,
                login: LoginSettings::Token(None),
                auth_mount: tenant.to_owned(),
            };
        };
        let login = LoginSettings::of(block.approle, block.jwt, block.kubernetes);
        let token = block.token.map(Secret::from);
        Self {
            address: block.address,
            namespace: block.namespace.filter(|namespace| !namespace.is_empty()),
            authority: Authority::of(block.ca_pem, block.ca_file),
            manage_mounts: block.manage_mounts.unwrap_or(false),
            login: login.unwrap_or(LoginSettings::Token(token)),
            auth_mount: block.auth_mount.unwrap_or_else(|| tenant.to_owned()),
        }
    }

    /// Whether a server is named at all.
    pub(crate) fn is_configured(&self) -> bool {
        self.address.is_some()
    }

    /// Sets up the client; nothing is sent.
    pub(super) fn connect(&self, surroundings: &Surroundings) -> Result<Vault, Diagnostics> {
        let address = self.address.clone().ok_or_else(|| {
            not_configured("Vault", "vault.address", "NAUTES_VAULT_ADDRESS, VAULT_ADDR")
        })?;
        let authority = self.authority.as_ref();
        let ca_pem = authority.map(|authority| authority.pem("vault.ca_file"));
        let options = Options {
            address,
            namespace: self.namespace.clone(),
            ca_pem: ca_pem.transpose()?,
            login: self.login.complete(surroundings)?,
            manage_mounts: self.manage_mounts,
            limits: Limits::default(),
        };
        Vault::new(options).map_err(|error| {
            let argument = match error {
                SetupError::Token(_) => "vault.token",
                SetupError::Namespace(_) => "vault.namespace",
                SetupError::Authority(_) => "vault.ca_file or ca_pem",
                SetupError::Address(_) | SetupError::Client(_) => "vault.address",
            };
            let text = format!(
                "The provider argument {argument} is wrong: {}.",
                causes(&error)
            );
            Diagnostic::error("Vault cannot be used", text).into()
        })
    }
}

impl LoginSettings {
    /// The auth method that is configured, if one is. The configuration excludes two of them, and what
    /// it says excludes what the environment says.
    fn of(
        approle: Option<VaultAppRoleBlock>,
        jwt: Option<VaultJwtBlock>,
        kubernetes: Option<VaultKubernetesBlock>,
    ) -> Option<Self> {
        let mount = |given: Option<String>, method: &str| {
            let given = given.map(|mount| mount.trim_matches('/').to_owned());
            given.unwrap_or_else(|| method.to_owned())
        };
        let approle = approle.map(|block| Self::AppRole {
            mount: mount(block.mount, "approle"),
            role_id: block.role_id,
            secret_id: block.secret_id.map(Secret::from),
        });
        let jwt = jwt.map(|block| Self::Jwt {
            mount: mount(block.mount, "jwt"),
            role: block.role,
            token: block.token.map(Secret::from),
        });
        let kubernetes = kubernetes.map(|block| Self::Kubernetes {
            mount: mount(block.mount, "kubernetes"),
            role: block.role,
            token_path: block.token_path,
        });
        approle.or(jwt).or(kubernetes)
    }

    fn complete(&self, surroundings: &Surroundings) -> Result<Login, Diagnostic> {
        match self {
            Self::Token(token) => token
                .clone()
                .or_else(|| surroundings.kept_token())
                .map(Login::Token)
                .ok_or_else(no_login),
            Self::AppRole {
                mount,
                role_id,
                secret_id,
            } => Ok(Login::AppRole {
                mount: mount.clone(),
                role_id: role_id.clone().ok_or_else(|| {
                    let variable = "NAUTES_VAULT_APPROLE_ROLE_ID";
                    not_configured("Vault", "vault.approle.role_id", variable)
                })?,
                secret_id: secret_id.clone(),
            }),
            Self::Jwt { mount, role, token } => {
                let token = token.as_ref().or(surroundings.workload_identity.as_ref());
                Ok(Login::Jwt {
                    mount: mount.clone(),
                    role: role.clone(),
                    token: token.cloned().ok_or_else(|| {
                        let variables = "NAUTES_VAULT_JWT_TOKEN, TFC_WORKLOAD_IDENTITY_TOKEN";
                        not_configured("Vault", "vault.jwt.token", variables)
                    })?,
                })
            }
            Self::Kubernetes {
                mount,
                role,
                token_path,
            } => Ok(Login::Kubernetes {
                mount: mount.clone(),
                role: role.clone().ok_or_else(|| {
                    let variable = "NAUTES_VAULT_KUBERNETES_ROLE";
                    not_configured("Vault", "vault.kubernetes.role", variable)
                })?,
                token_path: token_path.as_ref().map(PathBuf::from),
            }),
        }
    }
}

fn no_login() -> Diagnostic {
    Diagnostic::error(
        "Vault is not configured",
        "The provider argument vault.token is missing, and so is any other way to log in. Set vault.token, vault.approle, vault.jwt or vault.kubernetes in the provider block, set one of the environment variables NAUTES_VAULT_TOKEN, VAULT_TOKEN, or run `vault login`, which keeps a token in ~/.vault-token.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Surroundings = Surroundings {
        workload_identity: None,
        home: None,
    };

    fn block() -> VaultBlock {
        VaultBlock {
            cluster_address: None,
            address: Some("https://vault.example.com".to_owned()),
            namespace: None,
            ca_file: None,
            ca_pem: None,
            manage_mounts: None,
            auth_mount: None,
            token: None,
            approle: None,
            jwt: None,
            kubernetes: None,
        }
    }

    fn jwt() -> VaultJwtBlock {
        VaultJwtBlock {
            role: None,
            mount: None,
            token: None,
        }
    }

    fn login(block: VaultBlock, surroundings: &Surroundings) -> Result<Login, String> {
        let settings = VaultSettings::of(Some(block), "nautes");
        let login = settings.login.complete(surroundings);
        login.map_err(|diagnostic| diagnostic.detail)
    }

    #[test]
    fn what_is_not_configured_is_named_with_its_variables() {
        let none = VaultSettings::of(None, "nautes").connect(&NOTHING);
        let found = none.unwrap_err();
        let found = found.iter().next().unwrap();
        assert_eq!(found.summary, "Vault is not configured");
        assert_eq!(
            found.detail,
            "The provider argument vault.address is missing. Set it in the provider block, or set one of the environment variables NAUTES_VAULT_ADDRESS, VAULT_ADDR."
        );
        let missing = login(block(), &NOTHING).unwrap_err();
        assert!(
            missing.contains("NAUTES_VAULT_TOKEN, VAULT_TOKEN"),
            "{missing}"
        );
        let jwt = VaultBlock {
            jwt: Some(jwt()),
            ..block()
        };
        let missing = login(jwt, &NOTHING).unwrap_err();
        assert!(missing.contains("TFC_WORKLOAD_IDENTITY_TOKEN"), "{missing}");
    }

    #[test]
    fn an_auth_method_wins_over_a_token_and_a_token_over_the_kept_one() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(".vault-token"), "kept\n").unwrap();
        let surroundings = Surroundings {
            workload_identity: Some("identity".into()),
            home: Some(home.path().to_owned()),
        };
        let token_of = |block| {
            use secrecy::ExposeSecret;
            match login(block, &surroundings).unwrap() {
                Login::Token(token) | Login::Jwt { token, .. } => token.expose_secret().to_owned(),
                other => format!("{other:?}"),
            }
        };
        let token = Some("given".to_owned());
        assert_eq!(token_of(block()), "kept");
        assert_eq!(
            token_of(VaultBlock {
                token: token.clone(),
                ..block()
            }),
            "given"
        );
        let both = VaultBlock {
            token,
            jwt: Some(jwt()),
            ..block()
        };
        assert_eq!(token_of(both), "identity");
    }

    #[test]
    fn mounts_and_addresses_have_their_defaults() {
        let settings = VaultSettings::of(Some(block()), "acme");
        assert_eq!(settings.auth_mount, "acme");
        let jwt = VaultBlock {
            jwt: Some(jwt()),
            ..block()
        };
        let settings = VaultSettings::of(Some(jwt), "acme");
        assert!(matches!(settings.login, LoginSettings::Jwt { mount, .. } if mount == "jwt"));
    }
}
