//! What the token may do, asked before the first effect of something that would stop half-way.

use std::collections::BTreeMap;

use nautes_model::vault::SecretPath;
use serde::{Deserialize, Serialize};

use super::Vault;
use super::error::{Error, Kind};
use super::request::{Request, Verb};

#[derive(Serialize)]
struct Question<'a> {
    paths: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Answered {
    data: BTreeMap<String, Vec<String>>,
}

impl Vault {
    /// Checks that the token may delete secrets and their policies, without deleting them.
    ///
    /// Fails with [`Kind::Forbidden`] for the first one that it may not. A token that may not even
    /// ask passes: then the deletion itself tells.
    pub async fn check_deletable(&self, secrets: &[SecretPath]) -> Result<(), Error> {
        let deletions: Vec<(String, Request)> = secrets
            .iter()
            .flat_map(|path| {
                [
                    self.secret_deletion(path),
                    self.policy_deletion(&path.policy_name()),
                ]
            })
            .collect();
        let question = Question {
            paths: deletions.iter().map(|(path, _)| path.as_str()).collect(),
        };
        let request = self
            .session
            .request(Verb::Write, "sys", "capabilities-self");
        let answer = match self.session.send(&request.with_body(&question)?).await {
            Err(error) if matches!(error.kind(), Kind::Forbidden { .. }) => return Ok(()),
            answered => answered?,
        };
        let capabilities = answer.read::<Answered>()?.data;
        let may_delete = |path: &str| {
            let mut of_path = capabilities.get(path).into_iter().flatten();
            of_path.any(|capability| capability == "delete" || capability == "root")
        };
        match deletions.iter().find(|(path, _)| !may_delete(path)) {
            Some((_, deletion)) => Err(deletion.forbidden()),
            None => Ok(()),
        }
    }

    /// Returns whether the token may read a secret of a key-value engine. A token that may not even ask counts as one
    /// that may not.
    pub(crate) async fn may_read(&self, mount: &str, path: &str) -> Result<bool, Error> {
        let data = format!("{mount}/data/{path}");
        let question = Question {
            paths: vec![data.as_str()],
        };
        let request = self
            .session
            .request(Verb::Write, "sys", "capabilities-self");
        let answer = match self.session.send(&request.with_body(&question)?).await {
            Err(error) if matches!(error.kind(), Kind::Forbidden { .. }) => return Ok(false),
            answered => answered?,
        };
        let capabilities = answer.read::<Answered>()?.data;
        let mut of_path = capabilities.get(&data).into_iter().flatten();
        Ok(of_path.any(|capability| capability == "read" || capability == "root"))
    }
}
