//! The attributes of a pipeline runtime.

use std::collections::{BTreeMap, BTreeSet};

use nautes_model::entity::webhook_event;
use nautes_model::name::NameRule;
use nautes_model::reference::EntityId;
use nautes_model::revision::Revision;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::schema::{each, one_of};
use terraform_plugin::value::{Path, Tf};

use crate::resources::attribute::{
    CommonAttributes, code_repo_reference, entity_reference, name_rule, not_empty,
};

/// A pipeline runtime: runs the pipelines of a code repository on events of GitLab or on a schedule.
///
/// Argo Events and Tekton in the environment's cluster do that. The cluster must be a `nautes_cluster` with
/// `usage = "worker"` and `worker_type = "pipeline"`; only the credential of runtimes that Vault has for it is used. The
/// hooks in GitLab are made when everything behind them works, and a hook that GitLab has disabled is made anew.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct PipelineRuntimeModel {
    /// Name of the runtime, unique in its product.
    #[tf(replace, validate(name_rule(NameRule::PipelineRuntime)))]
    pub(crate) name: String,
    /// The project that it belongs to, by id or by name. It needs permission to use the code repositories: it owns
    /// them, or a `nautes_code_repo_binding` opens them.
    #[tf(replace, validate(entity_reference("a project")))]
    pub(crate) project: String,
    /// The code repository with the pipelines, by id or by name. Only the id survives a rename of the repository.
    #[tf(validate(code_repo_reference()))]
    pub(crate) pipeline_source: String,
    /// Service account of the pipelines; the runtime's name by default.
    #[tf(validate(name_rule(NameRule::Account)))]
    pub(crate) account: Option<String>,
    /// `shared`, or `exclusive`, which has no effect in Nautes v0.4.2 and is refused where the provider reconciles.
    #[tf(default("shared".to_owned()), validate(one_of(["shared", "exclusive"])))]
    pub(crate) isolation: String,
    /// Where the pipelines run.
    pub(crate) destination: DestinationModel,
    /// What starts pipelines, by name: either `gitlab` or `calendar`.
    pub(crate) event_sources: BTreeMap<String, EventSourceModel>,
    /// The pipelines, by name.
    pub(crate) pipelines: BTreeMap<String, PipelineModel>,
    /// Which event source starts which pipeline.
    pub(crate) pipeline_triggers: Vec<TriggerModel>,
    /// What pipelines may use, by name: each is a Secret in the runtime's namespace, linked to its service account.
    /// The key that may clone `pipeline_source` is always there, as `source`.
    pub(crate) credentials: Option<BTreeMap<String, CredentialModel>>,
    /// Manifests that Argo CD deploys into the runtime's namespace.
    pub(crate) additional_resources: Option<AdditionalResourcesModel>,
    /// Whether GitLab shows how the runs of a commit ended. It needs the `access_token` of the code repositories whose
    /// events start pipelines.
    #[tf(default(false))]
    pub(crate) report_status: bool,
    /// How long finished runs are kept; with them go their logs.
    pub(crate) history: Option<HistoryModel>,
    /// Tasks before and after the one that starts the pipeline.
    pub(crate) hooks: Option<HooksModel>,
    /// The attributes that every kind in a product has.
    #[tf(flatten)]
    pub(crate) common: CommonAttributes,
    /// The namespace of the runs.
    #[tf(stable)]
    pub(crate) runtime_namespace: Tf<String>,
    /// The service account of the runs.
    #[tf(stable)]
    pub(crate) runtime_account: Tf<String>,
    /// The cluster, which is that of the environment.
    #[tf(stable)]
    pub(crate) cluster: Tf<String>,
    /// The hooks in GitLab, by event source.
    #[tf(stable)]
    pub(crate) webhooks: Tf<BTreeMap<String, WebhookModel>>,
    /// Names of the Secrets, by their names in `credentials`.
    #[tf(follows(["credentials"]))]
    pub(crate) credential_secrets: Tf<BTreeMap<String, String>>,
    /// The role in Vault with which the service account logs in.
    #[tf(stable)]
    pub(crate) vault_role: Tf<String>,
    /// The mount of Vault's Kubernetes auth method, below `auth/`.
    #[tf(stable)]
    pub(crate) vault_auth_mount: Tf<String>,
    /// Web page of the runs; null where the cluster has no dashboard.
    #[tf(stable)]
    pub(crate) tekton_url: Tf<String>,
}

