//! The outcomes of writes, and what the repository may contain after them.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use anyhow::bail;
use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use serde::{Deserialize, Serialize};
use terraform_provider_nautes::config_repo::Error;

use crate::test_env::Case;

/// The content of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Content {
    /// A text that no other write contains.
    pub(crate) mark: String,
    /// The cluster of an environment.
    pub(crate) cluster: Option<String>,
}

/// The contents that an entity may have; more than one if the effect of the last write is unknown.
pub(crate) type PossibleContents = Vec<Option<Content>>;

/// The effect of a failed write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The write did not take effect and never will.
    None,
    /// The write may have taken effect, and takes none later.
    Unknown,
}

/// The log of one process, or of all.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct WriteLog {
    /// The possible contents, by entity.
    pub(crate) entities: BTreeMap<String, PossibleContents>,
    /// Whether the write succeeded, by mark.
    pub(crate) marks: BTreeMap<String, bool>,
    /// The number of writes, by outcome.
    pub(crate) outcomes: BTreeMap<String, usize>,
}

impl From<&Entity> for Content {
    fn from(entity: &Entity) -> Self {
        match entity {
            Entity::Environment(environment) => Self {
                mark: environment.env_type.clone(),
                cluster: Some(environment.cluster.to_string()),
            },
            Entity::Project(project) => Self {
                mark: project.language.clone(),
                cluster: None,
            },
            other => Self {
                mark: format!("{other:?}"),
                cluster: None,
            },
        }
    }
}

/// Returns the effect that a write with this error may have had.
pub(crate) fn effect_of(error: &Error) -> anyhow::Result<Effect> {
    Ok(match error {
        // Validation failed, and a commit that was made before it has been reverted.
        Error::Refused { .. } => Effect::None,
        // A commit may have been made before the failure.
        Error::Contended { .. } | Error::GitLab(_) => Effect::Unknown,
        // No writer shares its names, so it knows which entities exist.
        error => bail!("unexpected error: {error}: {error:?}"),
    })
}

impl WriteLog {
    /// Records the start of a write.
    pub(crate) fn start(&mut self, content: Option<&Content>) {
        if let Some(content) = content {
            self.marks.insert(content.mark.clone(), false);
        }
    }

    /// Records the outcome of a write.
    pub(crate) fn finish(&mut self, outcome: &str, content: Option<&Content>) {
        *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
        if let Some(content) = content.filter(|_| outcome == "succeeded") {
            self.marks.insert(content.mark.clone(), true);
        }
    }

    /// Records the possible contents of an entity.
    pub(crate) fn set_possible(&mut self, key: &EntityKey, possible: PossibleContents) {
        self.entities.insert(key.to_string(), possible);
    }

    /// Adds a log of other entities.
    pub(crate) fn merge(&mut self, other: Self) {
        self.entities.extend(other.entities);
        self.marks.extend(other.marks);
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
    }

    /// Returns the number of writes that succeeded.
    pub(crate) fn succeeded(&self) -> usize {
        self.outcomes.get("succeeded").copied().unwrap_or_default()
    }

    /// Returns the number of writes that were not cancelled.
    pub(crate) fn completed(&self) -> usize {
        let completed = self
            .outcomes
            .iter()
            .filter(|(name, _)| *name != "cancelled");
        completed.map(|(_, count)| count).sum()
    }
}

impl Display for WriteLog {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} writes", self.completed())?;
        self.outcomes
            .iter()
            .try_for_each(|(outcome, count)| write!(formatter, ", {count} {outcome}"))
    }
}

/// Checks that the content of an entity is among the possible ones.
pub(crate) fn check_possible(
    key: &str,
    found: Option<&Content>,
    possible: &PossibleContents,
) -> Case {
    if possible.iter().any(|content| content.as_ref() == found) {
        return Ok(());
    }
    bail!("{key} is {found:?}, expected one of {possible:?}")
}
