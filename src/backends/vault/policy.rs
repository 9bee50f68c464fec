//! Policies.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Vault;
use super::error::Error;
use super::request::{Request, Verb};
use super::secret::list;

/// Where policies are.
const MOUNT: &str = "sys/policies";

#[derive(Serialize)]
struct Write<'a> {
    policy: &'a str,
}

#[derive(Deserialize)]
struct Read {
    data: Policy,
}

#[derive(Deserialize)]
struct Policy {
    policy: String,
}

impl Vault {
    /// Lists the names of all policies.
    pub async fn policies(&self) -> Result<BTreeSet<String>, Error> {
        list(
            &self.session,
            &self.session.request(Verb::List, MOUNT, "acl"),
        )
        .await
    }

    /// Reads the text of a policy; `None` if there is none.
    pub async fn policy(&self, name: &str) -> Result<Option<String>, Error> {
        let answer = self
            .session
            .send(&self.request_policy(Verb::Read, name))
            .await?;
        if !answer.is_found() {
            return Ok(None);
        }
        Ok(Some(answer.read::<Read>()?.data.policy))
    }

    /// Writes a policy, and replaces the one of that name.
    pub async fn write_policy(&self, name: &str, text: &str) -> Result<(), Error> {
        let request = self.request_policy(Verb::Write, name);
        let request = request.with_body(&Write { policy: text })?;
        self.session.send(&request).await?;
        tracing::info!(policy = name, "wrote a policy in Vault");
        Ok(())
    }

    /// Deletes a policy, which may be absent. Roles that name it keep naming it.
    pub async fn delete_policy(&self, name: &str) -> Result<(), Error> {
        let (_, request) = self.policy_deletion(name);
        self.session.send(&request).await?;
        tracing::info!(policy = name, "deleted a policy in Vault");
        Ok(())
    }

    /// Returns the path of a policy, and the call that deletes it.
    pub(super) fn policy_deletion(&self, name: &str) -> (String, Request) {
        let path = format!("{MOUNT}/acl/{name}");
        (path, self.request_policy(Verb::Delete, name))
    }

    fn request_policy(&self, verb: Verb, name: &str) -> Request {
        let request = self.session.request(verb, MOUNT, &format!("acl/{name}"));
        let number = name.find(|character: char| character.is_ascii_digit());
        let kind = number.and_then(|start| name.get(..start)).unwrap_or(name);
        request.permitted_by(format!("{MOUNT}/acl/{kind}*"))
    }
}
