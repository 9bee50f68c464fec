//! What writers were told of their writes, and so what may be in the repository.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use anyhow::bail;
use nautes_model::EntityKey;
use serde::{Deserialize, Serialize};
use terraform_provider_nautes::config_repo::Error;

use crate::harness::Case;

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Content {
    /// A text that no other write has.
    pub(crate) mark: String,
    /// The cluster of an environment.
    pub(crate) cluster: Option<String>,
}

/// What may be in one place: one thing, unless the effect of the last write is unknown.
pub(crate) type Possible = Vec<Option<Content>>;

/// What an error permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The write was not made and never will be.
    None,
    /// It was made or not; nothing more happens after the answer.
    Unknown,
}

/// The ledger of a process, or of all.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// By entity, what may be in its place.
    pub(crate) places: BTreeMap<String, Possible>,
    /// By mark, whether the write of it was answered with success.
    pub(crate) marks: BTreeMap<String, bool>,
    /// How many writes of each kind ended how.
    pub(crate) outcomes: BTreeMap<String, usize>,
}

/// Tells what an error of a write permits.
pub(crate) fn effect_of(error: &Error) -> anyhow::Result<Effect> {
    Ok(match error {
        // Judged, and taken back if it had been committed before it was judged.
        Error::Refused { .. } => Effect::None,
        // A commit may have been made before the failure.
        Error::Contended { .. } | Error::GitLab(_) => Effect::Unknown,
        // Names belong to one writer, which knew what is there.
        error => bail!("nothing permits this error: {error}: {error:?}"),
    })
}

impl Ledger {
    /// Notes that a write begins.
    pub(crate) fn begin(&mut self, content: Option<&Content>) {
        if let Some(content) = content {
            self.marks.insert(content.mark.clone(), false);
        }
    }

    /// Notes how a write ended.
    pub(crate) fn end(&mut self, outcome: &str, content: Option<&Content>) {
        *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
        if let Some(content) = content.filter(|_| outcome == "made") {
            self.marks.insert(content.mark.clone(), true);
        }
    }

    /// Notes what may be in the place of an entity.
    pub(crate) fn hold(&mut self, key: &EntityKey, possible: Possible) {
        self.places.insert(key.to_string(), possible);
    }

    /// Adds another ledger, whose names are others.
    pub(crate) fn merge(&mut self, other: Self) {
        self.places.extend(other.places);
        self.marks.extend(other.marks);
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
    }

    /// The writes that were answered with success.
    pub(crate) fn succeeded(&self) -> usize {
        self.outcomes.get("made").copied().unwrap_or_default()
    }

    /// The writes that were waited for to the end.
    pub(crate) fn writes(&self) -> usize {
        let ended = self
            .outcomes
            .iter()
            .filter(|(name, _)| *name != "cancelled");
        ended.map(|(_, count)| count).sum()
    }
}

impl Display for Ledger {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} writes", self.writes())?;
        self.outcomes
            .iter()
            .try_for_each(|(outcome, count)| write!(formatter, ", {count} {outcome}"))
    }
}

/// Checks that something found is among what is possible.
pub(crate) fn expect_possible(key: &str, found: Option<&Content>, possible: &Possible) -> Case {
    if possible.iter().any(|content| content.as_ref() == found) {
        return Ok(());
    }
    bail!("{key} is {found:?} and may only be one of {possible:?}")
}
