//! A running GitLab instance: state, repositories and everything that requests share.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use http::{HeaderName, HeaderValue};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::domain::hook::{Hook, HookEvent};
use crate::domain::key::Key;
use crate::domain::project::Project;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::domain::token::{AccessToken, hex};
use crate::domain::user::User;
use crate::git::{ObjectId, Repositories};
use crate::limit::{CounterKey, Counters, Rate};
use crate::random;
use crate::store::{self, Store};
use crate::web::api_error::{ApiError, rate_limit_headers};
use crate::web::auth::Identity;
use crate::web::fault::Faults;
use crate::web::journal::Journal;
use crate::webhook::{Deliveries, Request};

/// GitLab records the use of a token at most once in this interval.
const USE_RECORD_INTERVAL_MILLIS: i64 = 10 * 60 * 1000;

/// Old commits that recently pushed branches still show, and until when.
type Delayed = HashMap<(Id<Project>, String), (ObjectId, Moment)>;

/// A running GitLab instance.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) store: Store,
    pub(crate) repositories: Repositories,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    /// Folder of the git hooks that all repositories share.
    pub(crate) hooks: PathBuf,
    /// Webhook deliveries.
    pub(crate) deliveries: Deliveries,
    requests: UnboundedSender<Request>,
    delayed: Mutex<Delayed>,
    /// Wakes the background loop.
    pub(crate) wake: Notify,
    url: OnceLock<String>,
    clock_offset: AtomicI64,
    /// Key of the passwords of deploy keys.
    password_secret: String,
}

impl Instance {
    /// Opens a data folder. Also returns the queue of webhook deliveries to make.
    pub(crate) fn open(folder: &Path) -> Result<(Self, UnboundedReceiver<Request>), store::Error> {
        let (requests, receiver) = unbounded_channel();
        let instance = Self {
            store: Store::open(folder)?,
            repositories: Repositories::new(folder.join("repositories")),
            journal: Journal::default(),
            faults: Faults::default(),
            counters: Counters::default(),
            hooks: folder.join("hooks"),
            wake: Notify::new(),
            url: OnceLock::new(),
            clock_offset: AtomicI64::new(0),
            password_secret: random::hex_name(),
            deliveries: Deliveries::default(),
            requests,
            delayed: Mutex::default(),
        };
        Ok((instance, receiver))
    }

    /// Queues a webhook delivery.
    pub(crate) fn deliver(&self, hook: Id<Hook>, event: HookEvent, payload: Value) {
        let request = Request::new(hook, event, payload);
        self.deliveries.begin();
        if self.requests.send(request).is_err() {
            tracing::debug!("dropped a webhook delivery because the emulator is stopping");
        }
    }

    /// Keeps a branch at its old commit for reads, for as long as the switch `branch_delay` says.
    pub(crate) fn delay_branch(&self, project: Id<Project>, branch: &str, old: ObjectId) {
        let delay = self.store.read().switches.get().branch_delay;
        if delay > 0 {
            let until = self
                .now()
                .plus_millis(i64::try_from(delay).unwrap_or(i64::MAX));
            let key = (project, branch.to_owned());
            let mut delayed = self.delayed.lock().unwrap_or_else(PoisonError::into_inner);
            delayed.insert(key, (old, until));
        }
    }

    /// Returns the old commit that a branch still shows, if any.
    pub(crate) fn delayed_branch(&self, project: Id<Project>, branch: &str) -> Option<ObjectId> {
        let delayed = self.delayed.lock().unwrap_or_else(PoisonError::into_inner);
        let (old, until) = delayed.get(&(project, branch.to_owned()))?;
        (*until > self.now()).then_some(*old)
    }

    /// Returns whether no background work is left.
    pub(crate) fn is_idle(&self) -> bool {
        self.store.read().jobs.is_empty() && self.deliveries.is_idle()
    }

    /// Returns the URL that clients use, without a trailing slash.
    pub(crate) fn url(&self) -> &str {
        self.url.get().map_or("", String::as_str)
    }

    /// Sets the URL; only the first call has an effect.
    pub(crate) fn set_url(&self, url: String) {
        let _ = self.url.set(url);
    }

    /// Returns a password with which a deploy key may use git over HTTP, until the emulator stops.
    pub(crate) fn deploy_key_password(&self, key: Id<Key>) -> String {
        let text = format!("{}:{key}", self.password_secret);
        hex(&Sha256::digest(text.as_bytes()))
    }

