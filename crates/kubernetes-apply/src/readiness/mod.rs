//! Whether an object does what it is there for, judged by its status alone.
//!
//! The rules are those of Kubernetes' own command line where it has some (`kubectl rollout status`), and the
//! conventions for conditions elsewhere. A webhook is ready when the service behind it has a ready endpoint,
//! which is the one thing that is not in its own status. Rules for other kinds are added with [`Rules::with`].

mod conditions;
mod pods;
mod rules;
mod webhooks;
mod workloads;

pub use self::conditions::{Condition, conditions};
pub use self::pods::{ContainerTrouble, container_troubles};
pub use self::rules::{Rule, Rules, require_conditions};
pub(crate) use self::webhooks::{has_ready_endpoint, webhook_services};

/// What the status of an object says about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Readiness {
    /// It does what it is there for.
    Ready,
    /// It is on its way.
    InProgress {
        /// What is missing: `1 of 3 replicas are available`.
        reason: String,
    },
    /// It will not become ready unless somebody intervenes.
    Failed {
        /// Why.
        reason: String,
    },
}

impl Readiness {
    pub(crate) fn in_progress(reason: impl Into<String>) -> Self {
        Self::InProgress {
            reason: reason.into(),
        }
    }

    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self::Failed {
            reason: reason.into(),
        }
    }

    /// Returns the first of several that is not ready.
    pub(crate) fn first_unready(all: impl IntoIterator<Item = Self>) -> Self {
        let mut unready = all
            .into_iter()
            .filter(|readiness| *readiness != Self::Ready);
        unready.next().unwrap_or(Self::Ready)
    }
}
