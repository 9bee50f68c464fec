//! How what the runtimes of a product share changes with one of them.

use kubernetes_apply::object::ObjectError;

use super::{Shared, SharedContext};
use crate::runtime::registry::{Contribution, Entry, Progress, Registry, RuntimeKey};

/// A step in the life of a runtime.
///
/// The registry with the entry `before` is written first, then `apply` is applied and `remove` removed, and when that
/// is gone, the entry `after` is written. A run that was killed in between is finished by the same step of the next one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transition {
    /// The entry of the runtime from the beginning of the step; `None` if it had none.
    pub(crate) before: Option<Entry>,
    /// The entry of the runtime at the end of the step; `None` if it has none any more.
    pub(crate) after: Option<Entry>,
    /// What is there afterwards.
    pub(crate) apply: Shared,
    /// What nobody needs any more.
    pub(crate) remove: Shared,
}

impl Transition {
    /// The runtime contributes something, besides what it has contributed so far. Nothing is removed.
    pub(crate) fn contribute(
        registry: &Registry,
        runtime: &RuntimeKey,
        contribution: Contribution,
        context: &SharedContext,
    ) -> Result<Self, ObjectError> {
        let entry = match registry.get(runtime) {
            Some(entry) => {
                let is_complete = entry.progress == Progress::Complete;
                let progress = if is_complete {
                    Progress::Complete
                } else {
                    Progress::Creating
                };
                entry.clone().changed(progress, contribution)
            }
            None => Entry::new(Progress::Creating, contribution),
        };
        let registry = registry.with(runtime, Some(entry.clone()));
        Ok(Self {
            before: Some(entry.clone()),
            after: Some(entry),
            apply: Shared::derive(&registry, context)?,
            remove: Shared::default(),
        })
    }

    /// The runtime works without what it has contributed before, which completes its creation.
    pub(crate) fn settle(
        registry: &Registry,
        runtime: &RuntimeKey,
        context: &SharedContext,
    ) -> Result<Self, ObjectError> {
        let entry = registry.get(runtime).cloned().unwrap_or_default();
        let progress = entry.progress;
        let step = Self::shrink(registry, runtime, entry.settled(progress), context)?;
        let current = step.before.as_ref().map(|entry| entry.current.clone());
        Ok(Self {
            after: current.map(|current| Entry::new(Progress::Complete, current)),
            ..step
        })
    }

    /// The runtime contributes nothing any more.
    pub(crate) fn withdraw(
        registry: &Registry,
        runtime: &RuntimeKey,
        context: &SharedContext,
    ) -> Result<Self, ObjectError> {
        let entry = registry.get(runtime).cloned().unwrap_or_default();
        let entry = entry
            .changed(Progress::Deleting, Contribution::default())
            .settled(Progress::Deleting);
        Self::shrink(registry, runtime, entry, context)
    }

    /// The runtime is gone.
    pub(crate) fn depart(
        registry: &Registry,
        runtime: &RuntimeKey,
        context: &SharedContext,
    ) -> Result<Self, ObjectError> {
        let there = Shared::derive(&registry.with_all_needed(), context)?;
        let apply = Shared::derive(&registry.with(runtime, None), context)?;
        Ok(Self {
            before: registry.get(runtime).cloned(),
            after: None,
            remove: there.without(&apply),
            apply,
        })
    }

    fn shrink(
        registry: &Registry,
        runtime: &RuntimeKey,
        entry: Entry,
        context: &SharedContext,
    ) -> Result<Self, ObjectError> {
        let registry = registry.with(runtime, Some(entry.clone()));
        let there = Shared::derive(&registry.with_all_needed(), context)?;
        let apply = Shared::derive(&registry, context)?;
        Ok(Self {
            after: Some(Entry::new(entry.progress, entry.current.clone())),
            before: Some(entry),
            remove: there.without(&apply),
            apply,
        })
    }
}