/// Where pipelines run.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct DestinationModel {
    /// The environment, by id or by name.
    #[tf(replace, validate(entity_reference("an environment")))]
    pub(crate) environment: String,
    /// The namespace, which is created and belongs to this runtime alone; by default it is called `<product>-<name>`
    /// and keeps its name when the product is renamed. It is deleted with all that is in it.
    #[tf(validate(name_rule(NameRule::Namespace)))]
    pub(crate) namespace: Option<String>,
}

/// What starts pipelines.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct EventSourceModel {
    /// Events of a code repository.
    pub(crate) gitlab: Option<GitLabModel>,
    /// A schedule.
    pub(crate) calendar: Option<CalendarModel>,
}

/// Events of a code repository.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct GitLabModel {
    /// The code repository, by id or by name.
    #[tf(validate(code_repo_reference()))]
    pub(crate) code_repo: String,
    /// The events.
    #[tf(validate(each(one_of(webhook_event::ALL))))]
    pub(crate) events: BTreeSet<String>,
    /// Only pushes to this branch.
    #[tf(validate(not_empty()))]
    pub(crate) branch: Option<String>,
    /// Only this tag.
    #[tf(validate(not_empty()))]
    pub(crate) tag: Option<String>,
    /// Only references such as `refs/heads/main` in which this Lua pattern is found, as in Nautes; it is neither
    /// anchored nor a regular expression.
    #[tf(validate(not_empty()))]
    pub(crate) revision: Option<String>,
    /// Whether GitLab verifies the certificate of the cluster's gateway; by default, if the cluster has one that can
    /// be verified.
    pub(crate) enable_ssl_verification: Option<bool>,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct CalendarModel {
    /// A cron expression; it takes precedence over the interval.
    #[tf(validate(not_empty()))]
    pub(crate) schedule: Option<String>,
    /// A duration, such as `30m`.
    #[tf(validate(not_empty()))]
    pub(crate) interval: Option<String>,
    /// Dates that are left out, as `EXDATE` of RFC 5545.
    pub(crate) exclusion_dates: Option<Vec<String>>,
    /// A time zone, such as `Asia/Shanghai`.
    #[tf(validate(not_empty()))]
    pub(crate) timezone: Option<String>,
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct PipelineModel {
    /// File with a `PipelineRun` of Tekton in the code repository with the pipelines.
    #[tf(validate(not_empty()))]
    pub(crate) path: String,
    /// Value of the built-in variable `PipelineLabel`, and of the label `branch` of its runs.
    pub(crate) label: Option<String>,
}

/// Which event source starts which pipeline.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct TriggerModel {
    /// Name of the event source.
    pub(crate) event_source: String,
    /// Name of the pipeline.
    pub(crate) pipeline: String,
    /// The branch, tag or commit from which the pipeline is taken; that of the event by default.
    pub(crate) revision: Option<String>,
    /// Values that the pipeline gets; by default the reference of the event as the first parameter.
    pub(crate) inputs: Option<Vec<InputModel>>,
}

/// A value that a pipeline gets.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct InputModel {
    /// A value of the event: `commitID`, `ref`, or of merge requests `target_branch`, `source_branch`, `state`,
    /// `labels`, `title`.
    pub(crate) from_event: Option<String>,
    /// A variable of the runtime, such as `PipelineRevision`.
    pub(crate) built_in_var: Option<String>,
    /// The field of the `PipelineRun` that gets it, as a JSON pointer such as `/spec/params/0/value`.
    pub(crate) kustomization_path: String,
}

