//! The credentials of a code repository in GitLab and Vault, as its attributes describe them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::Permissions;
use nautes_model::vault::{GitSecret, SecretPath};
use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::value::{Known, Path, Tf};
use terraform_plugin::waiting::waiting_for;

use super::model::{
    AccessTokenModel, CodeRepoModel, DeployKeyModel, DeployKeyModelPlan, DeployKeysModel,
    DeployKeysModelPlan,
};
use crate::backends::gitlab::Project;
use crate::client::Client;
use crate::config_repo::Snapshot;
use crate::credentials::{
    Expectation, Finding, KnownKeys, Owner, StoredKey, StoredToken, Subscriber, TokenPolicy,
};
use crate::diagnostics::Context as _;
use crate::error_chain::error_chain;

/// GitLab's default limit for access tokens.
const MAX_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Parses the lifetime of an access token and when it is rotated; an error names the attribute.
pub(super) fn token_policy(lifetime: &str, rotate_before: &str) -> Result<TokenPolicy, Diagnostic> {
    let path = Path::to("access_token");
    let policy = TokenPolicy::parse(lifetime, rotate_before).map_err(|error| {
        let text = format!("{}.", error_chain(&error));
        Diagnostic::error("Invalid value for access_token", text).at(&path)
    })?;
    match humantime::parse_duration(lifetime) {
        Ok(lifetime) if lifetime > MAX_LIFETIME => {
            let text = "GitLab takes at most 365 days, which is 8760h.";
            let summary = "The lifetime is too long";
            Err(Diagnostic::error(summary, text).at(&path.attribute("lifetime")))
        }
        _ => Ok(policy),
    }
}

/// Refuses to adopt a project with keys or tokens that the adoption would remove, which no plan shows:
/// those that Vault does not hold, and an access token where none is planned.
pub(super) async fn check_adoption(
    client: &Client,
    planned: &CodeRepoModel,
    project: &Project,
) -> Result<(), Diagnostics> {
    let path = &project.path_with_namespace;
    let id = RepositoryId::new(project.id);
    let unknown = client.credentials()?.not_in_vault(project).await;
    let unknown = unknown.with_context(|| format!("look for keys and tokens of {path}"))?;
    if !unknown.is_empty() {
        let detail = format!(
            "GitLab has {}, with the titles or the name of the keys and tokens that this provider makes, and Vault does not hold them. The adoption would remove them, and somebody may use them. Nothing was changed. Check the provider argument vault.address; if nothing uses them, remove them in GitLab before the adoption.",
            unknown.join(", ")
        );
        let summary = format!("Adopting {path} would remove keys or tokens that others may use");
        return Err(Diagnostic::error(summary, detail)
            .at(&Path::to("adopt_existing"))
            .into());
    }
    if !planned.access_token.is_null() {
        return Ok(());
    }
    let has_token = client.credentials()?.has_access_token(id).await;
    if !has_token.with_context(|| format!("look for an access token of {path}"))? {
        return Ok(());
    }
    let detail = format!(
        "Vault has the secret of an access token of the GitLab project {path}, and the configuration wants none. Add access_token = {{}} to keep the token; if nothing uses it, revoke it in GitLab, and delete its secret, or remove access_token from the configuration after the adoption."
    );
    let summary = format!("Adopting {path} would revoke its access token");
    Err(Diagnostic::error(summary, detail)
        .at(&Path::to("access_token"))
        .into())
}

fn wanted_policy(token: &Tf<AccessTokenModel>) -> Result<Option<TokenPolicy>, Diagnostics> {
    let (lifetime, rotate_before) = match token {
        Tf::Null => return Ok(None),
        Tf::Unknown => (AccessTokenModel::LIFETIME, AccessTokenModel::ROTATE_BEFORE),
        Known(token) => (token.lifetime.as_str(), token.rotate_before.as_str()),
    };
    Ok(Some(token_policy(lifetime, rotate_before)?))
}

/// Ensures that a repository has the planned credentials. `has_token` says whether there may be an access token even if
/// none is planned; `kept` are those that are not made anew.
pub(super) async fn ensure(
    client: &Client,
    planned: &mut CodeRepoModel,
    project: &Project,
    has_token: bool,
    kept: &BTreeSet<GitSecret>,
) -> Result<(), Diagnostics> {
    let policy = wanted_policy(&planned.access_token)?;
    let credentials = client.credentials()?;
    let now = SystemTime::now();
    let ensured = credentials
        .ensure(project, policy.as_ref(), has_token, kept, now)
        .await;
    let name = &planned.name;
    let ensured =
        ensured.with_context(|| format!("create the credentials of the code repository {name}"))?;
    planned.deploy_keys = Known(DeployKeysModel {
        readonly: Known(ensured.deploy_keys.readonly.into()),
        readwrite: Known(ensured.deploy_keys.readwrite.into()),
    });
    if policy.is_some() {
        planned.access_token = Known(token_model(&planned.access_token, ensured.access_token));
    }
    Ok(())
}

