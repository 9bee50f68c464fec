//! Runs background jobs when they are due.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::job::Task;
use crate::domain::table::Id;
use crate::instance::Instance;
use crate::web::server::stopped;

/// Interval of the check for expired retention periods.
const RETENTION_CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// Runs jobs until `stop` is set; jobs that remain run after the next start.
pub(crate) async fn run(instance: Arc<Instance>, mut stop: watch::Receiver<bool>) {
    loop {
        let now = instance.now();
        // `Instance::change` would wake this loop again.
        instance
            .store
            .change(|state| state.start_overdue_removals(now));
        let next = {
            let state = instance.store.read();
            state.jobs.iter().map(|job| job.due).min()
        };
        let wait = next.map_or(RETENTION_CHECK_INTERVAL, |due| {
            Duration::from_millis(u64::try_from(due.millis() - now.millis()).unwrap_or(0))
        });
        if !wait.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = instance.wake.notified() => continue,
                () = stopped(&mut stop) => return,
            }
        }
        let instance = Arc::clone(&instance);
        if tokio::task::spawn_blocking(move || run_due(&instance))
            .await
            .is_err()
        {
            tracing::error!("a background job panicked");
            return;
        }
    }
}

fn run_due(instance: &Instance) {
    let now = instance.now();
    let due: Vec<_> = {
        let state = instance.store.read();
        state
            .jobs
            .iter()
            .filter(|job| job.due <= now)
            .cloned()
            .collect()
    };
    for job in due {
        run_task(instance, &job.task);
        instance
            .store
            .change(|state| state.jobs.remove(Id::new(job.id.number())));
    }
}

fn run_task(instance: &Instance, task: &Task) {
    match task {
        Task::RemoveProject(id) => {
            remove_repository(instance, id.number());
            instance.store.change(|state| state.remove_project(*id));
        }
        Task::RemoveGroup(id) => {
            let projects = instance.store.change(|state| state.remove_group(*id));
            for project in projects {
                remove_repository(instance, project.number());
            }
        }
        Task::ProtectDefaultBranch(id) => {
            instance
                .store
                .change(|state| state.protect_default_branch(*id));
        }
    }
}

fn remove_repository(instance: &Instance, number: u64) {
    if let Err(error) = instance.repositories.remove(number) {
        tracing::error!(
            number,
            error = &error as &dyn std::error::Error,
            "could not remove a repository"
        );
    }
}
