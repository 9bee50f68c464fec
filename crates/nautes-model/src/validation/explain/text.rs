//! One violation in words.

use super::{Explanation, Situation, capitalised};
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
    situation: &Situation<'_>,
) -> Explanation {
    let subject = match &violation.subject {
        Subject::Entity(key) => situation.describe(key),
        Subject::File(path) => format!("file `{path}`"),
    };
    let speaker = Speaker { subject, situation };
    let mut explanation = speaker.explain(&violation.rule);
    let changed_is_at_fault = violation.entity() == Some(changed)
        || (is_mutual(&violation.rule) && violation.entities().contains(changed));
    if changed_is_at_fault {
        explanation.field = field(&violation.rule, changed);
    }
    explanation
}

/// Says what is wrong with a subject.
struct Speaker<'a> {
    subject: String,
    situation: &'a Situation<'a>,
}

impl Speaker<'_> {
    fn explain(&self, rule: &Rule) -> Explanation {
        match rule {
            Rule::Unreadable { reason } => self.unreadable(reason),
            Rule::Misplaced { path } => self.misplaced(path),
            Rule::Repeated { paths } => self.repeated(paths),
            Rule::PlaceTaken { path, by } => self.place_taken(path, by.as_ref()),
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
            Rule::WrongWorker { cluster, expected } => self.wrong_worker(cluster, *expected),
            Rule::NoPipelineComponent { cluster } => self.no_pipeline_component(cluster),
            Rule::ComponentNamespace { cluster, namespace } => {
                self.component_namespace(cluster, namespace)
            }
            Rule::NotAHost { host } => self.not_a_host(host),
            Rule::ClusterInUse {
                product,
                environment,
            } => self.cluster_in_use(*product, environment),
        }
    }

    fn unreadable(&self, reason: &str) -> Explanation {
        says(
            format!("The {} cannot be read", self.subject),
            format!("{}.", capitalised(reason)),
        )
        .advising("Repair or remove it in the configuration repository.")
    }

    fn misplaced(&self, path: &str) -> Explanation {
        says(
            format!(
                "The manifest of the {} lies in the wrong place",
                self.subject
            ),
            format!("It was found at `{path}`, where Nautes does not look for it."),
        )
        .advising("Move it in the configuration repository.")
    }

    fn repeated(&self, paths: &[String]) -> Explanation {
        says(
            format!("The {} is described twice", self.subject),
            format!("Its manifests are `{}`.", paths.join("`, `")),
        )
        .advising("Remove all but one in the configuration repository.")
    }

    fn place_taken(&self, path: &str, by: Option<&EntityKey>) -> Explanation {
        let holder = by.map_or_else(
            || "something else".to_owned(),
            |key| format!("the {}", self.situation.describe(key)),
        );
        says(
            format!("The place of the {} is taken", self.subject),
            format!("Its manifest belongs at `{path}`, which holds {holder}."),
        )
        .advising("Choose another name, or remove what is there first.")
    }

    fn invalid(&self, field: &FieldPath, problem: &Problem) -> Explanation {
        says(
            format!("The {} is not valid", self.subject),
            format!("The attribute `{field}` is wrong: {problem}."),
        )
    }

    fn foreign_product(&self, product: ProductId) -> Explanation {
        says(
            format!("The {} belongs to another product", self.subject),
            format!(
                "Its manifest names `{product}`, but lies in the repository of {}.",
                self.situation.owner()
            ),
        )
    }

    fn missing(&self, field: &FieldPath, target: &EntityKey) -> Explanation {
        says(
            format!("The {} does not exist", self.situation.describe(target)),
            format!(
                "The {} names it (`{field}`). {}",
                self.subject,
                self.situation.existing(target.kind)
            ),
        )
    }

    fn not_authorised(&self, project: &EntityName, code_repo: RepositoryId) -> Explanation {
        let code_repo = EntityKey::new(Kind::CodeRepo, code_repo.into());
        says(
            format!(
                "The {} is not open to project `{project}`",
                self.situation.describe(&code_repo)
            ),
            format!("The {} uses it.", self.subject),
        )
    }

    fn not_reported(&self, event: &str, code_repo: RepositoryId) -> Explanation {
        let code_repo = self
            .situation
            .describe(&EntityKey::new(Kind::CodeRepo, code_repo.into()));
        says(
            format!("The {code_repo} does not report `{event}`"),
            format!("The {} waits for it, and would never run.", self.subject),
        )
        .advising("Add the event to `webhook_events` of the repository.")
    }

    fn cluster_shared(&self, cluster: &EntityName, with: &EntityKey) -> Explanation {
        says(
            "Two environments use one cluster".to_owned(),
            format!(
                "The {} and the {} of {} both use cluster `{cluster}`; a product has at most one \
                 environment on a cluster.",
                self.subject,
                self.situation.describe(with),
                self.situation.owner()
            ),
        )
        .advising("Use another cluster, or remove one of them first.")
    }

    fn source_shared(&self, with: &EntityKey, path: &str) -> Explanation {
        says(
            "Two runtimes do the same work".to_owned(),
            format!(
                "The {} and the {} of {} both take `{path}` of one repository, for one \
                 destination.",
                self.subject,
                self.situation.describe(with),
                self.situation.owner()
            ),
        )
        .advising("Change the path or the destination, or remove one of them first.")
    }

    fn namespace_shared(
        &self,
        cluster: &EntityName,
        namespace: &str,
        with: &OtherRuntime,
    ) -> Explanation {
        says(
            format!("The namespace `{namespace}` is taken"),
            format!(
                "The {} and the {} both use it on cluster `{cluster}`.",
                self.subject,
                self.runtime(with)
            ),
        )
        .advising("Use another namespace.")
    }

    fn application_shared(&self, cluster: &EntityName, with: &OtherRuntime) -> Explanation {
        says(
            "The name of the runtime is taken on its cluster".to_owned(),
            format!(
                "The {} and the {} have one name on cluster `{cluster}`, where Argo CD \
                 applications are named after runtimes.",
                self.subject,
                self.runtime(with)
            ),
        )
        .advising("Choose another name.")
    }

    fn wrong_worker(&self, cluster: &EntityName, expected: WorkerType) -> Explanation {
        let word = expected.as_str();
        says(
            format!("The cluster `{cluster}` is not for {word} runtimes"),
            format!(
                "The {} needs a cluster whose worker type is `{word}`.",
                self.subject
            ),
        )
        .advising("Use an environment of such a cluster.")
    }

    fn no_pipeline_component(&self, cluster: &EntityName) -> Explanation {
        says(
            format!("The cluster `{cluster}` has no pipeline component"),
            format!("The {} cannot run there.", self.subject),
        )
    }

    fn component_namespace(&self, cluster: &EntityName, namespace: &str) -> Explanation {
        says(
            format!("The namespace `{namespace}` belongs to a component"),
            format!(
                "The {} cannot use it: it is reserved on cluster `{cluster}`.",
                self.subject
            ),
        )
        .advising("Use another namespace.")
    }

    fn not_a_host(&self, host: &EntityName) -> Explanation {
        says(
            format!("The cluster `{host}` is no host"),
            format!(
                "The {} names it as its host, but its usage is `worker`.",
                self.subject
            ),
        )
    }

    fn cluster_in_use(&self, product: ProductId, environment: &EntityName) -> Explanation {
        says(
            format!("The {} does not exist", self.subject),
            format!("The environment `{environment}` of `{product}` names it."),
        )
    }

    fn runtime(&self, runtime: &OtherRuntime) -> String {
        match runtime.product {
            None => self.situation.describe(&runtime.key),
            Some(product) => format!("{} of `{product}`", runtime.key),
        }
    }
}

