//! Roles of the Kubernetes auth method, as far as their policies go.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Vault;
use super::error::Error;
use super::request::{Request, Verb};

#[derive(Deserialize)]
struct Read {
    data: Role,
}

#[derive(Serialize, Deserialize)]
struct Role {
    #[serde(default)]
    token_policies: BTreeSet<String>,
}

impl Vault {
    /// Reads the policies that a role grants to tokens; `None` if there is no such role.
    ///
    /// `auth_mount` is a name below `auth/`.
    pub async fn role_policies(
        &self,
        auth_mount: &str,
        role: &str,
    ) -> Result<Option<BTreeSet<String>>, Error> {
        let request = self.request_role(Verb::Read, auth_mount, role);
        let answer = self.session.send(&request).await?;
        if !answer.is_found() {
            return Ok(None);
        }
        Ok(Some(answer.read::<Read>()?.data.token_policies))
    }

    /// Replaces the policies that an existing role grants to tokens.
    ///
    /// It sends nothing else, and the method keeps what is not sent (`path_role.go` of the Kubernetes
    /// auth method), so other settings that another writer changes stay.
    pub async fn set_role_policies(
        &self,
        auth_mount: &str,
        role: &str,
        policies: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let body = Role {
            token_policies: policies.clone(),
        };
        let request = self.request_role(Verb::Write, auth_mount, role);
        let request = request.with_body(&body)?;
        let answer = self.session.send(&request).await?;
        if answer.is_found() {
            Ok(())
        } else {
            Err(answer.not_found())
        }
    }

    pub(super) fn request_role(&self, verb: Verb, auth_mount: &str, role: &str) -> Request {
        let mount = format!("auth/{auth_mount}");
        let request = self.session.request(verb, &mount, &format!("role/{role}"));
        // OpenBao 2.7 ignores a line that names a role with capital letters itself.
        request.permitted_by(format!("{mount}/role/*"))
    }
}
