//! What is refused before anything is written.

use std::collections::BTreeSet;

use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::Kind;
use nautes_model::deploy_key::{DeployKey, enabled_keys};
use nautes_model::entity::{Permissions, PipelineRuntime};
use nautes_model::vault::{GitSecret, SecretPath};
use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::hooks;
use super::model::{CredentialModel, HookModel, PipelineRuntimeModel};
use super::pipeline::Pipeline;
use super::references::Meanings;
use crate::client::Client;
use crate::components::Component;
use crate::config_repo::Snapshot;
use crate::diagnostics::Context as _;
use crate::lookup::Worker;
use crate::runtime::pipeline::{REPORT_PREFIX, SOURCE_ENTRY, check};

/// The mounts whose secrets are never copied for pipelines.
const REFUSED_MOUNTS: [&str; 5] = ["git", "cluster", "tenant", "repo", "pki"];

/// Checks what the attributes say by themselves.
pub(super) fn check_attributes(
    model: &PipelineRuntimeModel,
    runtime: &PipelineRuntime,
    nautes_reconciles: bool,
) -> Diagnostics {
    let mut found = Diagnostics::default();
    let mut refuse = |path: Path, detail: String| {
        let summary = format!("Invalid value for {path}");
        found.push(Diagnostic::error(summary, detail).at(&path));
    };
    for problem in check(runtime) {
        refuse(problem.path, problem.detail);
    }
    for (name, source) in &model.event_sources {
        if let Some(gitlab) = &source.gitlab {
            let set = [&gitlab.branch, &gitlab.tag, &gitlab.revision];
            if set.iter().filter(|one| one.is_some()).count() > 1 {
                let detail = "Set only one of branch, tag and revision. Several branches need several event sources.";
                refuse(hooks::path(name), detail.to_owned());
            }
        }
    }
    for (name, credential) in model.credentials.iter().flatten() {
        let path = Path::to("credentials").key(name);
        if let Some(detail) = credential_problem(name, credential) {
            refuse(path, detail);
        }
    }
    if nautes_reconciles {
        return found;
    }
    if model.isolation == "exclusive" {
        let detail = "It has no effect in Nautes v0.4.2, and this provider does not make event buses for single runtimes. Leave it out.";
        refuse(Path::to("isolation"), detail.to_owned());
    }
    if let Some(resources) = &model.additional_resources
        && resources.code_repo.is_none()
    {
        let detail = "Argo CD deploys from repositories of the product alone. Set additional_resources.code_repo instead of url.";
        refuse(Path::to("additional_resources"), detail.to_owned());
    }
    if let Some(sides) = &model.hooks {
        for (side, hooks) in [("pre", &sides.pre), ("post", &sides.post)] {
            for (index, hook) in hooks.iter().flatten().enumerate() {
                let path = Path::to("hooks").attribute(side).index(index);
                if let Some(detail) = hook_problem(hook) {
                    refuse(path, detail);
                }
            }
        }
    }
    found
}

fn credential_problem(name: &str, credential: &CredentialModel) -> Option<String> {
    if name == SOURCE_ENTRY || name.starts_with(REPORT_PREFIX) {
        return Some(format!(
            "The name {name} is that of an entry which the provider adds. Choose another one."
        ));
    }
    if !is_dns_label(name) {
        return Some(format!(
            "{name:?} becomes part of the name of a Secret: lower-case letters, digits and hyphens between them, at most 63."
        ));
    }
    match (&credential.code_repo, &credential.vault) {
        (Some(_), None) if credential.permission.is_none() => {
            Some("With code_repo, permission is needed: readonly or readwrite.".to_owned())
        }
        (Some(_), None) if credential.r#type.is_some() => {
            Some("type belongs to vault. A key for a code_repo needs none.".to_owned())
        }
        (None, Some(_)) if credential.r#type.is_none() => {
            Some("With vault, type is needed: dockerconfigjson or opaque.".to_owned())
        }
        (None, Some(_)) if credential.permission.is_some() => {
            Some("permission belongs to code_repo. A value in vault needs none.".to_owned())
        }
        (Some(_), None) | (None, Some(_)) => None,
        (None, None) | (Some(_), Some(_)) => Some("Set either code_repo or vault.".to_owned()),
    }
}

