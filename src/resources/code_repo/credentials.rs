//! Between the attributes of a code repository and its credentials in GitLab and Vault.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use nautes_model::deploy_key::{DeployKey, enabled_keys};
use nautes_model::tree::ManifestTree;
use nautes_model::vault::GIT_MOUNT;
use nautes_model::{ProductId, RepositoryId};
use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;
use terraform_plugin::value::{Known, Path, Tf};

use super::model::{AccessTokenModel, CodeRepoModel, DeployKeyModel, DeployKeysModel};
use crate::credentials::{Expectation, Finding, KeptKey, KeptToken, Terms, Waiter};
use crate::diagnostics::{Attempted as _, causes};
use crate::provider::Client;

/// Where the enabled keys are kept beside the state.
const KEY: &str = "enabled_keys";

/// GitLab's limit for access tokens.
const LONGEST_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The titles of the keys that are to be enabled on a repository, by the manifests as they were when its own was
/// verified last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EnabledKeys(BTreeSet<String>);

impl EnabledKeys {
    /// What the manifests say; `None` if the repository has none.
    pub(super) fn of(tree: &ManifestTree, id: RepositoryId) -> Option<Self> {
        let enabled = enabled_keys(tree).remove(&id)?;
        Some(Self(enabled.iter().map(DeployKey::to_string).collect()))
    }

    /// What is kept; `None` after an import.
    pub(super) fn kept(private: &PrivateState) -> Option<Self> {
        private.get(KEY)
    }

    /// Keeps them.
    pub(super) fn keep(&self, private: &mut PrivateState) -> Result<(), Diagnostics> {
        private
            .set(KEY, self)
            .map_err(|error| Diagnostic::defect(error).into())
    }

    fn keys(&self) -> BTreeSet<DeployKey> {
        self.0
            .iter()
            .filter_map(|title| title.parse().ok())
            .collect()
    }
}

/// Reads for how long an access token is wanted; an error is on the attribute.
pub(super) fn terms(lifetime: &str, rotate_before: &str) -> Result<Terms, Diagnostic> {
    let path = Path::to("access_token");
    let terms = Terms::parse(lifetime, rotate_before).map_err(|error| {
        let text = format!("{}.", causes(&error));
        Diagnostic::error("Invalid value of access_token", text).at(&path)
    })?;
    match humantime::parse_duration(lifetime) {
        Ok(lifetime) if lifetime > LONGEST_LIFETIME => {
            let text = "GitLab takes at most 365 days, which is 8760h.";
            let summary = "The lifetime is too long";
            Err(Diagnostic::error(summary, text).at(&path.attribute("lifetime")))
        }
        _ => Ok(terms),
    }
}

fn wanted(token: &Tf<AccessTokenModel>) -> Result<Option<Terms>, Diagnostics> {
    let (lifetime, rotate_before) = match token {
        Tf::Null => return Ok(None),
        Tf::Unknown => (AccessTokenModel::LIFETIME, AccessTokenModel::ROTATE_BEFORE),
        Known(token) => (token.lifetime.as_str(), token.rotate_before.as_str()),
    };
    Ok(Some(terms(lifetime, rotate_before)?))
}

/// Checks that Vault can be used, before anything is written anywhere.
pub(crate) async fn expect_vault(client: &Client) -> Result<(), Diagnostics> {
    let mounted = client.vault()?.ensure_mount(GIT_MOUNT).await;
    mounted.attempted(format!("use the secrets engine {GIT_MOUNT} of Vault"))
}

/// Makes sure that the credentials are there which are planned.
pub(super) async fn ensure(
    client: &Client,
    planned: &mut CodeRepoModel,
    id: RepositoryId,
) -> Result<(), Diagnostics> {
    let terms = wanted(&planned.access_token)?;
    let credentials = client.credentials()?;
    let ensured = credentials
        .ensure(id, terms.as_ref(), SystemTime::now())
        .await;
    let name = &planned.name;
    let ensured = ensured.attempted(format!(
        "make the credentials of the code repository {name}"
    ))?;
    planned.deploy_keys = Known(DeployKeysModel {
        readonly: Known(ensured.deploy_keys.readonly.into()),
        readwrite: Known(ensured.deploy_keys.readwrite.into()),
    });
    if terms.is_some() {
        planned.access_token = Known(token(&planned.access_token, ensured.access_token));
    }
    Ok(())
}

