//! Waiting until objects do what they are there for.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Pauses;
use super::report::Unready;
use crate::cluster::{ApiError, Cluster, Detail};
use crate::object::{Kind, Object, ObjectRef};
use crate::readiness::{Readiness, Rules, has_ready_endpoint, webhook_services};

/// Objects have not become ready.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}{}", head(self), list(.objects))]
pub struct NotReadyError {
    /// How long they were waited for.
    pub waited: Duration,
    /// Whether they cannot become ready without help. Otherwise the time was over.
    pub failed: bool,
    /// The objects.
    pub objects: Vec<Unready>,
}

/// Why waiting ended without success.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WaitError {
    /// Objects have not become ready.
    #[error(transparent)]
    NotReady(#[from] NotReadyError),
    /// The cluster could not be asked.
    #[error("cannot find out whether the objects are ready")]
    Api(#[from] ApiError),
}

fn head(error: &NotReadyError) -> String {
    let seconds = error.waited.as_secs();
    match (error.objects.len(), error.failed) {
        (1, true) => "an object has failed:".to_owned(),
        (1, false) => format!("an object is not ready after {seconds} s:"),
        (count, true) => format!("{count} objects have failed:"),
        (count, false) => format!("{count} objects are not ready after {seconds} s:"),
    }
}

fn list(objects: &[Unready]) -> String {
    let lines = objects.iter().map(|object| format!("\n{object}"));
    lines.collect::<Vec<_>>().concat()
}

/// How an object that is waited for was found.
enum Look {
    Ready,
    Unready(Box<Object>, Readiness),
    Missing,
}

impl Cluster {
    /// Waits until objects are ready by the rules.
    ///
    /// It ends as soon as one of them has failed for good. The objects of one kind and namespace are listed
    /// in one call; `selector` is of a label that all of them carry, or empty.
    pub async fn wait_until_ready(
        &self,
        objects: &[(Kind, ObjectRef)],
        selector: &str,
        rules: &Rules,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        let started = Instant::now();
        let mut pauses = Pauses::until(started + timeout);
        let mut waiting: Vec<&(Kind, ObjectRef)> = objects.iter().collect();
        loop {
            let mut looks = self.look(&waiting, selector, rules).await?;
            waiting.retain(|(_, object)| !matches!(looks.get(object), Some(Look::Ready)));
            looks.retain(|_, look| !matches!(look, Look::Ready));
            if looks.is_empty() {
                return Ok(());
            }
            let is_failed =
                |look: &Look| matches!(look, Look::Unready(_, Readiness::Failed { .. }));
            let failed = looks.values().any(is_failed);
            if failed {
                looks.retain(|_, look| is_failed(look));
            }
            if failed || !pauses.pause().await {
                let mut unready = Vec::new();
                for (object, look) in looks {
                    unready.push(match look {
                        Look::Unready(live, readiness) => {
                            Unready::read(self, &live, reason(readiness)).await
                        }
                        Look::Ready | Look::Missing => Unready::missing(&object),
                    });
                }
                let error = NotReadyError {
                    waited: started.elapsed(),
                    failed,
                    objects: unready,
                };
                return Err(error.into());
            }
        }
    }

    async fn assess(&self, live: &Object, rules: &Rules) -> Result<Readiness, ApiError> {
        let readiness = rules.assess(live);
        if readiness != Readiness::Ready {
            return Ok(readiness);
        }
        for service in webhook_services(live) {
            let kind = Kind::new("discovery.k8s.io/v1", "EndpointSlice");
            let selector = format!("kubernetes.io/service-name={}", service.name);
            let namespace = Some(service.namespace.as_str());
            let slices = self.list(&kind, namespace, &selector, Detail::Full).await?;
            if !has_ready_endpoint(&slices) {
                return Ok(Readiness::in_progress(format!(
                    "the service {}/{}, which answers its webhooks, has no ready endpoint",
                    service.namespace, service.name
                )));
            }
        }
        Ok(Readiness::Ready)
    }

    async fn look(
        &self,
        waiting: &[&(Kind, ObjectRef)],
        selector: &str,
        rules: &Rules,
    ) -> Result<BTreeMap<ObjectRef, Look>, ApiError> {
        let mut groups: BTreeMap<(&Kind, Option<&str>), Vec<&ObjectRef>> = BTreeMap::new();
        for (kind, object) in waiting {
            let group = groups
                .entry((kind, object.namespace.as_deref()))
                .or_default();
            group.push(object);
        }
        let mut looks = BTreeMap::new();
        for ((kind, namespace), objects) in groups {
            let found: Vec<Object> = if let ([object], "") = (objects.as_slice(), selector) {
                let found = self
                    .find(kind, namespace, &object.name, Detail::Full)
                    .await?;
                found.into_iter().collect()
            } else {
                self.list(kind, namespace, selector, Detail::Full).await?
            };
            let mut found: BTreeMap<ObjectRef, Object> = found
                .into_iter()
                .map(|live| (live.reference().clone(), live))
                .collect();
            for object in objects {
                let look = match found.remove(object) {
                    None => Look::Missing,
                    Some(live) => match self.assess(&live, rules).await? {
                        Readiness::Ready => Look::Ready,
                        readiness => Look::Unready(Box::new(live), readiness),
                    },
                };
                looks.insert(object.clone(), look);
            }
        }
        Ok(looks)
    }
}

fn reason(readiness: Readiness) -> String {
    match readiness {
        Readiness::Ready => "it is ready".to_owned(),
        Readiness::InProgress { reason } | Readiness::Failed { reason } => reason,
    }
}