fn says(summary: String, detail: String) -> Explanation {
    Explanation {
        summary,
        detail,
        hint: None,
        field: None,
    }
}

impl Explanation {
    fn advising(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}

/// Tells whether both entities of a rule are at fault alike.
fn is_mutual(rule: &Rule) -> bool {
    matches!(
        rule,
        Rule::ClusterShared { .. }
            | Rule::SourceShared { .. }
            | Rule::NamespaceShared { .. }
            | Rule::ApplicationShared { .. }
    )
}

/// Returns the attribute at fault, of the subject or of the other entity of a pair.
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
        Rule::NamespaceShared { .. } | Rule::ComponentNamespace { .. } => {
            Some(FieldPath::new("destination").attribute(match changed.kind {
                Kind::PipelineRuntime => "namespace",
                _ => "namespaces",
            }))
        }
        Rule::WrongWorker { .. } | Rule::NoPipelineComponent { .. } => Some(destination()),
        Rule::NotAHost { .. } => Some(FieldPath::new("host_cluster")),
        Rule::PlaceTaken { .. } | Rule::ApplicationShared { .. } => Some(FieldPath::new("name")),
        Rule::Unreadable { .. }
        | Rule::Misplaced { .. }
        | Rule::Repeated { .. }
        | Rule::ForeignProduct { .. }
        | Rule::ClusterInUse { .. } => None,
    }
}