/// What pipelines may use: a key for a code repository, or a value in Vault.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct CredentialModel {
    /// The code repository, by id or by name, for which the key of `pipeline_source` is.
    #[tf(validate(code_repo_reference()))]
    pub(crate) code_repo: Option<String>,
    /// `readonly` or `readwrite`, with `code_repo`.
    #[tf(validate(one_of(["readonly", "readwrite"])))]
    pub(crate) permission: Option<String>,
    /// A value in Vault.
    pub(crate) vault: Option<VaultModel>,
    /// What the value in Vault is: `dockerconfigjson` for logins to registries, or `opaque`.
    #[tf(validate(one_of(["dockerconfigjson", "opaque"])))]
    pub(crate) r#type: Option<String>,
}

/// A value in Vault.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct VaultModel {
    /// Mount of a key-value engine of version 2.
    #[tf(validate(not_empty()))]
    pub(crate) mount: String,
    /// Path of the secret in it, which begins with the name of the product, unless the provider argument
    /// `vault.shared_credential_paths` names it.
    #[tf(validate(not_empty()))]
    pub(crate) path: String,
    /// Field of the secret.
    #[tf(validate(not_empty()))]
    pub(crate) key: String,
}

/// Manifests that are deployed with the runtime.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct AdditionalResourcesModel {
    /// The code repository, by id or by name.
    #[tf(validate(code_repo_reference()))]
    pub(crate) code_repo: Option<String>,
    /// The URL of a public repository.
    pub(crate) url: Option<String>,
    /// A branch, tag or commit.
    #[tf(validate(not_empty()))]
    pub(crate) revision: String,
    /// The folder.
    #[tf(validate(not_empty()))]
    pub(crate) path: String,
}

/// How long finished runs are kept.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct HistoryModel {
    /// How many finished runs are kept.
    #[tf(default(20))]
    pub(crate) runs: u64,
    /// How long a finished run is kept, such as `168h`.
    #[tf(default(HistoryModel::MAX_AGE.to_owned()))]
    pub(crate) max_age: String,
}

impl HistoryModel {
    pub(crate) const RUNS: u64 = 20;
    pub(crate) const MAX_AGE: &'static str = "168h";
}

/// Tasks before and after the one that starts the pipeline.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct HooksModel {
    /// Tasks before it, one after the other.
    pub(crate) pre: Option<Vec<HookModel>>,
    /// Tasks after it has started the pipeline.
    pub(crate) post: Option<Vec<HookModel>>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct HookModel {
    /// Name of the hook.
    #[tf(validate(not_empty()))]
    pub(crate) name: String,
    /// Name of the task in the run; that of the hook by default.
    pub(crate) alias: Option<String>,
    /// Values of the task's parameters.
    pub(crate) vars: Option<BTreeMap<String, String>>,
    /// The task as YAML, as in Tekton's `taskSpec`; needed where the provider reconciles.
    pub(crate) task: Option<String>,
}

/// A hook in GitLab.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct WebhookModel {
    /// Numeric ID of the hook.
    pub(crate) id: Tf<u64>,
    /// The address that it calls.
    pub(crate) url: Tf<String>,
}

impl PipelineRuntimeModel {
    /// The id of an existing runtime.
    pub(crate) fn entity_id(&self) -> Result<EntityId, Diagnostics> {
        let id = self.common.id.require_known("id")?;
        id.parse()
            .map_err(|error| Diagnostic::bug(error).at(&Path::to("id")).into())
    }

    /// The service account.
    pub(crate) fn account(&self) -> &str {
        self.account.as_deref().unwrap_or(&self.name)
    }
}

impl GitLabModel {
    /// The references to which it listens, as a manifest has them.
    pub(crate) fn pattern(&self) -> Option<String> {
        let revision = match (&self.branch, &self.tag, &self.revision) {
            (Some(branch), _, _) => Revision::Branch(branch.clone()),
            (None, Some(tag), _) => Revision::Tag(tag.clone()),
            (None, None, Some(pattern)) => Revision::Pattern(pattern.clone()),
            (None, None, None) => return None,
        };
        Some(revision.to_pattern())
    }
}
