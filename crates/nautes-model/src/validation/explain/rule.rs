//! The message for a single violation.

use super::{ChangeContext, Explanation, capitalised};
use crate::entity::WorkerType;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};
use crate::kind::{EntityKey, Kind};
use crate::validation::field::FieldPath;
use crate::validation::problem::Problem;
use crate::validation::reference::destination;
use crate::validation::violation::{OtherRuntime, Rule, Subject, Violation};

pub(super) fn explain(
    violation: &Violation,
    changed: &EntityKey,
    context: &ChangeContext<'_>,
) -> Explanation {
    let subject = match &violation.subject {
        Subject::Entity(key) => context.describe(key),
        Subject::File(path) => format!("file `{path}`"),
    };
    let explainer = Explainer { subject, context };
    let mut explanation = explainer.explain(&violation.rule);
    let changed_is_at_fault = violation.entity() == Some(changed)
        || (is_mutual(&violation.rule) && violation.entities().contains(changed));
    if changed_is_at_fault {
        explanation.field = field(&violation.rule, changed);
    }
    explanation
}

/// Builds messages about one subject.
struct Explainer<'a> {
    subject: String,
    context: &'a ChangeContext<'a>,
}

impl Explainer<'_> {
    fn explain(&self, rule: &Rule) -> Explanation {
        match rule {
            Rule::Unreadable { reason } => self.unreadable(reason),
            Rule::Misplaced { path } => self.misplaced(path),
            Rule::Duplicate { paths } => self.duplicate(paths),
            Rule::PathTaken { path, occupant } => self.path_taken(path, occupant.as_ref()),
            Rule::Invalid { field, problem } => self.invalid(field, problem),
            Rule::ForeignProduct { product } => self.foreign_product(*product),
            Rule::Missing { field, target } => self.missing(field, target),
            Rule::NotAuthorised {
                project, code_repo, ..
            } => self.not_authorised(project, *code_repo),
            Rule::NotReported {
                event, code_repo, ..
            } => self.not_reported(event, *code_repo),
            Rule::ClusterShared { cluster, with } => self.cluster_shared(cluster, with),
            Rule::SourceShared { with, path } => self.source_shared(with, path),
            Rule::NamespaceShared {
                cluster,
                namespace,
                with,
            } => self.namespace_shared(cluster, namespace, with),
            Rule::ApplicationShared { cluster, with } => self.application_shared(cluster, with),
            Rule::WrongWorkerType { cluster, expected } => {
                self.wrong_worker_type(cluster, *expected)
            }
            Rule::NoPipelineComponent { cluster } => self.no_pipeline_component(cluster),
            Rule::ReservedNamespace { cluster, namespace } => {
                self.reserved_namespace(cluster, namespace)
            }
            Rule::NotAHost { host } => self.not_a_host(host),
            Rule::ClusterInUse {
                product,
                environment,
            } => self.cluster_in_use(*product, environment),
        }
    }

    fn unreadable(&self, reason: &str) -> Explanation {
        Explanation::new(
            format!("The {} cannot be parsed", self.subject),
            format!("{}.", capitalised(reason)),
        )
        .with_hint("Fix or remove it in the configuration repository.")
    }

    fn misplaced(&self, path: &str) -> Explanation {
        Explanation::new(
            format!(
                "The manifest of the {} is in the wrong folder",
                self.subject
            ),
            format!("Its path is `{path}`, where Nautes does not look for it."),
        )
        .with_hint("Move it in the configuration repository.")
    }

    fn duplicate(&self, paths: &[String]) -> Explanation {
        Explanation::new(
            format!("The {} has several manifests", self.subject),
            format!("Its manifests are `{}`.", paths.join("`, `")),
        )
        .with_hint("Remove all but one in the configuration repository.")
    }

    fn path_taken(&self, path: &str, occupant: Option<&EntityKey>) -> Explanation {
        let occupant = occupant.map_or_else(
            || "another file".to_owned(),
            |key| format!("the {}", self.context.describe(key)),
        );
        Explanation::new(
            format!("The path of the {} is taken", self.subject),
            format!("Its manifest belongs at `{path}`, which is occupied by {occupant}."),
        )
        .with_hint(&format!(
            "Choose another name, or remove what is there first. If no configuration manages it any more, delete the file `{path}` in the configuration repository."
        ))
    }

    fn invalid(&self, field: &FieldPath, problem: &Problem) -> Explanation {
        Explanation::new(
            format!("The {} is not valid", self.subject),
            format!("The attribute `{field}` is invalid: {problem}."),
        )
    }

    fn foreign_product(&self, product: ProductId) -> Explanation {
        Explanation::new(
            format!("The {} belongs to another product", self.subject),
            format!(
                "Its manifest names `{product}`, but is in the repository of {}.",
                self.context.owner()
            ),
        )
    }

    fn missing(&self, field: &FieldPath, target: &EntityKey) -> Explanation {
        Explanation::new(
            format!("The {} does not exist", self.context.describe(target)),
            format!(
                "The {} references it (`{field}`). {}",
                self.subject,
                self.context.list_existing(target.kind)
            ),
        )
    }

    fn not_authorised(&self, project: &EntityName, code_repo: RepositoryId) -> Explanation {
        let code_repo = EntityKey::new(Kind::CodeRepo, code_repo.into());
        Explanation::new(
            format!(
                "The {} is not authorised for project `{project}`",
                self.context.describe(&code_repo)
            ),
            format!("The {} uses it.", self.subject),
        )
    }

    fn not_reported(&self, event: &str, code_repo: RepositoryId) -> Explanation {
        let code_repo = self
            .context
            .describe(&EntityKey::new(Kind::CodeRepo, code_repo.into()));
        Explanation::new(
            format!("The {code_repo} does not report `{event}`"),
            format!("The {} listens to it, and would never run.", self.subject),
        )
        .with_hint("Add the event to `webhook_events` of the repository.")
    }

    fn cluster_shared(&self, cluster: &EntityName, with: &EntityKey) -> Explanation {
        Explanation::new(
            "Two environments use the same cluster".to_owned(),
            format!(
                "The {} and the {} of {} both use cluster `{cluster}`; a product can have only one \
                 environment on a cluster.",
                self.subject,
                self.context.describe(with),
                self.context.owner()
            ),
        )
        .with_hint("Use another cluster, or remove one of them first.")
    }

    fn source_shared(&self, with: &EntityKey, path: &str) -> Explanation {
        Explanation::new(
            "Two runtimes have the same source and destination".to_owned(),
            format!(
                "The {} and the {} of {} both use `{path}` of the same repository for the same \
                 destination.",
                self.subject,
                self.context.describe(with),
                self.context.owner()
            ),
        )
        .with_hint("Change the path or the destination, or remove one of them first.")
    }

    fn namespace_shared(
        &self,
        cluster: &EntityName,
        namespace: &str,
        with: &OtherRuntime,
    ) -> Explanation {
        Explanation::new(
            format!("The namespace `{namespace}` is taken"),
            format!(
                "The {} and the {} both use it on cluster `{cluster}`.",
                self.subject,
                self.runtime(with)
            ),
        )
        .with_hint("Use another namespace.")
    }

    fn application_shared(&self, cluster: &EntityName, with: &OtherRuntime) -> Explanation {
        Explanation::new(
            "The name of the runtime is taken on its cluster".to_owned(),
            format!(
                "The {} and the {} have the same name on cluster `{cluster}`, where Argo CD \
                 applications are named after runtimes.",
                self.subject,
                self.runtime(with)
            ),
        )
        .with_hint("Choose another name.")
    }

    fn wrong_worker_type(&self, cluster: &EntityName, expected: WorkerType) -> Explanation {
        let worker_type = expected.as_str();
        Explanation::new(
            format!("The cluster `{cluster}` is not for {worker_type} runtimes"),
            format!(
                "The {} needs a cluster with the worker type `{worker_type}`.",
                self.subject
            ),
        )
        .with_hint("Use an environment on such a cluster.")
    }

    fn no_pipeline_component(&self, cluster: &EntityName) -> Explanation {
        Explanation::new(
            format!("The cluster `{cluster}` has no pipeline component"),
            format!("The {} cannot run there.", self.subject),
        )
    }

    fn reserved_namespace(&self, cluster: &EntityName, namespace: &str) -> Explanation {
        Explanation::new(
            format!("The namespace `{namespace}` belongs to a component"),
            format!(
                "The {} cannot use it: it is reserved on cluster `{cluster}`.",
                self.subject
            ),
        )
        .with_hint("Use another namespace.")
    }

    fn not_a_host(&self, host: &EntityName) -> Explanation {
        Explanation::new(
            format!("The cluster `{host}` is not a host"),
            format!(
                "The {} references it as its host, but its usage is `worker`.",
                self.subject
            ),
        )
    }

    fn cluster_in_use(&self, product: ProductId, environment: &EntityName) -> Explanation {
        Explanation::new(
            format!("The {} does not exist", self.subject),
            format!("The environment `{environment}` of `{product}` references it."),
        )
    }

    fn runtime(&self, runtime: &OtherRuntime) -> String {
        match runtime.product {
            None => self.context.describe(&runtime.key),
            Some(product) => format!("{} of `{product}`", runtime.key),
        }
    }
}

