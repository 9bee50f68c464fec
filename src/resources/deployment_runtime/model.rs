//! The attributes of a deployment runtime.

use std::collections::BTreeSet;

use nautes_model::name::NameRule;
use nautes_model::reference::EntityId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::schema::{Validator, each, one_of};
use terraform_plugin::value::{Path, Tf};

use crate::resources::attribute::{
    CommonAttributes, code_repo_reference, entity_reference, name_rule, not_empty,
};
use crate::runtime::deployment::{Goal, IgnoredDifference, Sync};

/// A deployment runtime: keeps the manifests in a folder of a code repository deployed in an environment.
///
/// Argo CD in the environment's cluster does that. With the first runtime of a product in a cluster, the product gets
/// its project and the rights of its members in Argo CD there, and they go with the last one. The cluster must be a
/// `nautes_cluster` with `usage = "worker"` and `worker_type = "deployment"`; only the credential of runtimes that Vault
/// has for it is used.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct DeploymentRuntimeModel {
    /// Name of the runtime, unique in its product.
    #[tf(replace, validate(name_rule(NameRule::DeploymentRuntime)))]
    pub(crate) name: String,
    /// The projects that it deploys, by id or by name. Each of them needs permission to use the code repository: it
    /// owns it, or a `nautes_code_repo_binding` opens it.
    #[tf(validate(each(entity_reference("a project"))))]
    pub(crate) projects: Option<BTreeSet<String>>,
    /// Where the manifests are.
    pub(crate) manifest_source: ManifestSourceModel,
    /// Where the manifests are deployed.
    pub(crate) destination: DestinationModel,
    /// Service account in the namespaces, which may read the repository's key in Vault; the runtime's name by default.
    /// Runtimes of a product may share one.
    #[tf(validate(name_rule(NameRule::Account)))]
    pub(crate) account: Option<String>,
    /// How Argo CD synchronises.
    pub(crate) sync: Option<SyncModel>,
    /// Whether GitLab reports pushes to the repository to Argo CD, which otherwise looks every two to three minutes. It
    /// has no effect where the cluster has no `argocd_url`.
    #[tf(default(true))]
    pub(crate) push_hook: bool,
    /// What an apply waits for: `none`; `synced`, until what is in the repository is in the cluster; or `healthy`,
    /// until it works, too. If that is not reached, it is a warning at creation and an error at an update.
    #[tf(default("none".to_owned()), validate(one_of(["none", "synced", "healthy"])))]
    pub(crate) wait_for: String,
    /// Whether a destroy removes what is deployed. With `false` it stays in namespaces that other runtimes use; the
    /// namespaces that nobody uses any more go in any case.
    #[tf(default(true))]
    pub(crate) cascade: bool,
    /// The attributes that every kind in a product has.
    #[tf(flatten)]
    pub(crate) common: CommonAttributes,
    /// The namespaces. Manifests that name none go into the first one.
    #[tf(stable)]
    pub(crate) effective_namespaces: Tf<Vec<String>>,
    /// The service account.
    #[tf(stable)]
    pub(crate) effective_account: Tf<String>,
    /// The cluster, which is that of the environment.
    #[tf(stable)]
    pub(crate) cluster: Tf<String>,
    /// Name of the `Application` in Argo CD.
    #[tf(stable)]
    pub(crate) application: Tf<String>,
}

/// A folder in a code repository.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ManifestSourceModel {
    /// The code repository, by id or by name. Only the id survives a rename of the repository.
    #[tf(validate(code_repo_reference()))]
    pub(crate) code_repo: String,
    /// A branch, tag or commit.
    #[tf(validate(not_empty()))]
    pub(crate) target_revision: String,
    /// The folder, relative to the root of the repository.
    #[tf(validate(folder()))]
    pub(crate) path: String,
}

/// Where manifests are deployed.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct DestinationModel {
    /// The environment, by id or by name.
    #[tf(replace, validate(entity_reference("an environment")))]
    pub(crate) environment: String,
    /// The namespaces, which are created; by default one called `<product>-<name>`, which keeps its name when the
    /// product is renamed. Runtimes of a product may share one. A namespace that no runtime uses any more is deleted
    /// with all that is in it.
    #[tf(validate(namespaces()))]
    pub(crate) namespaces: Option<Vec<String>>,
}

