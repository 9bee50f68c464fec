//! What an operation waits for, which the error says if the operation reaches its time limit.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Instant, timeout_at};

tokio::task_local! {
    static WAITS: Waits;
}

type Description = Arc<dyn Fn() -> String + Send + Sync>;

/// The waits of one operation; the last one began last.
#[derive(Clone, Default)]
struct Waits(Arc<Mutex<Vec<Description>>>);

/// A wait that is going on, until this is dropped.
#[must_use = "the wait ends when this is dropped"]
pub struct WaitGuard(Option<(Waits, Description)>);

/// Registers what the current operation waits for, until the returned value is dropped.
///
/// `describe` completes the sentence "it waited for …", and is called only if the operation reaches its time limit
/// meanwhile. Outside of an operation, as in a task that several operations share, nothing happens.
pub fn waiting_for(describe: impl Fn() -> String + Send + Sync + 'static) -> WaitGuard {
    let waits = WAITS.try_with(Waits::clone).ok();
    WaitGuard(waits.map(|waits| {
        let description: Description = Arc::new(describe);
        waits.lock().push(Arc::clone(&description));
        (waits, description)
    }))
}

/// Runs an operation until it ends or a time has come; the error is what it waited for by then, if that is known.
pub(crate) async fn run_until<T>(
    deadline: Instant,
    operation: impl Future<Output = T>,
) -> Result<T, Option<String>> {
    let waits = Waits::default();
    // The waits end when the operation is dropped, so it is kept until they are read.
    let mut operation = pin!(WAITS.scope(waits.clone(), operation));
    timeout_at(deadline, &mut operation)
        .await
        .map_err(|_| waits.latest())
}

impl Waits {
    fn lock(&self) -> MutexGuard<'_, Vec<Description>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn latest(&self) -> Option<String> {
        let latest = self.lock().last().cloned();
        latest.map(|describe| describe())
    }
}

impl Drop for WaitGuard {
    fn drop(&mut self) {
        if let Some((waits, description)) = self.0.take() {
            waits
                .lock()
                .retain(|other| !Arc::ptr_eq(other, &description));
        }
    }
}

impl fmt::Debug for WaitGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WaitGuard").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_began_last_and_has_not_ended_is_told() {
        let deadline = Instant::now() + Duration::from_secs(1);
        let operation = async {
            let _outer = waiting_for(|| "the outer".to_owned());
            drop(waiting_for(|| "what is over".to_owned()));
            pending::<()>().await;
        };
        let told = run_until(deadline, operation).await;
        assert_eq!(told, Err(Some("the outer".to_owned())));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_wait_nothing_is_told_and_outside_of_an_operation_none_is_kept() {
        drop(waiting_for(|| unreachable!("nothing asks for it")));
        let deadline = Instant::now() + Duration::from_secs(1);
        assert_eq!(run_until(deadline, pending::<()>()).await, Err(None));
        assert_eq!(run_until(deadline, async { 7 }).await, Ok(7));
    }
}