fn hook_problem(hook: &HookModel) -> Option<String> {
    let alias = hook.alias.as_deref().unwrap_or(&hook.name);
    if !is_dns_label(alias) {
        return Some(format!(
            "{alias:?} cannot be the name of a task: lower-case letters, digits and hyphens between them, at most 63. Set alias."
        ));
    }
    hook.task.is_none().then(|| {
        "It has no task. The provider makes hooks of tasks that are written in place: set task to a task as in Tekton's taskSpec, such as file(\"lint-task.yaml\").".to_owned()
    })
}

fn is_dns_label(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(is_allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Checks that a worker is one for pipelines, before anything is asked of it.
pub(super) fn require_pipeline_worker(worker: &Worker) -> Result<(), Diagnostics> {
    let kind = worker.facts.worker_type.as_deref();
    if kind == Some("pipeline") {
        return Ok(());
    }
    let detail = format!(
        "The cluster {} is {}, and pipeline runtimes need a nautes_cluster with usage = \"worker\" and worker_type = \"pipeline\". Name an environment in such a cluster.",
        worker.name,
        match kind {
            Some(kind) => format!("a worker of the type {kind:?}"),
            None => "no worker".to_owned(),
        }
    );
    let path = Path::to("destination").attribute("environment");
    let error = Diagnostic::error("The cluster is not one for pipelines", detail);
    Err(error.at(&path).into())
}

/// Checks what depends on the worker, on Vault and on the other manifests of the product.
pub(super) async fn check_surroundings(
    client: &Client,
    pipeline: &Pipeline,
    model: &PipelineRuntimeModel,
    meanings: &Meanings,
    snapshot: Option<&Snapshot>,
) -> Result<Vec<(String, String)>, Diagnostics> {
    let worker = pipeline.reconciler.worker();
    if client.settings().gitlab.ssh_known_hosts.is_none() {
        let detail = "Pipelines clone over SSH and verify GitLab's host keys, which the provider argument gitlab.ssh_known_hosts does not name. Set it, for instance to the output of `ssh-keyscan <host>` after you have checked it.";
        return Err(Diagnostic::error("GitLab's host keys are not known", detail).into());
    }
    let warnings = check_webhooks(worker, pipeline, model, meanings)?;
    check_bus(worker, pipeline).await?;
    if let Some(snapshot) = snapshot {
        check_pushes(pipeline, model, meanings, snapshot)?;
    }
    check_vault(client, pipeline.runtime.product, model).await?;
    if model.report_status {
        check_report_tokens(client, pipeline).await?;
    }
    let checked = pipeline.reconciler.check(&pipeline.contribution()).await;
    let path = Path::to("destination").attribute("namespace");
    checked.map_err(|found| super::references::moved(found, &path))?;
    Ok(warnings)
}

fn check_webhooks(
    worker: &Worker,
    pipeline: &Pipeline,
    model: &PipelineRuntimeModel,
    meanings: &Meanings,
) -> Result<Vec<(String, String)>, Diagnostics> {
    let components = &worker.facts.components;
    let mut unverified = BTreeSet::new();
    for (name, source) in &model.event_sources {
        let Some(gitlab) = &source.gitlab else {
            continue;
        };
        if pipeline.webhook_host().is_empty() {
            let detail = format!(
                "The cluster {} has no gateway that GitLab could call. Install one: the slot gateway of the nautes_cluster.",
                worker.name
            );
            let error = Diagnostic::error("The cluster cannot be called", detail);
            return Err(error.at(&hooks::path(name)).into());
        }
        let verifiable = components.webhook_tls_verifiable == Some(true);
        if gitlab.enable_ssl_verification == Some(true) && !verifiable {
            let detail = format!(
                "The gateway of the cluster {} shows a certificate that GitLab cannot verify, so it would deliver nothing. Set tls_secret or cluster_issuer in the slot gateway of the nautes_cluster, or leave enable_ssl_verification out.",
                worker.name
            );
            let path = hooks::path(name).attribute("enable_ssl_verification");
            return Err(
                Diagnostic::error("GitLab cannot verify the certificate", detail)
                    .at(&path)
                    .into(),
            );
        }
        if gitlab.enable_ssl_verification.is_none()
            && !pipeline.verifies(meanings.get(&gitlab.code_repo)?)
        {
            unverified.insert(name.as_str());
        }
    }
    if unverified.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = unverified.into_iter().collect();
    let detail = format!(
        "GitLab sends the events of {} to the cluster {} without verifying its certificate, because the gateway there has none that can be verified. Set tls_secret or cluster_issuer in the slot gateway of the nautes_cluster.",
        names.join(", "),
        worker.name
    );
    Ok(vec![(
        "Hooks do not verify the certificate of the cluster".to_owned(),
        detail,
    )])
}

/// Checks that the bus takes two filters for the events of one repository, which NATS Streaming refuses.
async fn check_bus(worker: &Worker, pipeline: &Pipeline) -> Result<(), Diagnostics> {
    let sources = pipeline.runtime.event_sources.values();
    let repositories = sources.filter_map(|source| Some(source.gitlab.as_ref()?.code_repo));
    let repositories: Vec<RepositoryId> = repositories.collect();
    let distinct: BTreeSet<&RepositoryId> = repositories.iter().collect();
    if distinct.len() == repositories.len() {
        return Ok(());
    }
    let kind = Kind::new("argoproj.io/v1alpha1", "EventBus");
    let namespace = Component::ArgoEvents.namespace();
    let found = worker
        .cluster
        .find(&kind, Some(namespace), "default", Detail::Full)
        .await;
    let found =
        found.with_context(|| format!("read the event bus of the cluster {}", worker.name))?;
    if found
        .as_ref()
        .is_none_or(|bus| bus.get("/spec/nats").is_none())
    {
        return Ok(());
    }
    let detail = format!(
        "Two event sources listen to one repository, which the event bus of the cluster {} cannot do: it is NATS Streaming, as Nautes installs it. Merge the event sources, or replace the bus by one with JetStream: delete the EventBus default in {namespace} when no pipeline runs, and apply the nautes_cluster.",
        worker.name
    );
    Err(Diagnostic::error("The event bus is too old", detail)
        .at(&Path::to("event_sources"))
        .into())
}

/// Checks that a binding lets the repository with the pipelines into those of `credentials`.
fn check_pushes(
    pipeline: &Pipeline,
    model: &PipelineRuntimeModel,
    meanings: &Meanings,
    snapshot: &Snapshot,
) -> Result<(), Diagnostics> {
    let source = pipeline.runtime.pipeline_source;
    let enabled = enabled_keys(snapshot.tree());
    for (name, credential) in model.credentials.iter().flatten() {
        let (Some(code_repo), Some(permission)) = (&credential.code_repo, &credential.permission)
        else {
            continue;
        };
        let target = meanings.get(code_repo)?;
        let permissions = match permission.as_str() {
            "readwrite" => Permissions::ReadWrite,
            _ => Permissions::ReadOnly,
        };
        let key = DeployKey {
            owner: source,
            permissions,
        };
        if enabled.get(&target).is_some_and(|keys| keys.contains(&key)) {
            continue;
        }
        let product = pipeline.runtime.product;
        let project = snapshot.tree().code_repos().find(|repo| repo.id == source);
        let project = project.and_then(|repo| repo.project.as_ref());
        let projects = project.map_or(String::new(), |project| {
            format!("\n  projects    = [\"{product}/{project}\"]")
        });
        let detail = format!(
            "No binding lets the {permission} key of pipeline_source into {code_repo}. Add\n\nresource \"nautes_code_repo_binding\" \"{name}\" {{\n  product     = \"{product}\"\n  name        = \"{name}\"\n  code_repo   = \"{code_repo}\"{projects}\n  permissions = \"{permission}\"\n}}\n\nand write code_repo = nautes_code_repo_binding.{name}.code_repo here, so that it is made first."
        );
        let path = Path::to("credentials").key(name).attribute("code_repo");
        return Err(
            Diagnostic::error("The pipelines may not use the code repository", detail)
                .at(&path)
                .into(),
        );
    }
    Ok(())
}

/// Checks that values in Vault are the product's, and that the provider itself may read them: it gives the rights on.
async fn check_vault(
    client: &Client,
    product: ProductId,
    model: &PipelineRuntimeModel,
) -> Result<(), Diagnostics> {
    for (name, credential) in model.credentials.iter().flatten() {
        let Some(value) = &credential.vault else {
            continue;
        };
        let path = Path::to("credentials").key(name).attribute("vault");
        let refused = |detail: String| {
            let error = Diagnostic::error("The value in Vault cannot be used", detail);
            Diagnostics::from(error.at(&path))
        };
        let mount = value.mount.trim_matches('/');
        let secret = value.path.trim_matches('/');
        if REFUSED_MOUNTS.contains(&mount) {
            return Err(refused(format!(
                "The mount {mount} holds secrets of the platform, which pipelines never get. Put the value into another mount."
            )));
        }
        if !is_plain(mount) || !is_plain(secret) {
            return Err(refused(format!(
                "{mount}/{secret} becomes part of a policy: letters, digits, `.`, `_`, `-` and single slashes between them."
            )));
        }
        let found = client.products()?.get(product).await?;
        let group = found
            .map(|found| found.group.path.clone())
            .unwrap_or_default();
        let full = format!("{mount}/{secret}");
        let shared = client.settings().vault.shared_credential_paths.iter();
        let is_shared = shared
            .map(|shared| shared.trim_matches('/'))
            .any(|shared| full == shared || full.starts_with(&format!("{shared}/")));
        if !secret.starts_with(&format!("{group}/")) && !is_shared {
            return Err(refused(format!(
                "The path {secret} does not begin with {group}/, the name of the product, and the provider argument vault.shared_credential_paths does not name {full}."
            )));
        }
        let vault = client.vault()?;
        let usable = vault.check_mount(mount).await;
        usable.with_context(|| format!("use the secrets engine {mount} of Vault"))?;
        let readable = vault.may_read(mount, secret).await;
        if !readable.with_context(|| format!("ask for the rights to {full}"))? {
            return Err(refused(format!(
                "The provider's own token may not read {full}, so it cannot give that right to pipelines. Its policy needs: path \"{mount}/data/{secret}\" {{ capabilities = [\"read\"] }}"
            )));
        }
    }
    Ok(())
}

/// Checks that Vault has the tokens with which runs report how they ended.
async fn check_report_tokens(client: &Client, pipeline: &Pipeline) -> Result<(), Diagnostics> {
    for repository in pipeline.inputs().event_repositories() {
        let path = SecretPath::for_repository(repository, GitSecret::AccessToken);
        let found = client.vault()?.secret_metadata(&path).await;
        let found = found.with_context(|| format!("read the metadata of the secret {path}"))?;
        if found.is_none() {
            let detail = format!(
                "{repository} has no access token, with which runs could tell GitLab how they ended. Set access_token = {{}} in its nautes_code_repo, or leave report_status out."
            );
            let error = Diagnostic::error("An access token is missing", detail);
            return Err(error.at(&Path::to("report_status")).into());
        }
    }
    Ok(())
}

/// Whether a text can be part of a policy without meaning more than itself.
fn is_plain(text: &str) -> bool {
    text.split('/').all(|segment| {
        !segment.is_empty()
            && segment != ".."
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(code_repo: Option<&str>, permission: Option<&str>) -> CredentialModel {
        CredentialModel {
            code_repo: code_repo.map(str::to_owned),
            permission: permission.map(str::to_owned),
            vault: None,
            r#type: None,
        }
    }

    #[test]
    fn an_entry_is_a_key_or_a_value_and_has_a_name_of_its_own() {
        let key = credential(Some("repo-7"), Some("readwrite"));
        assert_eq!(credential_problem("deploy", &key), None);
        for name in ["source", "report-repo-7", "Deploy", "-a"] {
            assert!(credential_problem(name, &key).is_some(), "{name}");
        }
        for incomplete in [credential(None, None), credential(Some("repo-7"), None)] {
            assert!(credential_problem("deploy", &incomplete).is_some());
        }
    }

    #[test]
    fn a_path_in_a_policy_means_itself() {
        assert!(is_plain("shop/registry.v1"));
        for path in ["shop/*", "shop/+/x", "../x", "shop//x", "", "a\"b"] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
