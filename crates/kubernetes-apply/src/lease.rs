//! Locks that programs on several machines share: objects of kind `Lease`.
//!
//! The protocol is that of `client-go`'s leader election. A holder renews its lease, and whoever waits takes it over
//! when it has seen no renewal for the duration of the lease. Time is measured by the clock of the process that
//! waits, since the clocks of two machines may differ. Every write has the resource version that was read as its
//! precondition, so of two that take over at the same time one wins.
//!
//! A lease does not fence: a holder that was paused for longer than the duration may still have a call in flight
//! when it learns that the lease is lost. What is done under a lease has to keep its own preconditions.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::cluster::{ApiError, Cluster, Detail};
use crate::object::{Kind, Object, ObjectRef};
use crate::ownership::Owner;

/// A lock as an object of kind `Lease`.
#[derive(Clone, Debug)]
pub struct LeaseLock {
    /// The namespace, which must exist.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// By which label the object is the program's own.
    pub owner: Owner,
    /// How long it lasts.
    pub timing: LeaseTiming,
}

/// How long a lease lasts without a renewal, and how often it is renewed and asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LeaseTiming {
    /// How long it lasts without a renewal; whole seconds.
    pub duration: Duration,
    /// How often its holder renews it.
    pub renewal: Duration,
    /// How often whoever waits for it asks.
    pub poll: Duration,
}

/// A lease could not be taken or kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LeaseError {
    /// The object exists and is somebody else's.
    #[error("the {0} exists and does not carry the label of this program; remove it")]
    Foreign(ObjectRef),
    /// Somebody else holds the lease now.
    #[error("the {lease} was lost to {holder}, so the work was stopped; try again")]
    Lost {
        /// The lease.
        lease: ObjectRef,
        /// Who holds it.
        holder: String,
    },
    /// It could not be renewed before it ended.
    #[error("the {lease} could not be renewed in time, so the work was stopped; try again")]
    Expired {
        /// The lease.
        lease: ObjectRef,
        /// Why the last renewal failed.
        source: ApiError,
    },
    /// Its renewal got no answer before it ended.
    #[error("the renewal of the {0} got no answer in time, so the work was stopped; try again")]
    Unanswered(ObjectRef),
    /// The cluster could not be asked, or refused.
    #[error("cannot read or write the {lease}")]
    Api {
        /// The lease.
        lease: ObjectRef,
        /// Why.
        source: ApiError,
    },
}

/// A lease that is held. Dropping it gives it back in the background, if there is a runtime; a process that is killed
/// holds it until it ends by itself.
pub struct HeldLease(Option<Holder<ClusterStore>>);

impl Default for LeaseTiming {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(60),
            renewal: Duration::from_secs(20),
            poll: Duration::from_secs(2),
        }
    }
}

impl LeaseLock {
    /// Takes the lease as `identity`, which must be unique, and waits as long as somebody else holds it.
    ///
    /// `on_wait` is called with the holder when the wait begins, and whenever the holder is another one.
    pub async fn acquire(
        &self,
        cluster: &Arc<Cluster>,
        identity: &str,
        on_wait: impl FnMut(&str),
    ) -> Result<HeldLease, LeaseError> {
        let store = ClusterStore {
            lock: self.clone(),
            cluster: Mutex::new(Arc::clone(cluster)),
        };
        let holder = acquire(store, identity, self.timing, on_wait).await?;
        Ok(HeldLease(Some(holder)))
    }

    fn reference(&self) -> ObjectRef {
        ObjectRef::namespaced("coordination.k8s.io", "Lease", &self.namespace, &self.name)
    }
}

impl HeldLease {
    /// Runs work, and renews the lease meanwhile. If the lease is lost, the work is dropped.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, LeaseError> {
        match &self.0 {
            Some(holder) => holder.run(work).await,
            None => Ok(work.await),
        }
    }

    /// Makes calls with another credential from now on.
    pub fn use_cluster(&self, cluster: &Arc<Cluster>) {
        if let Some(holder) = &self.0 {
            *lock(&holder.store.cluster) = Arc::clone(cluster);
        }
    }

    /// Gives the lease back. An error means that others wait until it ends by itself.
    pub async fn release(mut self) -> Result<(), LeaseError> {
        match self.0.take() {
            Some(holder) => holder.release().await,
            None => Ok(()),
        }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        if let (Some(holder), Ok(runtime)) = (self.0.take(), runtime) {
            runtime.spawn(async move {
                if let Err(error) = holder.release().await {
                    tracing::debug!(%error, "a lease could not be given back");
                }
            });
        }
    }
}

