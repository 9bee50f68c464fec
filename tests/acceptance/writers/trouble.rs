//! What goes wrong while the writers work.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use testbed::{Emulator, Method};

/// How many faults wait for commits, and as many for reads: more than there are calls for.
const FAULTS: usize = 200;

/// Calls from one fault to the next.
const COMMITS_BETWEEN: Range<u64> = 3..12;
const READS_BETWEEN: Range<u64> = 20..60;

/// Milliseconds from one commit by hand to the next.
const PEACE: Range<u64> = 200..1_500;

/// How much trouble was made.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    commits_by_hand: usize,
}

impl Display for Trouble {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} commits by hand", self.commits_by_hand)
    }
}

/// Makes trouble as long as somebody works.
pub(crate) fn while_they_work(
    gitlab: &Emulator,
    seed: u64,
    mut is_working: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<Trouble> {
    // Time for others to come between: in the hooks, and in the gap of the guard.
    gitlab.change_switches(&json!({ "latency_commit": 60, "gap_before_parent": 80 }))?;
    let mut random = Rng::with_seed(seed);
    inject_faults(gitlab, &mut random)?;
    let mut made = Trouble::default();
    let mut next = Instant::now();
    while is_working()? {
        if Instant::now() >= next {
            // It may lose a race or meet a fault too.
            let _ = commit_by_hand(gitlab, random.u64(..));
            made.commits_by_hand += 1;
            next = Instant::now() + Duration::from_millis(random.u64(PEACE));
        }
    }
    gitlab.clear_faults()?;
    Ok(made)
}

/// A commit that has nothing to do with the model.
fn commit_by_hand(gitlab: &Emulator, number: u64) -> anyhow::Result<()> {
    let action =
        json!({ "action": "update", "file_path": "README.md", "content": number.to_string() });
    let commit = json!({ "branch": "main", "commit_message": "By hand", "actions": [action] });
    let path = "/projects/shop%2Fdefault.project/repository/commits";
    gitlab.api(Method::POST, path, Some(&commit))?;
    Ok(())
}

/// Lays all faults in advance, each so many calls after the one before.
fn inject_faults(gitlab: &Emulator, random: &mut Rng) -> anyhow::Result<()> {
    let (mut commits, mut reads) = (0, 0);
    for _ in 0..FAULTS {
        commits += random.u64(COMMITS_BETWEEN);
        reads += random.u64(READS_BETWEEN);
        gitlab.inject_fault(&fault_of_commits(commits, random))?;
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

fn fault_of_commits(skip: u64, random: &mut Rng) -> Value {
    let (times, after_effect, failure) = if random.u8(0..10) == 0 {
        // More often than anybody tries again.
        (12, false, json!({ "answer": { "status": 500 } }))
    } else {
        let failure = failure(random);
        // Who is limited or locked out has had no effect.
        let is_ambiguous = ["answer", "drop", "gitaly_exhausted"]
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
        3..8 => json!({ "answer": { "status": 500 } }),
        8..12 => json!({ "answer": { "status": 502 } }),
        12..14 => json!("gitaly_exhausted"),
        14..16 => json!("resource_lock"),
        _ => json!("drop"),
    }
}