impl Explanation {
    fn new(summary: String, detail: String) -> Self {
        Self {
            summary,
            detail,
            hint: None,
            field: None,
        }
    }

    fn with_hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}

/// Returns whether both entities of a rule are equally at fault.
fn is_mutual(rule: &Rule) -> bool {
    matches!(
        rule,
        Rule::ClusterShared { .. }
            | Rule::SourceShared { .. }
            | Rule::NamespaceShared { .. }
            | Rule::ApplicationShared { .. }
    )
}

/// Returns the attribute at fault, of the subject or of the other entity in a pair.
fn field(rule: &Rule, changed: &EntityKey) -> Option<FieldPath> {
    match rule {
        Rule::Invalid { field, .. }
        | Rule::Missing { field, .. }
        | Rule::NotAuthorised { field, .. }
        | Rule::NotReported { field, .. } => Some(field.clone()),
        Rule::ClusterShared { .. } => Some(FieldPath::new("cluster")),
        Rule::SourceShared { .. } => Some(match changed.kind {
            Kind::PipelineRuntime => FieldPath::new("pipelines"),
            _ => FieldPath::new("manifest_source"),
        }),
        Rule::NamespaceShared { .. } | Rule::ReservedNamespace { .. } => {
            Some(FieldPath::new("destination").attribute(match changed.kind {
                Kind::PipelineRuntime => "namespace",
                _ => "namespaces",
            }))
        }
        Rule::WrongWorkerType { .. } | Rule::NoPipelineComponent { .. } => Some(destination()),
        Rule::NotAHost { .. } => Some(FieldPath::new("host_cluster")),
        Rule::PathTaken { .. } | Rule::ApplicationShared { .. } => Some(FieldPath::new("name")),
        Rule::Unreadable { .. }
        | Rule::Misplaced { .. }
        | Rule::Duplicate { .. }
        | Rule::ForeignProduct { .. }
        | Rule::ClusterInUse { .. } => None,
    }
}