/// Whether an update leaves the credentials of a repository alone.
pub(super) fn keeps_all(prior: &CodeRepoModel, planned: &CodeRepoModel) -> bool {
    prior.common.drift.is_null()
        && planned.access_token == prior.access_token
        && planned.deploy_keys == prior.deploy_keys
}

/// Ensures that a repository has the planned credentials, if the plan makes any of them anew or what the last refresh
/// found may be about them. Returns whether its deploy keys are new; `prior` has what it has now.
///
/// Keys and a token that the plan keeps, and that are not what they were when it was made, are an error: the next plan
/// shows what becomes of them.
pub(super) async fn update(
    client: &Client,
    prior: &mut CodeRepoModel,
    planned: &mut CodeRepoModel,
    project: &Project,
) -> Result<bool, Diagnostics> {
    if keeps_all(prior, planned) {
        return Ok(false);
    }
    let mut ensured = planned.clone();
    let drift = prior.common.drift.known().into_iter().flatten();
    let drift: BTreeSet<&str> = drift.map(String::as_str).collect();
    let has_token =
        !prior.access_token.is_null() || names_token(&drift, RepositoryId::new(project.id));
    let kept = kept_secrets(planned);
    ensure(client, &mut ensured, project, has_token, &kept).await?;
    let keys = (key_ids(&planned.deploy_keys), key_ids(&ensured.deploy_keys));
    let token = |token: &Tf<AccessTokenModel>| token.known().map(|token| token.id.clone());
    let tokens = (token(&planned.access_token), token(&ensured.access_token));
    let is_planned =
        |planned: &Tf<u64>, ensured: &Tf<u64>| planned.is_unknown() || planned == ensured;
    let as_planned = is_planned(&keys.0.0, &keys.1.0)
        && is_planned(&keys.0.1, &keys.1.1)
        && match &tokens {
            (Some(planned), Some(ensured)) => is_planned(planned, ensured),
            _ => true,
        };
    let has_new_keys = key_ids(&prior.deploy_keys) != keys.1;
    prior.deploy_keys.clone_from(&ensured.deploy_keys);
    prior.access_token.clone_from(&ensured.access_token);
    if !as_planned {
        let detail = format!(
            "The deploy keys or the access token of the code repository {} were changed after the plan was made, and are in order again. Plan again, since the plan kept the former ones.",
            planned.name
        );
        return Err(Diagnostic::error("The plan is out of date", detail).into());
    }
    fill_keys(&mut planned.deploy_keys, ensured.deploy_keys);
    planned.access_token = ensured.access_token;
    Ok(has_new_keys)
}

/// The secrets of the keys and of the token that the plan keeps.
fn kept_secrets(planned: &CodeRepoModel) -> BTreeSet<GitSecret> {
    let (readonly, readwrite) = key_ids(&planned.deploy_keys);
    let token = planned.access_token.known();
    [
        (
            readonly.known().is_some(),
            GitSecret::from(Permissions::ReadOnly),
        ),
        (
            readwrite.known().is_some(),
            GitSecret::from(Permissions::ReadWrite),
        ),
        (
            token.is_some_and(|token| token.id.known().is_some()),
            GitSecret::AccessToken,
        ),
    ]
    .into_iter()
    .filter_map(|(is_kept, secret)| is_kept.then_some(secret))
    .collect()
}

/// Sets what the plan left open of the deploy keys.
fn fill_keys(planned: &mut Tf<DeployKeysModel>, ensured: Tf<DeployKeysModel>) {
    let (Known(planned), Known(ensured)) = (&mut *planned, &ensured) else {
        *planned = ensured;
        return;
    };
    let fill = |planned: &mut Tf<DeployKeyModel>, ensured: &Tf<DeployKeyModel>| {
        let keeps = planned.known().is_some_and(|key| key.id.known().is_some());
        if !keeps {
            planned.clone_from(ensured);
        }
    };
    fill(&mut planned.readonly, &ensured.readonly);
    fill(&mut planned.readwrite, &ensured.readwrite);
}