impl fmt::Debug for HeldLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeldLease")
            .field(&self.0.as_ref().map(|holder| &holder.identity))
            .finish()
    }
}

/// What a lease says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Record {
    /// Who holds it; empty if nobody does.
    holder: String,
    duration: Duration,
    /// When it was taken and renewed, by the clock of its holder; compared and never computed with.
    acquired: String,
    renewed: String,
    transitions: i64,
}

/// A record with its resource version.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Stored {
    record: Record,
    version: String,
}

/// What became of a write.
enum Written {
    /// It was made, and this is the new resource version.
    Done(String),
    /// Somebody else wrote in between; nothing was changed.
    Raced,
}

/// Where the record is.
trait Store: Send + Sync {
    fn reference(&self) -> ObjectRef;

    fn read(&self) -> impl Future<Output = Result<Option<Stored>, LeaseError>> + Send;

    /// Writes the record if its version is still this one, or if there is none.
    fn write(
        &self,
        record: &Record,
        version: Option<&str>,
    ) -> impl Future<Output = Result<Written, LeaseError>> + Send;
}

/// Holds the lease of a store.
struct Holder<S> {
    store: S,
    identity: String,
    timing: LeaseTiming,
    state: Mutex<HolderState>,
}

struct HolderState {
    stored: Stored,
    /// When the last renewal that succeeded was sent.
    renewed_at: Instant,
}

async fn acquire<S: Store>(
    store: S,
    identity: &str,
    timing: LeaseTiming,
    mut on_wait: impl FnMut(&str),
) -> Result<Holder<S>, LeaseError> {
    let mut observed: Option<(Stored, Instant)> = None;
    let mut announced = None;
    loop {
        let sent_at = Instant::now();
        let found = store.read().await?;
        let is_free = match &found {
            None => true,
            Some(stored) => {
                let holder = &stored.record.holder;
                let unchanged = observed.as_ref().filter(|(seen, _)| seen == stored);
                let since = unchanged.map_or(sent_at, |(_, since)| *since);
                observed = Some((stored.clone(), since));
                holder.is_empty()
                    || holder == identity
                    || sent_at.saturating_duration_since(since) >= stored.record.duration
            }
        };
        if is_free {
            let previous = found.as_ref().map(|stored| &stored.record);
            let now = timestamp();
            let record = Record {
                holder: identity.to_owned(),
                duration: timing.duration,
                acquired: now.clone(),
                renewed: now,
                transitions: previous.map_or(0, |previous| previous.transitions.saturating_add(1)),
            };
            let version = found.as_ref().map(|stored| stored.version.as_str());
            if let Written::Done(version) = store.write(&record, version).await? {
                let state = HolderState {
                    stored: Stored { record, version },
                    renewed_at: sent_at,
                };
                return Ok(Holder {
                    store,
                    identity: identity.to_owned(),
                    timing,
                    state: Mutex::new(state),
                });
            }
        } else if let Some(stored) = found
            && announced.as_ref() != Some(&stored.record.holder)
        {
            on_wait(&stored.record.holder);
            announced = Some(stored.record.holder);
        }
        sleep(timing.poll).await;
    }
}

impl<S: Store> Holder<S> {
    async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, LeaseError> {
        tokio::select! {
            done = work => Ok(done),
            lost = self.keep_renewing() => Err(lost),
        }
    }

    /// Renews the lease for as long as that succeeds.
    async fn keep_renewing(&self) -> LeaseError {
        loop {
            let renewed_at = lock(&self.state).renewed_at;
            sleep_until(renewed_at + self.timing.renewal).await;
            // A call that fails is repeated as long as the lease lasts, with time left to stop the work.
            let deadline = renewed_at + self.timing.duration.saturating_sub(self.timing.poll * 2);
            loop {
                // One call may be repeated for longer than the lease lasts. Work that begins late still learns who has it.
                let limit = if Instant::now() < deadline {
                    deadline
                } else {
                    Instant::now() + self.timing.renewal
                };
                let error = match timeout_at(limit, self.renew()).await {
                    Ok(Ok(())) => break,
                    Ok(Err(LeaseError::Api { lease, source })) => {
                        LeaseError::Expired { lease, source }
                    }
                    Ok(Err(lost)) => return lost,
                    Err(_) => return LeaseError::Unanswered(self.store.reference()),
                };
                if Instant::now() >= deadline {
                    return error;
                }
                sleep(self.timing.poll).await;
            }
        }
    }

