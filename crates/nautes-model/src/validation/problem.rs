//! The problems of a single entity.

use crate::name::NameError;
use crate::revision::RevisionError;

/// A problem of a field that does not depend on other entities.
///
/// The rules are those of Nautes (`biz/projectpipelineruntime.go`,
/// `projectpipelineruntime_webhook.go`, `biz/cluster.go`) unless stated otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Problem {
    /// A name violates its rule.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A list that needs an item is empty.
    #[error("at least one item is required")]
    Empty,
    /// The name collides with that of something else.
    #[error("`{name}` is also the name of {owner}")]
    NameCollision {
        /// The name.
        name: String,
        /// What has the same name.
        owner: &'static str,
    },
    /// An event is not known to Nautes.
    #[error("`{event}` is not a webhook event; the events are {}", crate::entity::webhook_event::ALL.join(", "))]
    UnknownEvent {
        /// The event.
        event: String,
    },
    /// Two pipelines of a runtime have the same path.
    #[error("the pipeline `{with}` has the same path, `{path}`")]
    DuplicatePath {
        /// The path.
        path: String,
        /// The other pipeline.
        with: String,
    },
    /// A trigger refers to an event source that the runtime does not have.
    #[error("there is no event source `{name}` in this runtime")]
    UnknownEventSource {
        /// The name.
        name: String,
    },
    /// A trigger refers to a pipeline that the runtime does not have.
    #[error("there is no pipeline `{name}` in this runtime")]
    UnknownPipeline {
        /// The name.
        name: String,
    },
    /// Two triggers have the same event source, pipeline and revision.
    #[error("an earlier trigger has the same event source, pipeline and revision")]
    DuplicateTrigger,
    /// An event source has neither a code repository nor a calendar.
    #[error("an event source needs `gitlab` or `calendar`")]
    NoEvents,
    /// A calendar has no schedule.
    #[error("a calendar needs `schedule` or `interval`")]
    NoSchedule,
    /// A revision is matched against an event without one, so that the event source never fires.
    ///
    /// Nautes does not have this rule: its filter fails on each event.
    #[error(
        "`{event}` has no branch or tag that a revision could match, so the event source would \
         never fire for it"
    )]
    EventWithoutRevision {
        /// The event.
        event: String,
    },
    /// A revision is invalid.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// Additional resources have no source.
    #[error("additional resources need `code_repo` or `url`")]
    NoSource,
    /// A hook occurs twice before or after the pipeline.
    #[error("the hook `{name}` occurs twice")]
    DuplicateHook {
        /// The hook.
        name: String,
    },
    /// Two hooks have the same alias.
    #[error("another hook has the alias `{alias}`")]
    DuplicateAlias {
        /// The alias.
        alias: String,
    },
    /// The URL of a cluster's API does not match the pattern of the Kubernetes resource.
    #[error(
        "`{address}` is not accepted: it must begin with `https://` or `http://`, and its host must \
         be an IP address, or have a dot with at most six letters or digits after the last one"
    )]
    ApiServer {
        /// The URL.
        address: String,
    },
    /// A required component is missing.
    #[error("a cluster of this type, usage and worker type needs this component")]
    MissingComponent,
    /// A setting of a component is missing or invalid.
    #[error("the component `{component}` needs `{setting}`, and it must be {form}")]
    ComponentSetting {
        /// The component.
        component: String,
        /// The setting in the manifest.
        setting: &'static str,
        /// The required form.
        form: &'static str,
    },
    /// A reserved namespace does not belong to a component.
    #[error("`{namespace}` is not the namespace of a component of this cluster")]
    NotReserved {
        /// The namespace.
        namespace: String,
    },
    /// A cluster resource has no kind or no group.
    #[error("a cluster resource needs a kind and a group")]
    IncompleteClusterResource,
}
