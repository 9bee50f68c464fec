//! Faults on the way between the provider and the servers.

use std::time::{Duration, Instant};

use gitlab_emulator::Failure;
use testbed::{HeldCall, Hold, Proxy};

use crate::core::Stop;
use crate::step::{Fault, Method};
use crate::world::Server;

/// How long an apply may take; what takes longer is killed.
const LIMIT: Duration = Duration::from_secs(60);

/// A fault that may hit the apply in progress. Dropping it ends the fault.
pub(crate) struct Injected<'a> {
    server: &'a Server,
    proxy: &'a Proxy,
    /// The call at which the provider is killed.
    held: Option<HeldCall<'a>>,
    kills_at_gitlab: bool,
    since: u64,
    began: Instant,
}

impl Fault {
    /// Returns how the run itself ends early.
    pub(crate) const fn stop(self) -> Option<Stop> {
        match self {
            Self::Failure { after } => Some(Stop::Failure(after)),
            Self::Interrupt { after } => Some(Stop::Interrupt(after)),
            _ => None,
        }
    }
}

impl<'a> Injected<'a> {
    /// Injects a fault.
    pub(crate) fn new(
        fault: Option<Fault>,
        server: &'a Server,
        proxy: &'a Proxy,
    ) -> anyhow::Result<Self> {
        let since = last_call(server);
        let mut injected = Self {
            server,
            proxy,
            held: None,
            kills_at_gitlab: false,
            since,
            began: Instant::now(),
        };
        let refused = Failure::Respond {
            status: 403,
            body: None,
        };
        match fault {
            None | Some(Fault::Failure { .. } | Fault::Interrupt { .. }) => {}
            Some(Fault::Refuse { method, skip }) => {
                injected.gitlab(method, skip, None, false, refused)?;
            }
            Some(Fault::Lose {
                method,
                skip,
                after_effect,
            }) => injected.gitlab(method, skip, Some(1), after_effect, Failure::Drop)?,
            Some(Fault::Kill {
                method,
                skip,
                after_effect,
            }) => {
                let hang = Failure::Hang { millis: None };
                injected.kills_at_gitlab = true;
                injected.gitlab(method, skip, Some(1), after_effect, hang)?;
            }
            Some(Fault::RefuseVault { skip }) => {
                for method in Method::ALL {
                    proxy.inject_fault(testbed::Fault {
                        method: Some(method.name().to_owned()),
                        skip,
                        ..testbed::Fault::always(testbed::Failure::Respond {
                            status: 403,
                            body: r#"{"errors":["permission denied"]}"#.to_owned(),
                        })
                    });
                }
            }
            Some(Fault::KillAtVault { skip, after_effect }) => {
                let hold = if after_effect {
                    Hold::AfterEffect
                } else {
                    Hold::BeforeEffect
                };
                injected.held = Some(proxy.hold_call(skip, hold));
            }
        }
        Ok(injected)
    }

    fn gitlab(
        &self,
        method: Method,
        skip: u64,
        times: Option<u64>,
        after_effect: bool,
        failure: Failure,
    ) -> anyhow::Result<()> {
        self.server.emulator.inject_fault(gitlab_emulator::Fault {
            method: Some(method.name().to_owned()),
            path: None,
            skip,
            times,
            after_effect,
            failure,
        })?;
        Ok(())
    }

    /// Whether the provider is to be killed now.
    pub(crate) fn kills(&self) -> bool {
        let at_gitlab = self.kills_at_gitlab
            && self
                .server
                .emulator
                .journal_since(self.since)
                .iter()
                .any(|call| call.held);
        let at_vault = self
            .held
            .as_ref()
            .is_some_and(|held| held.wait_until_held(|| true).unwrap_or(false));
        at_gitlab || at_vault || self.began.elapsed() > LIMIT
    }
}

impl Drop for Injected<'_> {
    fn drop(&mut self) {
        self.server.emulator.clear_faults();
        self.proxy.clear_faults();
    }
}

fn last_call(server: &Server) -> u64 {
    let journal = server.emulator.journal();
    journal.last().map_or(0, |call| call.number)
}