    async fn renew(&self) -> Result<(), LeaseError> {
        let sent_at = Instant::now();
        let mut stored = lock(&self.state).stored.clone();
        stored.record.renewed = timestamp();
        if let Written::Done(version) = self
            .store
            .write(&stored.record, Some(&stored.version))
            .await?
        {
            stored.version = version;
        } else {
            // Either somebody has taken it over, or an earlier renewal whose answer was lost was made.
            let found = self.store.read().await?;
            let holder = found.as_ref().map(|found| found.record.holder.clone());
            match found {
                Some(found) if found.record.holder == self.identity => stored = found,
                _ => {
                    return Err(LeaseError::Lost {
                        lease: self.store.reference(),
                        holder: holder
                            .filter(|holder| !holder.is_empty())
                            .unwrap_or_else(|| "nobody".to_owned()),
                    });
                }
            }
        }
        *lock(&self.state) = HolderState {
            stored,
            renewed_at: sent_at,
        };
        Ok(())
    }

    async fn release(self) -> Result<(), LeaseError> {
        let mut stored = lock(&self.state).stored.clone();
        for _ in 0..2 {
            stored.record.holder = String::new();
            let written = self
                .store
                .write(&stored.record, Some(&stored.version))
                .await?;
            if matches!(written, Written::Done(_)) {
                return Ok(());
            }
            match self.store.read().await? {
                Some(found) if found.record.holder == self.identity => stored = found,
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the present time as a `MicroTime` of Kubernetes.
fn timestamp() -> String {
    humantime::format_rfc3339_micros(SystemTime::now()).to_string()
}

/// A lease in a cluster.
struct ClusterStore {
    lock: LeaseLock,
    cluster: Mutex<Arc<Cluster>>,
}

impl ClusterStore {
    fn cluster(&self) -> Arc<Cluster> {
        Arc::clone(&lock(&self.cluster))
    }

    fn failed(&self, source: impl Into<ApiError>) -> LeaseError {
        LeaseError::Api {
            lease: self.reference(),
            source: source.into(),
        }
    }

    fn object(&self, record: &Record, version: Option<&str>) -> Option<Object> {
        let LeaseLock {
            namespace, name, ..
        } = &self.lock;
        let mut object = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "namespace": namespace, "name": name },
            "spec": {
                "holderIdentity": record.holder,
                "leaseDurationSeconds": record.duration.as_secs(),
                "acquireTime": record.acquired,
                "renewTime": record.renewed,
                "leaseTransitions": record.transitions,
            },
        });
        if let (Some(version), Some(metadata)) = (
            version,
            object
                .get_mut("metadata")
                .and_then(serde_json::Value::as_object_mut),
        ) {
            metadata.insert("resourceVersion".to_owned(), version.into());
        }
        let mut object = Object::new(object).ok()?;
        self.lock.owner.label.put_on(&mut object);
        Some(object)
    }
}

impl Store for ClusterStore {
    fn reference(&self) -> ObjectRef {
        self.lock.reference()
    }

    async fn read(&self) -> Result<Option<Stored>, LeaseError> {
        let LeaseLock {
            namespace, name, ..
        } = &self.lock;
        let kind = Kind::new("coordination.k8s.io/v1", "Lease");
        let found = self
            .cluster()
            .find(&kind, Some(namespace), name, Detail::Full)
            .await
            .map_err(|error| self.failed(error))?;
        let Some(found) = found else { return Ok(None) };
        if !self.lock.owner.label.is_on(&found) {
            return Err(LeaseError::Foreign(self.reference()));
        }
        let text = |pointer| found.text(pointer).unwrap_or_default().to_owned();
        let seconds = found.number("/spec/leaseDurationSeconds");
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let duration = seconds.map_or(self.lock.timing.duration, Duration::from_secs);
        Ok(Some(Stored {
            record: Record {
                holder: text("/spec/holderIdentity"),
                duration,
                acquired: text("/spec/acquireTime"),
                renewed: text("/spec/renewTime"),
                transitions: found.number("/spec/leaseTransitions").unwrap_or_default(),
            },
            version: found.resource_version().unwrap_or_default().to_owned(),
        }))
    }

