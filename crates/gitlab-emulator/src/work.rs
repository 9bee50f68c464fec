//! Doing the background work when it is due.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::job::Work;
use crate::domain::table::Id;
use crate::instance::Instance;
use crate::web::server::stopped;

/// How often the ends of retention periods are looked for.
const ROUND: Duration = Duration::from_secs(30);

/// Does work until told to stop; what is left is done after the next start.
pub(crate) async fn run(instance: Arc<Instance>, mut stop: watch::Receiver<bool>) {
    loop {
        let now = instance.now();
        // Not through `Instance::change`, which would wake this loop again and again.
        instance
            .store
            .change(|state| state.begin_overdue_removals(now));
        let next = {
            let state = instance.store.read();
            state.jobs.iter().map(|job| job.due).min()
        };
        let wait = next.map_or(ROUND, |due| {
            Duration::from_millis(u64::try_from(due.millis() - now.millis()).unwrap_or(0))
        });
        if !wait.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = instance.work.notified() => continue,
                () = stopped(&mut stop) => return,
            }
        }
        let instance = Arc::clone(&instance);
        if tokio::task::spawn_blocking(move || do_due(&instance))
            .await
            .is_err()
        {
            tracing::error!("background work panicked");
            return;
        }
    }
}

fn do_due(instance: &Instance) {
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
        do_work(instance, &job.work);
        instance
            .store
            .change(|state| state.jobs.remove(Id::new(job.id.number())));
    }
}

fn do_work(instance: &Instance, work: &Work) {
    match work {
        Work::RemoveProject(id) => {
            remove_repository(instance, id.number());
            instance.store.change(|state| state.remove_project(*id));
        }
        Work::RemoveGroup(id) => {
            let projects = instance.store.change(|state| state.remove_group(*id));
            for project in projects {
                remove_repository(instance, project.number());
            }
        }
        Work::ProtectDefaultBranch(id) => {
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
            "a repository stays"
        );
    }
}
