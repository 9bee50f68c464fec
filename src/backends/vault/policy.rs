//! Policies.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Vault;
use super::error::{Error, Kind};
use super::request::{Request, Verb};
use super::secret::list;

/// Where policies are kept.
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
        list(&self.session, &Request::new(Verb::List, MOUNT, "acl")).await
    }

    /// Reads the text of a policy; `None` if there is none.
    pub async fn policy(&self, name: &str) -> Result<Option<String>, Error> {
        let answer = self.session.send(&request(Verb::Read, name)).await?;
        if !answer.is_found() {
            return Ok(None);
        }
        Ok(Some(answer.read::<Read>()?.data.policy))
    }

    /// Writes a policy, in place of the one of that name.
    pub async fn write_policy(&self, name: &str, text: &str) -> Result<(), Error> {
        let request = request(Verb::Write, name)
            .with_body(&Write { policy: text })
            .map_err(|unsendable| Error::new(self.session.call(&unsendable), Kind::Unsendable))?;
        self.session.send(&request).await.map(|_| ())
    }

    /// Deletes a policy; it may be absent. Roles that name it go on naming it.
    pub async fn delete_policy(&self, name: &str) -> Result<(), Error> {
        let answer = self.session.send(&request(Verb::Delete, name)).await;
        answer.map(|_| ())
    }
}

fn request(verb: Verb, name: &str) -> Request {
    Request::new(verb, MOUNT, &format!("acl/{name}")).permitted_by(format!("{MOUNT}/acl/*"))
}