    async fn write(&self, record: &Record, version: Option<&str>) -> Result<Written, LeaseError> {
        let Some(object) = self.object(record, version) else {
            return Ok(Written::Raced);
        };
        let manager = &self.lock.owner.field_manager;
        let cluster = self.cluster();
        let written = match version {
            None => cluster.create(&object, manager).await,
            Some(_) => cluster.replace_read(&object, manager).await,
        };
        match written {
            Ok(written) => {
                let version = written.resource_version().unwrap_or_default();
                Ok(Written::Done(version.to_owned()))
            }
            Err(error) if error.is_conflict() || is_gone(&error, &self.lock.name) => {
                Ok(Written::Raced)
            }
            Err(error) => Err(self.failed(error)),
        }
    }
}

/// Whether the lease was deleted.
fn is_gone(error: &ApiError, name: &str) -> bool {
    let status = error.call().and_then(|call| call.status());
    status.is_some_and(|status| status.says_gone(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lease in memory. Its calls can be made to fail.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<MemoryState>>);

    #[derive(Default)]
    struct MemoryState {
        stored: Option<Stored>,
        writes: u64,
        fails: bool,
        /// Whether a write is made and its answer is lost.
        loses_answers: bool,
    }

    impl Memory {
        fn holder(&self) -> String {
            let state = lock(&self.0);
            let stored = state.stored.as_ref();
            stored.map_or_else(String::new, |stored| stored.record.holder.clone())
        }

        async fn acquire(&self, identity: &str) -> Holder<Self> {
            let timing = LeaseTiming::default();
            acquire(self.clone(), identity, timing, |_| ())
                .await
                .unwrap()
        }
    }

    impl Store for Memory {
        fn reference(&self) -> ObjectRef {
            ObjectRef::namespaced("coordination.k8s.io", "Lease", "tool", "lock")
        }

        async fn read(&self) -> Result<Option<Stored>, LeaseError> {
            let state = lock(&self.0);
            if state.fails {
                return Err(LeaseError::Api {
                    lease: self.reference(),
                    source: ApiError::NoIdentity,
                });
            }
            Ok(state.stored.clone())
        }

        async fn write(
            &self,
            record: &Record,
            version: Option<&str>,
        ) -> Result<Written, LeaseError> {
            let mut state = lock(&self.0);
            let failure = LeaseError::Api {
                lease: self.reference(),
                source: ApiError::NoIdentity,
            };
            if state.fails {
                return Err(failure);
            }
            if state.stored.as_ref().map(|stored| stored.version.as_str()) != version {
                return Ok(Written::Raced);
            }
            state.writes += 1;
            let version = state.writes.to_string();
            state.stored = Some(Stored {
                record: record.clone(),
                version: version.clone(),
            });
            if std::mem::take(&mut state.loses_answers) {
                return Err(failure);
            }
            Ok(Written::Done(version))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_one_waits_until_the_other_gives_the_lease_back() {
        let memory = Memory::default();
        let first = memory.acquire("first").await;
        let mut waited_for = Vec::new();
        let timing = LeaseTiming::default();
        let second = acquire(memory.clone(), "second", timing, |holder| {
            waited_for.push(holder.to_owned());
        });
        let work = async {
            let worked = first.run(sleep(Duration::from_secs(600))).await;
            worked.unwrap();
            assert_eq!(memory.holder(), "first");
            first.release().await.unwrap();
        };
        let (second, ()) = tokio::join!(second, work);
        second.unwrap();
        assert_eq!(waited_for, ["first"]);
        assert_eq!(memory.holder(), "second");
    }

    #[tokio::test(start_paused = true)]
    async fn the_lease_of_a_holder_that_is_dead_is_taken_over_when_it_ends() {
        let memory = Memory::default();
        let _dead = memory.acquire("dead").await;
        let begun = Instant::now();
        memory.acquire("second").await;
        let waited = begun.elapsed();
        let timing = LeaseTiming::default();
        assert!(waited >= timing.duration, "{waited:?}");
        assert!(waited <= timing.duration + timing.poll * 2, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn work_stops_when_the_lease_is_lost_or_cannot_be_renewed() {
        let memory = Memory::default();
        let first = memory.acquire("first").await;
        {
            let mut state = lock(&memory.0);
            let stored = state.stored.as_mut().unwrap();
            stored.record.holder = "thief".to_owned();
            stored.version = "9".to_owned();
        }
        let lost = first.run(sleep(Duration::from_secs(600))).await;
        assert!(matches!(lost, Err(LeaseError::Lost { holder, .. }) if holder == "thief"));

        let memory = Memory::default();
        let first = memory.acquire("first").await;
        lock(&memory.0).fails = true;
        let begun = Instant::now();
        let expired = first.run(sleep(Duration::from_secs(600))).await;
        assert!(matches!(expired, Err(LeaseError::Expired { .. })));
        assert!(begun.elapsed() <= LeaseTiming::default().duration);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_whose_answer_was_lost_loses_nothing() {
        let memory = Memory::default();
        let first = memory.acquire("first").await;
        lock(&memory.0).loses_answers = true;
        first.run(sleep(Duration::from_secs(600))).await.unwrap();
        assert_eq!(memory.holder(), "first");
    }
}