/// Waits until the keys of the product's repositories are enabled as its manifests say now.
pub(super) async fn settle(
    client: &Client,
    product: ProductId,
    config_project: u64,
    id: RepositoryId,
) -> Result<(), Diagnostics> {
    let credentials = client.credentials()?;
    let waiter = Waiter::Repository(id);
    let settled = credentials.settle(product, config_project, waiter).await;
    settled.attempted(format!("enable the deploy keys of others on {id}"))
}

/// Removes the credentials of a repository.
///
/// `name` is what the user knows it by: Terraform does not say which resource a failed deletion is of.
pub(super) async fn retire(
    client: &Client,
    id: RepositoryId,
    name: &str,
) -> Result<(), Diagnostics> {
    let retired = client.credentials()?.retire(id).await;
    retired.attempted(format!(
        "remove the credentials of the code repository {name}"
    ))
}

/// Takes over what there is of the credentials, and returns in words what is wrong with them.
///
/// A token of which is not known whether it is wanted, as after an import, is.
pub(super) async fn inspect(
    client: &Client,
    state: &mut CodeRepoModel,
    id: RepositoryId,
    enabled: Option<&EnabledKeys>,
) -> Result<BTreeSet<String>, Diagnostics> {
    let is_open = state.access_token.is_unknown();
    let terms = if is_open {
        None
    } else {
        wanted(&state.access_token)?
    };
    let enabled = enabled.map(EnabledKeys::keys);
    let known = state.access_token.known();
    let expectation = Expectation {
        enabled: enabled.as_ref(),
        token: terms.as_ref(),
        known_token: known.and_then(|token| token.id.known().copied()),
    };
    let credentials = client.credentials()?;
    let inspected = credentials
        .inspect(id, expectation, SystemTime::now())
        .await;
    let name = &state.name;
    let mut inspected = inspected.attempted(format!(
        "read the credentials of the code repository {name}"
    ))?;
    state.deploy_keys = Known(DeployKeysModel {
        readonly: inspected.readonly.map(DeployKeyModel::from).into(),
        readwrite: inspected.readwrite.map(DeployKeyModel::from).into(),
    });
    if is_open {
        inspected.findings.remove(&Finding::TokenNotWanted);
        let found = inspected.access_token;
        state.access_token = found.map(|found| token(&Tf::Unknown, Some(found))).into();
    } else if terms.is_some() {
        state.access_token = Known(token(&state.access_token, inspected.access_token));
    }
    Ok(inspected.findings.iter().map(ToString::to_string).collect())
}

impl From<KeptKey> for DeployKeyModel {
    fn from(key: KeptKey) -> Self {
        Self {
            id: Known(key.id),
            fingerprint: Known(key.fingerprint),
            vault_path: Known(key.vault_path),
        }
    }
}

/// What there is of a token that is wanted; what was asked for stays.
fn token(model: &Tf<AccessTokenModel>, found: Option<KeptToken>) -> AccessTokenModel {
    let asked = model.known();
    let or = |asked: Option<&String>, default: &str| {
        asked.map_or_else(|| default.to_owned(), String::clone)
    };
    let lifetime = asked.map(|token| &token.lifetime);
    let rotate_before = asked.map(|token| &token.rotate_before);
    let (id, expires_at, rotation_due, vault_path) = match found {
        Some(found) => (
            Known(found.id),
            found.expires_at.into(),
            found.rotation_due,
            Known(found.vault_path),
        ),
        None => (Tf::Null, Tf::Null, false, Tf::Null),
    };
    AccessTokenModel {
        lifetime: or(lifetime, AccessTokenModel::LIFETIME),
        rotate_before: or(rotate_before, AccessTokenModel::ROTATE_BEFORE),
        id,
        expires_at,
        rotation_due: Known(rotation_due),
        vault_path,
    }
}