/// The numbers of the read-only and of the read-write key.
fn key_ids(keys: &Tf<DeployKeysModel>) -> (Tf<u64>, Tf<u64>) {
    let id = |key: &Tf<DeployKeyModel>| match key {
        Known(key) => key.id.clone(),
        Tf::Null => Tf::Null,
        Tf::Unknown => Tf::Unknown,
    };
    match keys {
        Known(keys) => (id(&keys.readonly), id(&keys.readwrite)),
        Tf::Null => (Tf::Null, Tf::Null),
        Tf::Unknown => (Tf::Unknown, Tf::Unknown),
    }
}

/// Returns the plan of an update for the deploy keys: those that drift names, or that are gone, are made anew.
pub(super) fn planned_keys(
    keys: &DeployKeysModel,
    id: RepositoryId,
    drift: &BTreeSet<&str>,
) -> PlanOf<DeployKeysModel> {
    let plan = |key: &Tf<DeployKeyModel>, permissions: Permissions| {
        let title = DeployKey {
            owner: id,
            permissions,
        }
        .to_string();
        let path = SecretPath::for_repository(id, permissions.into()).to_string();
        let is_named = drift
            .iter()
            .any(|found| found.contains(&title) || found.contains(&path));
        match key {
            Known(key) if !is_named => DeployKeyModelPlan {
                id: key.id.clone(),
                fingerprint: key.fingerprint.clone(),
                public_key: key.public_key.clone(),
                vault_path: key.vault_path.clone(),
            },
            _ => DeployKeyModelPlan {
                id: Tf::Unknown,
                fingerprint: Tf::Unknown,
                public_key: Tf::Unknown,
                vault_path: Known(path),
            },
        }
    };
    DeployKeysModelPlan {
        readonly: Known(plan(&keys.readonly, Permissions::ReadOnly)),
        readwrite: Known(plan(&keys.readwrite, Permissions::ReadWrite)),
    }
}

/// Whether drift names the access token of a repository.
pub(super) fn names_token(drift: &BTreeSet<&str>, id: RepositoryId) -> bool {
    let path = SecretPath::for_repository(id, GitSecret::AccessToken).to_string();
    drift
        .iter()
        .any(|found| found.contains("access token") || found.contains(&path))
}

/// Waits until the deploy keys that concern a repository are enabled as the product's manifests say.
///
/// `before` is the configuration repository before the request changed it; `None` if it changed no authorisation.
pub(super) async fn wait_for_distribution(
    client: &Client,
    product: ProductId,
    config_project: u64,
    id: RepositoryId,
    before: Option<Arc<Snapshot>>,
) -> Result<(), Diagnostics> {
    let subscriber = Subscriber::Repository {
        repository: id,
        before,
    };
    let _waiting = waiting_for(move || format!("the deploy keys of others to be enabled on {id}"));
    client
        .credentials()?
        .wait_for_distribution(product, config_project, subscriber)
        .await
        .with_context(|| format!("enable the deploy keys of others on {id}"))
}

/// Checks that the secrets of a repository can be removed, before anything of it is.
///
/// `name` identifies the repository to the user, because Terraform does not name the resource of a failed deletion.
pub(super) async fn check_removable(
    client: &Client,
    owner: &Owner,
    name: &str,
) -> Result<(), Diagnostics> {
    let checked = client.credentials()?.check_removable(owner.clone()).await;
    checked.with_context(|| format!("delete the code repository {name}"))
}

/// Removes the keys and tokens of a repository from GitLab. `has_token` says whether there may be an access token that
/// Vault does not hold.
pub(super) async fn remove_from_gitlab(
    client: &Client,
    id: RepositoryId,
    name: &str,
    has_token: bool,
) -> Result<(), Diagnostics> {
    let removed = client
        .credentials()?
        .remove_from_gitlab(id, has_token)
        .await;
    removed.with_context(|| format!("remove the keys and tokens of the code repository {name}"))
}

/// Removes the keys and tokens of a repository that was deleted, as far as GitLab still lets anybody; they go with it.
pub(super) async fn remove_of_deleted(
    client: &Client,
    id: RepositoryId,
    has_token: bool,
) -> Result<(), Diagnostics> {
    let removed = client
        .credentials()?
        .remove_from_gitlab(id, has_token)
        .await;
    if let Err(error) = removed {
        tracing::info!(%error, "keys and tokens of {id} go with its project");
    }
    Ok(())
}

/// Removes the secrets and policies of a repository, which cannot be restored.
pub(super) async fn remove_from_vault(
    client: &Client,
    owner: Owner,
    name: &str,
) -> Result<(), Diagnostics> {
    let removed = client.credentials()?.remove_from_vault(owner).await;
    removed.with_context(|| format!("remove the secrets of the code repository {name}"))
}

