//! Request counters: GitLab's application rate limiter and its `Rack::Attack` throttles.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::settings::Settings;
use crate::domain::time::Moment;

/// The limits of the application rate limiter (GitLab `lib/gitlab/application_rate_limiter.rb`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// `GET /projects/:id`.
    Project,
    /// `GET /projects`.
    Projects,
    /// `GET /projects` without authentication.
    ProjectsUnauthenticated,
    /// `GET /groups/:id`.
    Group,
    /// `GET /groups`.
    Groups,
    /// `GET /groups/:id/projects`.
    GroupProjects,
    /// `GET /projects/:id/members`.
    ProjectMembers,
    /// `DELETE /projects/:id/members/:user_id`.
    MembersDelete,
    /// Downloads of a project's archive.
    Archive,
    /// Commits larger than 20 MB.
    LargeCommit,
    /// Files larger than 10 MB.
    LargeFile,
    /// Archiving and unarchiving of groups.
    GroupArchive,
    /// Renaming of namespaces.
    NamespaceName,
    /// Test deliveries of webhooks.
    HookTest,
    /// Repeated deliveries of webhooks.
    HookResend,
    /// `GET /namespaces/:path/exists`.
    NamespaceExists,
}

/// A number of requests per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) count: u32,
    pub(crate) seconds: u32,
}

impl Limit {
    /// Returns the configured rate; a count of zero means no limit.
    pub(crate) const fn rate(self, settings: &Settings) -> Rate {
        const MINUTE: u32 = 60;
        let (count, seconds) = match self {
            Self::Project => (settings.project_api_limit, MINUTE),
            Self::Projects => (settings.projects_api_limit, 10 * MINUTE),
            Self::ProjectsUnauthenticated => (
                settings.projects_api_rate_limit_unauthenticated,
                10 * MINUTE,
            ),
            Self::Group => (settings.group_api_limit, MINUTE),
            Self::Groups => (settings.groups_api_limit, MINUTE),
            Self::GroupProjects => (settings.group_projects_api_limit, MINUTE),
            Self::ProjectMembers => (settings.project_members_api_limit, MINUTE),
            Self::MembersDelete | Self::GroupArchive => (60, MINUTE),
            Self::Archive | Self::HookTest | Self::HookResend | Self::LargeFile => (5, MINUTE),
            Self::NamespaceExists => (20, MINUTE),
            Self::LargeCommit => (3, 30),
            Self::NamespaceName => (120, 60 * MINUTE),
        };
        Rate { count, seconds }
    }
}

/// Identifies a counter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CounterKey {
    /// The name of the limit.
    pub(crate) limit: String,
    /// The user or address, and the object when the limit counts per object.
    pub(crate) scope: String,
}

/// The state of a counter after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// Number of requests in the current period, including this one.
    pub(crate) observed: u32,
    /// The end of the period.
    pub(crate) reset: Moment,
}

/// Counters by period. Periods start at multiples of their length, as in GitLab.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    periods: Mutex<HashMap<CounterKey, (i64, u32)>>,
}

impl Counters {
    /// Resets all counters.
    pub(crate) fn clear(&self) {
        self.periods
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Counts one request.
    pub(crate) fn count(&self, key: CounterKey, rate: Rate, now: Moment) -> Count {
        let length = i64::from(rate.seconds.max(1));
        let period = now.seconds().div_euclid(length);
        let mut periods = self.periods.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = periods.entry(key).or_insert((period, 0));
        if entry.0 != period {
            *entry = (period, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        Count {
            observed: entry.1,
            reset: Moment::from_millis((period + 1).saturating_mul(length).saturating_mul(1000)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_reset_with_each_period() {
        let counters = Counters::default();
        let key = CounterKey {
            limit: "x".to_owned(),
            scope: "1".to_owned(),
        };
        let rate = Rate {
            count: 2,
            seconds: 60,
        };
        let at = |seconds: i64| Moment::from_millis(seconds * 1000);
        assert_eq!(counters.count(key.clone(), rate, at(0)).observed, 1);
        let second = counters.count(key.clone(), rate, at(59));
        assert_eq!(
            second,
            Count {
                observed: 2,
                reset: at(60)
            }
        );
        assert_eq!(counters.count(key, rate, at(60)).observed, 1);
    }
}
