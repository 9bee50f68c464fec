//! Faults of GitLab and commits by others while the writers work.

use std::ops::Range;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use testbed::{Emulator, Method};

/// The number of faults for commits, and for reads: more than the writers make calls for.
const FAULTS: usize = 200;

/// The number of commits from one fault to the next.
const COMMITS_BETWEEN: Range<u64> = 3..12;

/// The number of reads from one fault to the next.
const READS_BETWEEN: Range<u64> = 20..60;

/// The time from one commit by others to the next, in milliseconds.
const TIME_BETWEEN: Range<u64> = 200..1_500;

/// Injects faults and commits to the repository while `is_working` returns true; returns the number of these commits.
pub(crate) fn inject_while(
    gitlab: &Emulator,
    seed: u64,
    mut is_working: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<usize> {
    // Slow hooks, and a pause between the check of the last commit and the read of the parent, make races likely.
    gitlab.update_switches(&json!({ "latency_commit": 60, "gap_before_parent": 80 }))?;
    let mut random = Rng::with_seed(seed);
    inject_faults(gitlab, &mut random)?;
    let mut commits = 0;
    let mut next = Instant::now();
    while is_working()? {
        if Instant::now() >= next {
            // This commit may lose a race or hit a fault, too.
            let _ = commit_readme(gitlab, random.u64(..));
            commits += 1;
            next = Instant::now() + Duration::from_millis(random.u64(TIME_BETWEEN));
        }
    }
    gitlab.clear_faults()?;
    Ok(commits)
}

/// Commits a file that is no part of the model.
fn commit_readme(gitlab: &Emulator, number: u64) -> anyhow::Result<()> {
    let action =
        json!({ "action": "update", "file_path": "README.md", "content": number.to_string() });
    let commit = json!({ "branch": "main", "commit_message": "By hand", "actions": [action] });
    let path = "/projects/shop%2Fdefault.project/repository/commits";
    gitlab.api(Method::POST, path, Some(&commit))?;
    Ok(())
}

/// Injects all faults in advance, at random distances.
fn inject_faults(gitlab: &Emulator, random: &mut Rng) -> anyhow::Result<()> {
    let (mut commits, mut reads) = (0, 0);
    for _ in 0..FAULTS {
        commits += random.u64(COMMITS_BETWEEN);
        reads += random.u64(READS_BETWEEN);
        gitlab.inject_fault(&commit_fault(commits, random))?;
        gitlab.inject_fault(&json!({
            "method": "GET",
            "path": "/projects/",
            "skip": reads,
            "times": 1,
            "failure": failure(random),
        }))?;
    }
    Ok(())
}

fn commit_fault(skip: u64, random: &mut Rng) -> Value {
    let (times, after_effect, failure) = if random.u8(0..10) == 0 {
        // More often than any client retries.
        (12, false, json!({ "respond": { "status": 500 } }))
    } else {
        let failure = failure(random);
        // A throttled or locked commit never takes effect.
        let is_ambiguous = ["respond", "drop", "gitaly_exhausted"]
            .iter()
            .any(|kind| failure == **kind || failure.get(kind).is_some());
        (1, is_ambiguous && random.bool(), failure)
    };
    json!({
        "method": "POST",
        "path": "/repository/commits$",
        "skip": skip,
        "times": times,
        "after_effect": after_effect,
        "failure": failure,
    })
}

fn failure(random: &mut Rng) -> Value {
    match random.u8(0..20) {
        0 => json!({ "throttled": { "retry_after": 1 } }),
        1..3 => json!("limited"),
        3..8 => json!({ "respond": { "status": 500 } }),
        8..12 => json!({ "respond": { "status": 502 } }),
        12..14 => json!("gitaly_exhausted"),
        14..16 => json!("resource_lock"),
        _ => json!("drop"),
    }
}