/// Returns the warning about the secrets of a repository that may live where the token sees nothing.
pub(super) fn kept_secrets_warning(id: RepositoryId, name: &str) -> (String, String) {
    (
        format!("Secrets of the code repository {name} may be left in Vault"),
        format!(
            "GitLab does not find the project of {id}, and the owner of the provider argument gitlab.token is no administrator: the project may have been moved to a group that this owner does not see. So its secrets git/gitlab/{id}/default/* and its policies gitlab-{id}-default-* were not removed. Remove them by hand if the project is gone."
        ),
    )
}

/// Whether Vault holds secrets of a repository, which name no other owner.
pub(super) async fn has_secrets(
    client: &Client,
    owner: Owner,
    name: &str,
) -> Result<bool, Diagnostics> {
    let has_secrets = client.credentials()?.has_secrets_of(owner).await;
    has_secrets.context(reading(name))
}

/// Lists the deploy keys of code repositories that GitLab has enabled on a repository.
pub(super) async fn listed_keys(
    client: &Client,
    id: RepositoryId,
    name: &str,
) -> Result<Vec<DeployKey>, Diagnostics> {
    let listed = client.credentials()?.listed_keys(id).await;
    listed.context(reading(name))
}

/// Updates the state from the existing credentials, and returns the differences from their expected state as texts.
///
/// `enabled` are the deploy keys that are to be enabled on the repository; `None` checks its own alone. If it is unknown
/// whether a token is wanted, as after an import, an existing one is.
pub(super) async fn inspect(
    client: &Client,
    state: &mut CodeRepoModel,
    project: &Project,
    enabled: Option<&BTreeSet<DeployKey>>,
) -> Result<BTreeSet<String>, Diagnostics> {
    let accepts_any_token = state.access_token.is_unknown();
    let policy = if accepts_any_token {
        None
    } else {
        wanted_policy(&state.access_token)?
    };
    let known = state.access_token.known();
    let expectation = Expectation {
        enabled,
        known_keys: known_keys(state),
        token: policy.as_ref(),
        looks_for_token: accepts_any_token,
        known_token: known.and_then(|token| token.id.known().copied()),
    };
    let credentials = client.credentials()?;
    let inspected = credentials
        .inspect(project, expectation, SystemTime::now())
        .await;
    let mut inspected = inspected.context(reading(&state.name))?;
    state.deploy_keys = Known(DeployKeysModel {
        readonly: inspected.readonly.map(DeployKeyModel::from).into(),
        readwrite: inspected.readwrite.map(DeployKeyModel::from).into(),
    });
    if accepts_any_token {
        inspected.findings.remove(&Finding::TokenNotWanted);
        let found = inspected.access_token;
        state.access_token = found
            .map(|found| token_model(&Tf::Unknown, Some(found)))
            .into();
    } else if policy.is_some() {
        state.access_token = Known(token_model(&state.access_token, inspected.access_token));
    }
    Ok(inspected.findings.iter().map(ToString::to_string).collect())
}

fn reading(name: &str) -> String {
    format!("read the credentials of the code repository {name}")
}

fn known_keys(state: &CodeRepoModel) -> KnownKeys {
    let id = |key: &Tf<DeployKeyModel>| key.known()?.id.known().copied();
    let keys = state.deploy_keys.known();
    KnownKeys {
        readonly: keys.and_then(|keys| id(&keys.readonly)),
        readwrite: keys.and_then(|keys| id(&keys.readwrite)),
    }
}

impl From<StoredKey> for DeployKeyModel {
    fn from(key: StoredKey) -> Self {
        Self {
            id: Known(key.id),
            fingerprint: Known(key.fingerprint),
            public_key: Known(key.public_key),
            vault_path: Known(key.vault_path),
        }
    }
}

/// Returns the attributes of a token that is wanted; those that the user sets stay.
fn token_model(model: &Tf<AccessTokenModel>, found: Option<StoredToken>) -> AccessTokenModel {
    let (lifetime, rotate_before) = match model.known() {
        Some(token) => (token.lifetime.as_str(), token.rotate_before.as_str()),
        None => (AccessTokenModel::LIFETIME, AccessTokenModel::ROTATE_BEFORE),
    };
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
        lifetime: lifetime.to_owned(),
        rotate_before: rotate_before.to_owned(),
        id,
        expires_at,
        rotation_due: Known(rotation_due),
        vault_path,
    }
}
