//! Mounts of the Kubernetes auth method, one for each cluster.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Vault;
use super::error::{Error, Kind};
use super::request::Verb;
use crate::secret::{ExposeSecret as _, Secret};

/// The type of the mounts that this module makes.
const KUBERNETES: &str = "kubernetes";

/// A mount of an auth method.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct AuthMount {
    /// The method, such as `kubernetes`.
    #[serde(rename = "type")]
    pub method: String,
    /// The description, which tells whose mount it is.
    #[serde(default)]
    pub description: String,
}

/// How Vault verifies the service accounts of a cluster.
///
/// It has no `Debug`: the token of the reviewer is secret.
pub struct KubernetesAuth {
    /// The API server, as Vault reaches it.
    pub host: String,
    /// The certificates (PEM) of the API server's authority.
    pub ca_pem: String,
    /// The token with which Vault asks the API server about others.
    pub reviewer_token: Secret,
}

/// What Vault tells of how it verifies the service accounts of a cluster; never the token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct StoredKubernetesAuth {
    /// The API server, as Vault reaches it.
    #[serde(rename = "kubernetes_host")]
    pub host: String,
    /// The certificates (PEM) of the API server's authority.
    #[serde(default, rename = "kubernetes_ca_cert")]
    pub ca_pem: String,
    /// Whether there is a token of the reviewer, if this server tells.
    #[serde(default, rename = "token_reviewer_jwt_set")]
    pub has_reviewer_token: Option<bool>,
}

/// Which service accounts may log in to a role, and what they may do.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KubernetesRole {
    /// The names of the service accounts.
    #[serde(rename = "bound_service_account_names")]
    pub service_accounts: BTreeSet<String>,
    /// Their namespaces.
    #[serde(rename = "bound_service_account_namespaces")]
    pub namespaces: BTreeSet<String>,
    /// The audience that their tokens must have.
    #[serde(default)]
    pub audience: String,
    /// The policies that they get.
    #[serde(default)]
    pub token_policies: BTreeSet<String>,
    /// The tokens that they get.
    #[serde(flatten)]
    pub tokens: TokenLimits,
}

/// Limits of the tokens that a role gives.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TokenLimits {
    /// How long they last, in seconds; 0 for as long as the mount says.
    #[serde(default, rename = "token_ttl")]
    pub seconds: u64,
    /// Whether the policy `default` is left out.
    #[serde(default, rename = "token_no_default_policy")]
    pub without_default_policy: bool,
}

#[derive(Deserialize)]
struct Read<T> {
    data: T,
}

#[derive(Serialize)]
struct Enable<'a> {
    #[serde(rename = "type")]
    method: &'a str,
    description: &'a str,
}

#[derive(Serialize)]
struct Tune<'a> {
    description: &'a str,
}

#[derive(Serialize)]
struct Configure<'a> {
    kubernetes_host: &'a str,
    kubernetes_ca_cert: &'a str,
    token_reviewer_jwt: &'a str,
    disable_local_ca_jwt: bool,
}

#[derive(Serialize)]
struct LogIn<'a> {
    role: &'a str,
    jwt: &'a str,
}

