//! The distributions of one product's keys, one at a time, and the requests that wait for them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::RepositoryId;
use tokio::sync::oneshot;

use super::failure::LinkFailure;
use super::run::Distribution;
use super::subscriber::Subscriber;
use crate::credentials::error::Error;

/// The distributions of one product's keys.
#[derive(Debug)]
pub(super) struct Distributor {
    distribution: Distribution,
    subscriptions: Mutex<Vec<Subscription>>,
    /// The repositories on which the last distribution failed; locked while one runs.
    unfinished: tokio::sync::Mutex<BTreeSet<RepositoryId>>,
}

#[derive(Debug)]
struct Subscription {
    subscriber: Subscriber,
    reply: oneshot::Sender<Result<(), Error>>,
}

impl Distributor {
    pub(super) fn new(distribution: Distribution) -> Self {
        Self {
            distribution,
            subscriptions: Mutex::default(),
            unfinished: tokio::sync::Mutex::default(),
        }
    }

    /// Waits for the first distribution that begins from now on. Dropping the future cancels none.
    pub(super) async fn wait(self: Arc<Self>, subscriber: Subscriber) -> Result<(), Error> {
        let (reply, result) = oneshot::channel();
        self.subscriptions()
            .push(Subscription { subscriber, reply });
        tokio::spawn(self.distribute());
        result.await.unwrap_or(Err(Error::Interrupted))
    }

    fn subscriptions(&self) -> MutexGuard<'_, Vec<Subscription>> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all subscriptions, or none if no subscriber waits any more: what those have changed is
    /// left to the next distribution.
    fn take_subscriptions(&self) -> Vec<Subscription> {
        let mut subscriptions = self.subscriptions();
        if subscriptions
            .iter()
            .all(|waiting| waiting.reply.is_closed())
        {
            return Vec::new();
        }
        std::mem::take(&mut *subscriptions)
    }

    async fn distribute(self: Arc<Self>) {
        let mut unfinished = self.unfinished.lock().await;
        let subscriptions = self.take_subscriptions();
        if subscriptions.is_empty() {
            return;
        }
        let (subscribers, replies): (Vec<_>, Vec<_>) = subscriptions
            .into_iter()
            .map(|Subscription { subscriber, reply }| (subscriber, reply))
            .unzip();
        let outcome = self.distribution.run(&subscribers, &unfinished).await;
        if let Ok(failures) = &outcome {
            *unfinished = failures.iter().map(|failure| failure.on).collect();
        }
        let waiting: Vec<&Subscriber> = subscribers
            .iter()
            .zip(&replies)
            .filter(|(_, reply)| !reply.is_closed())
            .map(|(subscriber, _)| subscriber)
            .collect();
        for (subscriber, reply) in subscribers.iter().zip(replies) {
            let result = match &outcome {
                Ok(failures) => result_for(subscriber, &waiting, failures),
                Err(error) => Err(error.clone()),
            };
            // A cancelled request needs no reply.
            let _ = reply.send(result);
        }
    }
}

/// Returns the failures that a subscriber reports. `waiting` are the subscribers that get a reply: a
/// binding leaves the report to the repository's own request only if that is among them.
fn result_for(
    subscriber: &Subscriber,
    waiting: &[&Subscriber],
    failures: &[LinkFailure],
) -> Result<(), Error> {
    let on = subscriber.repository();
    let is_of_repository = |other: &Subscriber| matches!(other, Subscriber::Repository { repository, .. } if *repository == on);
    let is_reported_by_another = matches!(subscriber, Subscriber::Binding { .. })
        && waiting.iter().copied().any(is_of_repository);
    let failures: Vec<LinkFailure> = failures
        .iter()
        .filter(|failure| failure.on == on && !is_reported_by_another)
        .cloned()
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Error::Links { failures })
    }
}

#[cfg(test)]
mod tests {
    use nautes_model::deploy_key::DeployKey;

    use super::*;
    use crate::credentials::distribution::LinkError;

    #[test]
    fn a_binding_reports_the_failures_that_no_waiting_request_of_the_repository_reports() {
        let [opened, owner] = [1, 2].map(RepositoryId::new);
        let [key, _] = DeployKey::both(owner);
        let failure = LinkFailure {
            on: opened,
            attempt: "enable a key".to_owned(),
            source: LinkError::Replaced { key },
        };
        let binding = Subscriber::Binding { repository: opened };
        let repository = Subscriber::Repository {
            repository: opened,
            before: None,
        };
        let reports = |waiting: &[&Subscriber], of: &Subscriber| {
            result_for(of, waiting, std::slice::from_ref(&failure)).is_err()
        };
        let both = [&binding, &repository];
        assert!(!reports(&both, &binding));
        assert!(reports(&both, &repository));
        // The request of the repository was cancelled.
        assert!(reports(&[&binding], &binding));
    }
}
