//! How the provider connects to Vault and logs in.

use std::collections::BTreeSet;
use std::path::PathBuf;

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::{not_configured, wrong_argument};
use crate::backends::vault::{Limits, Login, Options, UserAgent, Vault};
use crate::secret::Secret;

/// The settings of Vault.
#[derive(Debug)]
pub(crate) struct VaultSettings {
    pub(crate) address: Option<String>,
    /// The address by which pods reach it.
    pub(crate) cluster_address: Option<String>,
    pub(crate) namespace: Option<String>,
    /// Certificates (PEM) of authorities that are trusted besides the system's.
    pub(crate) ca_pem: Option<String>,
    pub(crate) manage_mounts: bool,
    /// The paths besides those of products that `credentials` of runtimes may name.
    pub(crate) shared_credential_paths: BTreeSet<String>,
    pub(crate) login: LoginSettings,
    /// The mount, below `auth/`, of the tenant's cluster.
    pub(crate) auth_mount: String,
}

/// The way to log in, as configured; what is missing is taken from the process environment.
#[derive(Debug)]
pub(crate) enum LoginSettings {
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

/// What the process environment adds to the configuration when Vault is first needed.
pub(super) struct ProcessEnv {
    /// The workload identity token of a remote run.
    workload_identity: Option<Secret>,
    home: Option<PathBuf>,
}

impl ProcessEnv {
    /// Reads the environment of this process.
    pub(super) fn load() -> Self {
        let token = std::env::var("TFC_WORKLOAD_IDENTITY_TOKEN").ok();
        Self {
            workload_identity: token.filter(|token| !token.is_empty()).map(Secret::from),
            home: std::env::home_dir(),
        }
    }

    /// The token that `vault login` has stored.
    fn stored_token(&self) -> Option<Secret> {
        let file = self.home.as_ref()?.join(".vault-token");
        let token = std::fs::read_to_string(file).ok()?;
        let token = token.trim();
        (!token.is_empty()).then(|| Secret::from(token))
    }
}

impl VaultSettings {
    /// Whether a server is configured.
    pub(crate) fn is_configured(&self) -> bool {
        self.address.is_some()
    }

    /// Makes the client; nothing is sent.
    pub(super) fn connect(
        &self,
        env: &ProcessEnv,
        user_agent: &UserAgent,
    ) -> Result<Vault, Diagnostics> {
        let address = self.address.clone().ok_or_else(|| {
            not_configured("Vault", "vault.address", "NAUTES_VAULT_ADDRESS, VAULT_ADDR")
        })?;
        let options = Options {
            address,
            namespace: self.namespace.clone(),
            ca_pem: self.ca_pem.clone(),
            login: self.login.resolve(env)?,
            manage_mounts: self.manage_mounts,
            limits: Limits::default(),
        };
        let vault = Vault::with_user_agent(options, user_agent);
        vault.map_err(|error| wrong_argument("Vault", "vault", "address", &error).into())
    }
}

impl LoginSettings {
    fn resolve(&self, env: &ProcessEnv) -> Result<Login, Diagnostic> {
        match self {
            Self::Token(token) => token
                .clone()
                .or_else(|| env.stored_token())
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
                let token = token.as_ref().or(env.workload_identity.as_ref());
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

    const EMPTY: ProcessEnv = ProcessEnv {
        workload_identity: None,
        home: None,
    };

    fn jwt() -> LoginSettings {
        LoginSettings::Jwt {
            mount: "jwt".to_owned(),
            role: None,
            token: None,
        }
    }

    fn detail<T>(result: Result<T, Diagnostic>) -> String {
        result.map(drop).unwrap_err().detail
    }

    #[test]
    fn a_missing_argument_is_named_with_its_variables() {
        let settings = VaultSettings {
            address: None,
            cluster_address: None,
            namespace: None,
            ca_pem: None,
            manage_mounts: false,
            shared_credential_paths: BTreeSet::new(),
            login: LoginSettings::Token(None),
            auth_mount: "nautes".to_owned(),
        };
        let found = settings.connect(&EMPTY, &UserAgent::default());
        let found = found.unwrap_err();
        let found = found.iter().next().unwrap();
        assert_eq!(found.summary, "Vault is not configured");
        assert_eq!(
            found.detail,
            "The provider argument vault.address is missing. Set it in the provider block, or set one of the environment variables NAUTES_VAULT_ADDRESS, VAULT_ADDR."
        );
        let missing = detail(settings.login.resolve(&EMPTY));
        assert!(
            missing.contains("NAUTES_VAULT_TOKEN, VAULT_TOKEN"),
            "{missing}"
        );
        let missing = detail(jwt().resolve(&EMPTY));
        assert!(missing.contains("TFC_WORKLOAD_IDENTITY_TOKEN"), "{missing}");
    }

    #[test]
    fn a_configured_token_wins_over_the_stored_one_and_a_workload_identity_completes_a_jwt_login() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(".vault-token"), "stored\n").unwrap();
        let env = ProcessEnv {
            workload_identity: Some("identity".into()),
            home: Some(home.path().to_owned()),
        };
        let token_of = |login: LoginSettings| {
            use secrecy::ExposeSecret;
            match login.resolve(&env).unwrap() {
                Login::Token(token) | Login::Jwt { token, .. } => token.expose_secret().to_owned(),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(token_of(LoginSettings::Token(None)), "stored");
        let configured = LoginSettings::Token(Some("configured".into()));
        assert_eq!(token_of(configured), "configured");
        assert_eq!(token_of(jwt()), "identity");
    }
}