impl Vault {
    /// Reads the mount of an auth method at a name below `auth/`; `None` if there is none.
    pub async fn auth_mount(&self, name: &str) -> Result<Option<AuthMount>, Error> {
        let request = self.session.request(Verb::Read, "sys/auth", name);
        match self.session.send(&request).await {
            Ok(answer) if answer.is_found() => Ok(Some(answer.read::<Read<AuthMount>>()?.data)),
            Ok(_) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Mounts the Kubernetes auth method where nothing is mounted.
    pub async fn enable_kubernetes_auth(&self, name: &str, description: &str) -> Result<(), Error> {
        let request = self.session.request(Verb::Write, "sys/auth", name);
        let request = request.with_body(&Enable {
            method: KUBERNETES,
            description,
        })?;
        self.session.send(&request).await?;
        tracing::info!(mount = name, "mounted the Kubernetes auth method in Vault");
        Ok(())
    }

    /// Changes the description of an auth method's mount.
    pub async fn describe_auth(&self, name: &str, description: &str) -> Result<(), Error> {
        let path = format!("{name}/tune");
        let request = self.session.request(Verb::Write, "sys/auth", &path);
        let request = request.with_body(&Tune { description })?;
        self.session.send(&request).await?;
        tracing::info!(
            mount = name,
            "changed the description of an auth method in Vault"
        );
        Ok(())
    }

    /// Unmounts an auth method, which may be absent, with all its roles.
    pub async fn disable_auth(&self, name: &str) -> Result<(), Error> {
        let request = self.session.request(Verb::Delete, "sys/auth", name);
        match self.session.send(&request).await {
            Err(error) if !is_absent(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        }
        tracing::info!(mount = name, "unmounted an auth method in Vault");
        Ok(())
    }

    /// Writes how a mount verifies service accounts, all of it: a partial write clears the token of the
    /// reviewer.
    pub async fn configure_kubernetes_auth(
        &self,
        name: &str,
        auth: &KubernetesAuth,
    ) -> Result<(), Error> {
        let request = self.session.request(Verb::Write, &mount(name), "config");
        let request = request.with_body(&Configure {
            kubernetes_host: &auth.host,
            kubernetes_ca_cert: &auth.ca_pem,
            token_reviewer_jwt: auth.reviewer_token.expose_secret(),
            disable_local_ca_jwt: true,
        })?;
        self.session.send(&request).await?;
        tracing::info!(mount = name, "told Vault how to verify service accounts");
        Ok(())
    }

    /// Reads how a mount verifies service accounts; `None` if that was never written.
    pub async fn kubernetes_auth(&self, name: &str) -> Result<Option<StoredKubernetesAuth>, Error> {
        let request = self.session.request(Verb::Read, &mount(name), "config");
        let answer = self.session.send(&request).await?;
        if !answer.is_found() {
            return Ok(None);
        }
        Ok(Some(answer.read::<Read<StoredKubernetesAuth>>()?.data))
    }

    /// Writes a role of a cluster's mount.
    pub async fn write_kubernetes_role(
        &self,
        name: &str,
        role: &str,
        content: &KubernetesRole,
    ) -> Result<(), Error> {
        let request = self.request_role(Verb::Write, name, role);
        self.session.send(&request.with_body(content)?).await?;
        tracing::info!(mount = name, role, "wrote a role in Vault");
        Ok(())
    }

    /// Reads a role of a cluster's mount; `None` if there is no such role.
    pub async fn kubernetes_role(
        &self,
        name: &str,
        role: &str,
    ) -> Result<Option<KubernetesRole>, Error> {
        let answer = self
            .session
            .send(&self.request_role(Verb::Read, name, role))
            .await?;
        if !answer.is_found() {
            return Ok(None);
        }
        Ok(Some(answer.read::<Read<KubernetesRole>>()?.data))
    }

    /// Deletes a role of a cluster's mount, which may be absent.
    pub async fn delete_kubernetes_role(&self, name: &str, role: &str) -> Result<(), Error> {
        let request = self.request_role(Verb::Delete, name, role);
        self.session.send(&request).await?;
        tracing::info!(mount = name, role, "deleted a role in Vault");
        Ok(())
    }

    /// Proves that Vault can verify a service account: logs in to a role with its token.
    pub async fn prove_kubernetes_login(
        &self,
        name: &str,
        role: &str,
        token: &Secret,
    ) -> Result<(), Error> {
        let request = self.session.request(Verb::Write, &mount(name), "login");
        let request = request.with_body(&LogIn {
            role,
            jwt: token.expose_secret(),
        })?;
        self.session.send(&request).await.map(drop)
    }
}

fn mount(name: &str) -> String {
    format!("auth/{name}")
}

/// Vault answers 400 where nothing is mounted.
fn is_absent(error: &Error) -> bool {
    matches!(error.kind(), Kind::NoMount { .. } | Kind::NotFound)
        || error.mentions("No auth engine at")
        || error.mentions("no matching mount")
}
