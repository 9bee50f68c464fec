//! Disabling of failing webhooks (GitLab `app/models/concerns/web_hooks/auto_disabling.rb`).

use serde::{Deserialize, Serialize};

use super::time::Moment;

/// Failures after which a hook is still called without a delay.
const TOLERATED_FAILURES: u32 = 3;
/// Failures in a row that disable a hook permanently.
const MAX_FAILURES: u32 = 40;
const MINUTE_MILLIS: i64 = 60 * 1000;
const DAY_MILLIS: i64 = 24 * 60 * MINUTE_MILLIS;

/// When failing hooks are disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoDisabling {
    /// Never, the default of self-managed instances since 15.10.
    Off,
    /// Every failure counts, since 17.11: the fourth in a row disables temporarily, the fortieth
    /// permanently.
    #[serde(rename = "since_17_11")]
    Since1711,
    /// Up to 17.10: four client errors disable permanently, other failures temporarily.
    #[serde(rename = "until_17_10")]
    Until1710,
}

/// Whether a hook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// It is called.
    Executable,
    /// It is not called for some time.
    TemporarilyDisabled,
    /// It is not called any more.
    Disabled,
}

/// The result of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The receiver responded with 2xx or 3xx.
    Success,
    /// The receiver responded with 4xx.
    ClientError,
    /// The receiver responded with another status, or not at all.
    Failure,
}

/// The failures of a hook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookHealth {
    /// Failures that count, in a row.
    failures: u32,
    /// Temporary disablings in a row.
    backoffs: u32,
    /// End of the temporary disabling.
    pub disabled_until: Option<Moment>,
}

impl HookHealth {
    /// Returns whether the hook is called.
    pub fn status(&self, rule: AutoDisabling, now: Moment) -> AlertStatus {
        let max_failures = match rule {
            AutoDisabling::Off => return AlertStatus::Executable,
            AutoDisabling::Since1711 => MAX_FAILURES,
            AutoDisabling::Until1710 => TOLERATED_FAILURES + 1,
        };
        if self.failures >= max_failures {
            AlertStatus::Disabled
        } else if self.disabled_until.is_some_and(|until| until >= now) {
            AlertStatus::TemporarilyDisabled
        } else {
            AlertStatus::Executable
        }
    }

    /// Records the result of a delivery.
    pub fn record(&mut self, result: DeliveryResult, rule: AutoDisabling, now: Moment) {
        if rule == AutoDisabling::Off {
            return;
        }
        if result == DeliveryResult::Success {
            *self = Self::default();
            return;
        }
        if self.status(rule, now) != AlertStatus::Executable {
            return;
        }
        let counts = match rule {
            AutoDisabling::Until1710 => {
                result == DeliveryResult::ClientError || self.failures < TOLERATED_FAILURES
            }
            AutoDisabling::Off | AutoDisabling::Since1711 => true,
        };
        let is_tolerated = self.failures < TOLERATED_FAILURES;
        if counts {
            self.failures += 1;
        }
        if self.status(rule, now) == AlertStatus::Disabled {
            self.disabled_until = None;
        } else if !is_tolerated {
            self.disabled_until = Some(now.plus_millis(backoff_millis(self.backoffs)));
            self.backoffs += 1;
        }
    }
}

/// Returns 1, 2, 4, … minutes, at most a day.
fn backoff_millis(backoffs: u32) -> i64 {
    1_i64
        .checked_shl(backoffs)
        .and_then(|minutes| minutes.checked_mul(MINUTE_MILLIS))
        .filter(|millis| *millis > 0)
        .map_or(DAY_MILLIS, |millis| millis.min(DAY_MILLIS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_a_day() {
        let rule = AutoDisabling::Since1711;
        let mut now = Moment::from_millis(0);
        let mut health = HookHealth::default();
        let mut minutes = Vec::new();
        for _ in 0..39 {
            health.record(DeliveryResult::Failure, rule, now);
            if let Some(until) = health.disabled_until {
                assert_eq!(health.status(rule, now), AlertStatus::TemporarilyDisabled);
                minutes.push((until.millis() - now.millis()) / MINUTE_MILLIS);
                now = until.plus_millis(1);
            }
        }
        assert_eq!(minutes.len(), 36);
        assert_eq!(minutes[..4], [1, 2, 4, 8]);
        assert!(minutes[11..].iter().all(|minutes| *minutes == 24 * 60));
        health.record(DeliveryResult::ClientError, rule, now);
        assert_eq!(health.status(rule, now), AlertStatus::Disabled);
        assert_eq!(health.disabled_until, None);
        health.record(DeliveryResult::Success, rule, now);
        assert_eq!(health, HookHealth::default());
    }

    #[test]
    fn failures_while_disabled_do_not_count() {
        let rule = AutoDisabling::Since1711;
        let now = Moment::from_millis(0);
        let mut health = HookHealth::default();
        for _ in 0..4 {
            health.record(DeliveryResult::Failure, rule, now);
        }
        let before = health;
        health.record(DeliveryResult::Failure, rule, now);
        assert_eq!(health, before);
    }

    #[test]
    fn older_rule_tells_client_errors_from_other_failures() {
        let rule = AutoDisabling::Until1710;
        let now = Moment::from_millis(0);
        let mut health = HookHealth::default();
        for _ in 0..4 {
            health.record(DeliveryResult::Failure, rule, now);
        }
        assert_eq!(health.status(rule, now), AlertStatus::TemporarilyDisabled);
        let mut health = HookHealth::default();
        for _ in 0..4 {
            health.record(DeliveryResult::ClientError, rule, now);
        }
        assert_eq!(health.status(rule, now), AlertStatus::Disabled);
    }
}
