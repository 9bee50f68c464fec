//! What a refused change waits for.

use nautes_model::layout::Repository;

use super::error::Error;
use crate::wait_graph::{Awaited, Target};

/// Lists the manifests whose change may let a refused change succeed.
pub(super) fn awaited(refusal: &Error, repository: Repository) -> Vec<Awaited> {
    match refusal {
        Error::Refused { violations, .. } => violations
            .iter()
            .flat_map(|violation| violation.resolved_by(repository))
            .map(Awaited::Manifests)
            .collect(),
        Error::Exists { key, .. } => {
            vec![Awaited::Target(Target::Manifest(repository, key.clone()))]
        }
        Error::CreatedTwice { .. }
        | Error::Changed { .. }
        | Error::Contended { .. }
        | Error::Tenant { .. }
        | Error::GitLab(_)
        | Error::Interrupted => Vec::new(),
    }
}
