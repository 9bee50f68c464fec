//! What answered at the address of a cluster at the last refresh, where that was not the cluster of the state.
//!
//! A refresh records it in private data together with `drift`, so that a plan, which calls no server, can decide.

use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::{Planning, PrivateState};
use terraform_plugin::value::{Known, Path, Tf};

use super::model::ClusterModel;
use super::resource::ClusterResource;

/// The key of an [`Answer`] in private data.
const KEY: &str = "answer";

/// What a refresh found instead of the cluster of the state.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// Another cluster, with this UID.
    Another(String),
    /// A server that refuses the stored credential, or whose certificate the stored kubeconfig does not trust.
    Refused,
    /// None: the host has no data of the virtual cluster, so an update makes another one with another UID.
    WithoutData,
}

impl Answer {
    fn load(private: &PrivateState) -> Option<Self> {
        private.get(KEY)
    }

    /// Records what a refresh found, or what an update has repaired; `None` is the cluster itself.
    pub(super) fn record(
        found: Option<&Self>,
        private: &mut PrivateState,
    ) -> Result<(), Diagnostics> {
        let Some(found) = found else {
            private.remove(KEY);
            return Ok(());
        };
        let recorded = private.set(KEY, found);
        recorded.map_err(|error| Diagnostic::bug(error).into())
    }

    /// Forgets another cluster that answered, since nothing answers any more: it may be gone, too. Returns whether one
    /// did.
    pub(super) fn forget_other(private: &mut PrivateState) -> bool {
        let has_answered = matches!(Self::load(private), Some(Self::Another(_)));
        if has_answered {
            private.remove(KEY);
        }
        has_answered
    }
}

/// Plans the update that what answered at the last refresh needs, or refuses it, and warns of a cluster that counts as
/// rebuilt.
pub(super) fn plan(planning: &mut Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    plan_update(planning)?;
    let (Some(prior), Known(planned)) = (&planning.prior, &planning.planned.cluster_uid) else {
        return Ok(());
    };
    if counts_as_rebuilt(prior, planned) {
        let (summary, detail) = rebuilt(prior);
        planning.warn_at(&Path::to("cluster_uid"), summary, detail);
    }
    Ok(())
}

/// Whether a cluster with this UID takes the place of that of the state.
pub(super) fn counts_as_rebuilt(prior: &ClusterModel, uid: &str) -> bool {
    prior
        .cluster_uid
        .known()
        .is_some_and(|former| former != uid)
}

fn plan_update(planning: &mut Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    let (Some(prior), Some(answer)) = (&planning.prior, Answer::load(&planning.private)) else {
        return Ok(());
    };
    let is_replacement = !planning.replacement_paths().is_empty();
    let planned = &mut planning.planned;
    planned.kubernetes_version = Tf::Unknown;
    // What answered at another address tells nothing about this one.
    if planned.api_server != Known(prior.api_server.clone()) {
        return Ok(());
    }
    match answer {
        Answer::Refused => {}
        Answer::WithoutData => {
            if planning.config.cluster_uid.is_null() {
                planned.cluster_uid = Tf::Unknown;
            }
        }
        Answer::Another(found) if is_replacement => return Err(cannot_destroy(prior, &found)),
        Answer::Another(found) => match &planned.cluster_uid {
            Known(expected) if *expected == found => {}
            Known(expected) => return Err(another(prior, expected, &found)),
            Tf::Unknown | Tf::Null => {}
        },
    }
    Ok(())
}

/// Refuses to plan the destroy of a cluster in whose place another one answered.
pub(super) fn check_destroy(
    state: &ClusterModel,
    private: &PrivateState,
) -> Result<(), Diagnostics> {
    match Answer::load(private) {
        Some(Answer::Another(found)) => Err(cannot_destroy(state, &found)),
        _ => Ok(()),
    }
}

fn another(prior: &ClusterModel, expected: &str, found: &str) -> Diagnostics {
    let ClusterModel {
        name, api_server, ..
    } = prior;
    let detail = format!(
        "The UID of its namespace kube-system is {found}, and that of the cluster {name} is {expected}. Nothing was changed. If {name} was rebuilt and this one is meant, set cluster_uid = \"{found}\": the next apply installs everything in it anew. Otherwise correct api_server."
    );
    Diagnostic::error(format!("Another cluster answers at {api_server}"), detail)
        .at(&Path::to("cluster_uid"))
        .into()
}

fn cannot_destroy(state: &ClusterModel, found: &str) -> Diagnostics {
    let ClusterModel {
        name, api_server, ..
    } = state;
    let expected = state.cluster_uid.known().map_or("not known", |uid| uid);
    let detail = format!(
        "Another cluster answers at {api_server}: the UID of its namespace kube-system is {found}, and that of the cluster {name} is {expected}. Nothing was changed. If {name} was rebuilt and this one is meant, set cluster_uid = \"{found}\", apply, and destroy it then. If api_server is wrong, correct it and apply first. If {name} is gone for good and this is somebody else's cluster, take it out of the state (terraform state rm <address>), and remove its manifest from the tenant's repository and its secrets from Vault by hand; unreachable_clusters does not cover a cluster in whose place another one answers."
    );
    Diagnostic::error(format!("Cannot destroy the cluster {name}"), detail)
        .at(&Path::to("cluster_uid"))
        .into()
}

/// Returns the warning about a cluster that counts as rebuilt.
pub(super) fn rebuilt(prior: &ClusterModel) -> (String, String) {
    let name = &prior.name;
    let expected = prior.cluster_uid.known().map_or("not known", |uid| uid);
    (
        format!("The cluster {name} counts as rebuilt"),
        format!(
            "Its UID was {expected}. Everything is installed in it anew, and its secrets and its auth mount in Vault become those of the new cluster. What products had in the old one shows as missing at the next plan, and is made anew then."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_recorded_until_the_cluster_itself_answers() {
        let mut private = PrivateState::default();
        let other = Answer::Another("4f0c".to_owned());
        for answer in [other.clone(), Answer::Refused, Answer::WithoutData] {
            Answer::record(Some(&answer), &mut private).unwrap();
            assert_eq!(Answer::load(&private), Some(answer));
        }
        Answer::record(None, &mut private).unwrap();
        assert_eq!(Answer::load(&private), None);

        Answer::record(Some(&other), &mut private).unwrap();
        assert!(Answer::forget_other(&mut private));
        assert_eq!(Answer::load(&private), None);
        Answer::record(Some(&Answer::Refused), &mut private).unwrap();
        assert!(!Answer::forget_other(&mut private));
        assert_eq!(Answer::load(&private), Some(Answer::Refused));
    }
}
