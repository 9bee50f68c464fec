//! Roles of the Kubernetes auth method, as far as their policies go.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Vault;
use super::error::{Error, Kind};
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
    /// Reads the policies that a role gives to tokens; `None` if there is no such role.
    ///
    /// `auth_mount` is a name below `auth/`.
    pub async fn role_policies(
        &self,
        auth_mount: &str,
        role: &str,
    ) -> Result<Option<BTreeSet<String>>, Error> {
        let request = request(Verb::Read, auth_mount, role);
        let answer = self.session.send(&request).await?;
        if !answer.is_found() {
            return Ok(None);
        }
        Ok(Some(answer.read::<Read>()?.data.token_policies))
    }

    /// Replaces the policies that an existing role gives to tokens.
    ///
    /// Only they are sent, and the method keeps what is not sent (`path_role.go` of the Kubernetes
    /// auth method), so that a change of something else by another writer is not undone.
    pub async fn set_role_policies(
        &self,
        auth_mount: &str,
        role: &str,
        policies: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let body = Role {
            token_policies: policies.clone(),
        };
        let request = request(Verb::Write, auth_mount, role)
            .with_body(&body)
            .map_err(|unsendable| Error::new(self.session.call(&unsendable), Kind::Unsendable))?;
        let answer = self.session.send(&request).await?;
        if answer.is_found() {
            Ok(())
        } else {
            Err(answer.not_found())
        }
    }
}

fn request(verb: Verb, auth_mount: &str, role: &str) -> Request {
    let mount = format!("auth/{auth_mount}");
    // OpenBao 2.7 does not count a line that names the role itself, if its name has capital letters.
    let permitted_by = format!("{mount}/role/*");
    Request::new(verb, &mount, &format!("role/{role}")).permitted_by(permitted_by)
}
