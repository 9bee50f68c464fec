//! What can be wrong with an entity by itself.

use crate::name::NameError;
use crate::revision::RevisionError;

/// What is wrong with a field of an entity, whatever else there is.
///
/// The rules are those of Nautes's checks (`biz/projectpipelineruntime.go`,
/// `projectpipelineruntime_webhook.go`, `biz/cluster.go`) unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Problem {
    /// A name breaks its rule.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A list that needs an item has none.
    #[error("at least one item is needed")]
    Empty,
    /// The name means something else in this place.
    #[error("`{name}` is also the name of {owner}, whose place in the repository is the same")]
    NameOf {
        /// The name.
        name: String,
        /// What has it.
        owner: &'static str,
    },
    /// An event is none of those that Nautes knows.
    #[error("`{event}` is no webhook event; the events are {}", crate::entity::webhook_event::ALL.join(", "))]
    UnknownEvent {
        /// The event.
        event: String,
    },
    /// Two pipelines of a runtime have one file.
    #[error("the pipeline `{with}` has the same path, `{path}`")]
    PathOf {
        /// The path.
        path: String,
        /// The other pipeline.
        with: String,
    },
    /// A trigger names an event source that the runtime does not have.
    #[error("there is no event source `{name}` in this runtime")]
    UnknownEventSource {
        /// The name.
        name: String,
    },
    /// A trigger names a pipeline that the runtime does not have.
    #[error("there is no pipeline `{name}` in this runtime")]
    UnknownPipeline {
        /// The name.
        name: String,
    },
    /// Two triggers have the same event source, pipeline and revision.
    #[error("an earlier trigger has the same event source, pipeline and revision")]
    TriggerTwice,
    /// An event source is neither a repository nor a calendar.
    #[error("an event source needs `gitlab` or `calendar`")]
    NoEvents,
    /// A calendar never fires.
    #[error("a calendar needs `schedule` or `interval`")]
    NoSchedule,
    /// A revision is matched against an event that carries none, so that it never fires. The rule
    /// is ours; Nautes lets the filter fail on each event.
    #[error(
        "`{event}` carries no branch or tag that a revision could match, so that the event source \
         would never fire for it"
    )]
    EventWithoutRevision {
        /// The event.
        event: String,
    },
    /// A revision cannot be kept.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// Additional resources come from nowhere.
    #[error("additional resources need `code_repo` or `url`")]
    NoSource,
    /// A hook is there twice on one side.
    #[error("the hook `{name}` is there twice")]
    HookTwice {
        /// The hook.
        name: String,
    },
    /// Two hooks have one name in the run.
    #[error("another hook has the alias `{alias}`")]
    AliasTwice {
        /// The alias.
        alias: String,
    },
    /// The address of a cluster's API has not the form that Kubernetes takes for the manifest.
    #[error(
        "`{address}` is not accepted: it begins with `https://` or `http://`, and its host is an \
         address or has a dot and at most six letters or digits behind the last one"
    )]
    ApiServer {
        /// The address.
        address: String,
    },
    /// A cluster lacks a component.
    #[error("a cluster of this shape needs this component")]
    NoComponent,
    /// A component lacks a setting, or the setting has the wrong form.
    #[error("the component `{component}` needs `{setting}`, and it must be {form}")]
    ComponentSetting {
        /// The component.
        component: String,
        /// The setting, as in the manifest.
        setting: &'static str,
        /// What it must be.
        form: &'static str,
    },
    /// A reserved namespace is none of a component's.
    #[error("`{namespace}` is the namespace of no component of this cluster")]
    NotReserved {
        /// The namespace.
        namespace: String,
    },
    /// A resource has no kind or no group.
    #[error("a cluster resource needs a kind and a group")]
    ClusterResource,
}
