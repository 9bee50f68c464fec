//! The names of what a pipeline runtime has in its cluster.

use nautes_model::RepositoryId;
use nautes_model::entity::PipelineRuntime;

use crate::components::Sha256;

/// The longest name that is also a label of what a Sensor creates.
const LABEL_LENGTH: usize = 63;

/// The longest name of a dependency without a hash.
const DEPENDENCY_LENGTH: usize = 40;

/// The names that derive from the product and the name of a runtime.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PipelineNames {
    runtime: String,
    uid: String,
}

impl PipelineNames {
    pub(crate) fn new(runtime: &PipelineRuntime) -> Self {
        Self {
            runtime: runtime.name.to_string(),
            uid: format!("{}-{}", runtime.product, runtime.name),
        }
    }

    /// The name of the Sensor, its service account and its Role: `product-42-build`.
    pub(crate) fn uid(&self) -> &str {
        &self.uid
    }

    /// The `EventSource` that GitLab calls.
    pub(crate) fn gitlab(&self) -> String {
        format!("{}-gitlab", self.uid)
    }

    /// The `EventSource` of schedules.
    pub(crate) fn calendar(&self) -> String {
        format!("{}-calendar", self.uid)
    }

    /// The Service that Argo Events makes for the `EventSource` that GitLab calls.
    pub(crate) fn gitlab_service(&self) -> String {
        format!("{}-eventsource-svc", self.gitlab())
    }

    /// The Secret with the token of a repository's hook.
    pub(crate) fn hook_token(&self, repository: RepositoryId) -> String {
        format!("{}-{repository}-secret-token", self.uid)
    }

    /// The path of a repository's hook.
    pub(crate) fn hook_path(&self, repository: RepositoryId) -> String {
        format!("/{}/{repository}", self.uid)
    }

    /// The Secret of an entry of `credentials`.
    pub(crate) fn credential(&self, entry: &str) -> String {
        format!("{}-{entry}", self.runtime)
    }
}

/// The name of the dependency of a Sensor on an event source.
///
/// Argo Events reads it as a word of an expression, so it has no dot and does not begin with a digit.
pub(super) fn dependency(event_source: &str) -> String {
    let name = format!("es-{event_source}");
    if name.len() <= DEPENDENCY_LENGTH && !name.contains('.') {
        return name;
    }
    shortened(&name.replace('.', "-"), &name, DEPENDENCY_LENGTH)
}

/// The name of the trigger of a pipeline. It does not depend on the order of triggers: another name makes another
/// consumer of the bus, which loses events.
pub(super) fn trigger(event_source: &str, pipeline: &str, revision: Option<&str>) -> String {
    let name = format!("{event_source}-{pipeline}");
    let distinct = revision.map(|revision| format!("{name}\n{revision}"));
    match distinct {
        // `a-b` and `c`, and `a` and `b-c`, would have one name.
        None if name.len() <= LABEL_LENGTH && !pipeline.contains('-') => name,
        None => shortened(&name, &format!("{event_source}\n{pipeline}"), LABEL_LENGTH),
        Some(distinct) => shortened(&name, &distinct, LABEL_LENGTH),
    }
}

/// Cuts a name to a length, and ends it with 8 hexadecimal digits of a hash.
fn shortened(name: &str, distinct: &str, length: usize) -> String {
    let hash = Sha256::compute(distinct.as_bytes()).to_string();
    let kept: String = name.chars().take(length.saturating_sub(9)).collect();
    let hash: String = hash.chars().take(8).collect();
    format!("{}-{hash}", kept.trim_end_matches(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_one_word_of_an_expression() {
        assert_eq!(dependency("on-push"), "es-on-push");
        let dotted = dependency("on.push");
        assert!(dotted.starts_with("es-on-push-"), "{dotted}");
        assert_ne!(dotted, dependency("on-push"));
        let long = dependency(&"a".repeat(60));
        assert_eq!(long.len(), DEPENDENCY_LENGTH);
        for name in [dotted, long, dependency("7")] {
            assert!(name.starts_with("es-") && !name.contains('.'), "{name}");
        }
    }

    #[test]
    fn triggers_have_names_of_their_own_that_are_labels() {
        assert_eq!(trigger("on-push", "build", None), "on-push-build");
        let names = [
            trigger("push", "build", None),
            trigger("push", "build", Some("main")),
            trigger("push", "build", Some("other")),
            trigger("a-b", "c-d", None),
            trigger("a", "b-c-d", None),
            trigger("a-b-c", "d", None),
            trigger(&"a".repeat(60), &"b".repeat(60), None),
        ];
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        for name in names {
            assert!(name.len() <= LABEL_LENGTH, "{name}");
        }
    }
}