/// How Argo CD synchronises.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct SyncModel {
    /// Whether it synchronises by itself.
    #[tf(default(true))]
    pub(crate) automated: bool,
    /// Whether it deletes what the manifests no longer have.
    #[tf(default(true))]
    pub(crate) prune: bool,
    /// Whether it undoes changes that are made in the cluster.
    #[tf(default(true))]
    pub(crate) self_heal: bool,
    /// How often a failed synchronisation is repeated.
    #[tf(default(2))]
    pub(crate) retry: u64,
    /// Options of Argo CD, such as `ServerSideApply=true`.
    #[tf(validate(each(not_empty())))]
    pub(crate) options: Option<BTreeSet<String>>,
    /// Differences that it leaves as they are.
    pub(crate) ignore_differences: Option<Vec<IgnoredDifferenceModel>>,
}

/// Differences that Argo CD leaves as they are.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct IgnoredDifferenceModel {
    /// API group of the objects; the core group without it.
    pub(crate) group: Option<String>,
    /// Kind of the objects.
    #[tf(validate(not_empty()))]
    pub(crate) kind: String,
    /// Name of the object; all of the kind without it.
    pub(crate) name: Option<String>,
    /// Namespace of the objects.
    pub(crate) namespace: Option<String>,
    /// JSON pointers of the fields.
    pub(crate) json_pointers: Option<Vec<String>>,
    /// The fields as expressions of jq.
    pub(crate) jq_path_expressions: Option<Vec<String>>,
}

impl DeploymentRuntimeModel {
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

    /// The namespaces that the user wrote.
    pub(crate) fn written_namespaces(&self) -> Option<&[String]> {
        self.destination.namespaces.as_deref()
    }

    /// How Argo CD synchronises.
    pub(crate) fn sync(&self) -> Sync {
        let written = self.sync.as_ref();
        let ignored = written.and_then(|sync| sync.ignore_differences.as_ref());
        let ignored = ignored
            .into_iter()
            .flatten()
            .map(|ignored| IgnoredDifference {
                group: ignored.group.clone(),
                kind: ignored.kind.clone(),
                name: ignored.name.clone(),
                namespace: ignored.namespace.clone(),
                json_pointers: ignored.json_pointers.clone().unwrap_or_default(),
                jq_path_expressions: ignored.jq_path_expressions.clone().unwrap_or_default(),
            });
        Sync {
            automated: written.is_none_or(|sync| sync.automated),
            prune: written.is_none_or(|sync| sync.prune),
            self_heal: written.is_none_or(|sync| sync.self_heal),
            retry: written.map_or(2, |sync| sync.retry),
            options: written
                .and_then(|sync| sync.options.clone())
                .unwrap_or_default(),
            ignore_differences: ignored.collect(),
        }
    }

    /// What an apply waits for.
    pub(crate) fn goal(&self) -> Option<Goal> {
        match self.wait_for.as_str() {
            "synced" => Some(Goal::Synced),
            "healthy" => Some(Goal::Healthy),
            _ => None,
        }
    }
}

/// Checks a folder of a repository.
fn folder() -> Validator {
    let description = "Must be a folder, relative to the root of the repository; `.` is the root.";
    Validator::new(description, |path: &String| {
        let mut parts = path.split('/');
        if path.is_empty() || path.starts_with('/') || parts.any(|part| part == "..") {
            return Err(format!(
                "{path:?} is not a folder in the repository. Write it without a slash in front, such as deploy/test; the root is \".\"."
            ));
        }
        Ok(())
    })
}

/// Checks a list of namespaces.
fn namespaces() -> Validator {
    let rule = NameRule::Namespace;
    let description = format!(
        "Must not be empty, nor name a namespace twice. {}",
        rule.description()
    );
    Validator::new(description, move |names: &Vec<String>| {
        if names.is_empty() {
            return Err("An empty list names no namespace. Name at least one, or leave the argument out: then it is <product>-<name>.".to_owned());
        }
        let distinct: BTreeSet<&String> = names.iter().collect();
        if distinct.len() != names.len() {
            return Err("A namespace is named twice.".to_owned());
        }
        let invalid = names.iter().find_map(|name| rule.check(name).err());
        invalid.map_or(Ok(()), |error| Err(crate::error_chain::sentence(&error)))
    })
}