    /// Returns the current time of the instance's clock.
    pub(crate) fn now(&self) -> Moment {
        let offset = self.clock_offset.load(Ordering::Relaxed);
        Moment::from(OffsetDateTime::now_utc()).plus_millis(offset)
    }

    /// Moves the instance's clock forward. Removals that become due are scheduled at once, so that the
    /// instance is not idle before they are done.
    pub(crate) fn advance_clock(&self, millis: i64) {
        self.clock_offset.fetch_add(millis, Ordering::Relaxed);
        let now = self.now();
        self.store.change(|state| state.start_overdue_removals(now));
        self.wake.notify_one();
    }

    /// Changes the state and wakes the background loop.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (outcome, has_jobs) = self.store.change(|state| {
            let outcome = change(state);
            (outcome, !state.jobs.is_empty())
        });
        if has_jobs {
            self.wake.notify_one();
        }
        outcome
    }

    /// Records that a token was used.
    pub(crate) fn record_use(&self, token: Id<AccessToken>, now: Moment) {
        let is_recorded = self.store.read().tokens.get(token).is_none_or(|token| {
            token
                .last_used_at
                .is_some_and(|last| last.plus_millis(USE_RECORD_INTERVAL_MILLIS) > now)
        });
        if !is_recorded {
            self.store.change(|state| {
                if let Some(token) = state.tokens.get_mut(token) {
                    token.last_used_at = Some(now);
                }
            });
        }
    }

    /// Counts an API request against the throttles of `Rack::Attack` and returns the response
    /// headers.
    pub(crate) fn throttle_api(
        &self,
        identity: Option<&Identity>,
        address: &str,
        now: Moment,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, ApiError> {
        let user = identity.and_then(|identity| identity.user);
        let (name, is_on, rate) = {
            let state = self.store.read();
            let settings = state.settings.get();
            if user.is_some() {
                (
                    "throttle_authenticated_api",
                    settings.throttle_authenticated_api_enabled,
                    Rate {
                        count: settings.throttle_authenticated_api_requests_per_period,
                        seconds: settings.throttle_authenticated_api_period_in_seconds,
                    },
                )
            } else {
                (
                    "throttle_unauthenticated_api",
                    settings.throttle_unauthenticated_api_enabled,
                    Rate {
                        count: settings.throttle_unauthenticated_api_requests_per_period,
                        seconds: settings.throttle_unauthenticated_api_period_in_seconds,
                    },
                )
            }
        };
        if !is_on {
            return Ok(Vec::new());
        }
        let client = user.map_or_else(|| address.to_owned(), |user| user.to_string());
        self.throttle(name, &client, rate, now)
    }

    /// Counts a git request against the throttle of git over HTTP.
    pub(crate) fn throttle_git(
        &self,
        user: Option<Id<User>>,
        address: &str,
    ) -> Result<(), ApiError> {
        let (is_on, rate) = {
            let state = self.store.read();
            let settings = state.settings.get();
            let rate = Rate {
                count: settings.throttle_authenticated_git_http_requests_per_period,
                seconds: settings.throttle_authenticated_git_http_period_in_seconds,
            };
            (settings.throttle_authenticated_git_http_enabled, rate)
        };
        if is_on {
            let client = user.map_or_else(|| address.to_owned(), |user| user.to_string());
            self.throttle("throttle_authenticated_git_http", &client, rate, self.now())?;
        }
        Ok(())
    }

    /// Counts a request against one throttle.
    pub(crate) fn throttle(
        &self,
        name: &str,
        client: &str,
        rate: Rate,
        now: Moment,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, ApiError> {
        let key = CounterKey {
            limit: name.to_owned(),
            scope: client.to_owned(),
        };
        let count = self.counters.count(key, rate, now);
        // The header reports a rate per minute whatever the period is.
        let per_minute = f64::from(rate.count) * 60.0 / f64::from(rate.seconds.max(1));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate that was a u32 stays one"
        )]
        let limit = per_minute.ceil().min(f64::from(u32::MAX)) as u32;
        let remaining = rate.count.saturating_sub(count.observed);
        if count.observed <= rate.count {
            let headers =
                rate_limit_headers(name, limit, count.observed, remaining, count.reset, None);
            return Ok(headers);
        }
        let wait = (count.reset.seconds() - now.seconds()).max(1);
        let headers = rate_limit_headers(name, limit, count.observed, 0, count.reset, Some(wait));
        let text = self
            .store
            .read()
            .settings
            .get()
            .rate_limiting_response_text
            .clone();
        let text = text.map_or_else(|| "Retry later\n".to_owned(), |text| format!("{text}\n"));
        Err(ApiError::throttled(&text, headers))
    }
}
