//! Compares the history with git's own output.

use std::fmt::Write;
use std::path::Path;

use gitlab_emulator::git::diff::Stats;
use gitlab_emulator::git::history::Selection;
use gitlab_emulator::git::{ObjectId, Repositories, Repository};

use crate::git;

/// A repository with branches, merges, renames, deletions and recreated files.
fn history(folder: &Path) -> Repository {
    let repositories = Repositories::new(folder.join("bare"));
    repositories.create(1, "main").unwrap();
    let work = folder.join("work");
    std::fs::create_dir(&work).unwrap();
    git(&work, &["init", "-q", "-b", "main"]);
    let mut seed = 7_u64;
    let mut next = |below: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for step in 0..60_u64 {
        let name = format!("d{}/f{}", next(3), next(4));
        let path = work.join(&name);
        match next(10) {
            0..=6 => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, format!("{step}\n{}\n", next(2))).unwrap();
            }
            7 if path.exists() => std::fs::remove_file(&path).unwrap(),
            8 if path.exists() => {
                std::fs::rename(&path, work.join(format!("moved{step}"))).unwrap();
            }
            _ => std::fs::write(work.join("top"), step.to_string()).unwrap(),
        }
        git(&work, &["add", "-A"]);
        git(
            &work,
            &[
                "commit",
                "-q",
                "--allow-empty",
                "-m",
                &format!("step {step}"),
            ],
        );
        match next(6) {
            0 => {
                git(&work, &["checkout", "-q", "-B", "side", "HEAD~0"]);
            }
            1 if git(&work, &["branch"]).contains("side") => {
                git(&work, &["checkout", "-q", "main"]);
                git(
                    &work,
                    &[
                        "merge", "-q", "--no-ff", "-X", "ours", "-m", "merge", "side",
                    ],
                );
            }
            _ => {}
        }
    }
    let merges = git(&work, &["rev-list", "--merges", "--count", "main"]);
    assert_ne!(merges, "0");
    git(&work, &["checkout", "-q", "main"]);
    let bare = repositories.path(1);
    git(&work, &["push", "-q", bare.to_str().unwrap(), "main"]);
    repositories.open(1).unwrap()
}

fn head(repository: &Repository) -> ObjectId {
    repository.branch("main").unwrap().unwrap()
}

#[test]
fn last_commit_of_every_path_equals_git_log() {
    let folder = tempfile::tempdir().unwrap();
    let repository = history(folder.path());
    let head = head(&repository);
    let entries = repository.list(head, "", true).unwrap().unwrap();
    assert!(entries.len() > 10);
    for entry in entries.iter() {
        let expected = git(
            repository.path(),
            &["log", "-1", "--format=%H", "main", "--", &entry.path],
        );
        let found = repository.last_commit(head, &entry.path).unwrap().unwrap();
        assert_eq!(found.to_string(), expected, "{}", entry.path);
    }
    assert_eq!(repository.last_commit(head, "").unwrap(), Some(head));
}

#[test]
fn stats_of_every_commit_equal_git_diff() {
    let folder = tempfile::tempdir().unwrap();
    let repository = history(folder.path());
    let commits = repository
        .log(&[head(&repository)], &Selection::default())
        .unwrap();
    let count = git(repository.path(), &["rev-list", "--count", "main"]);
    assert_eq!(commits.len().to_string(), count);
    for commit in commits {
        let shown = repository.commit(commit).unwrap().unwrap();
        let Some(parent) = shown.parents.first() else {
            continue;
        };
        let (from, to) = (parent.to_string(), commit.to_string());
        let numbers = git(
            repository.path(),
            &["diff", "-M", "--histogram", "--numstat", &from, &to],
        );
        let mut expected = Stats::default();
        for line in numbers.lines() {
            let mut columns = line
                .split('\t')
                .map(|column| column.parse::<u64>().unwrap_or(0));
            expected.additions += columns.next().unwrap();
            expected.deletions += columns.next().unwrap();
        }
        assert_eq!(
            repository.stats(Some(*parent), commit).unwrap(),
            expected,
            "{to}"
        );
    }
}

#[test]
fn diffs_apply_with_git() {
    let folder = tempfile::tempdir().unwrap();
    let repository = history(folder.path());
    let work = folder.path().join("work");
    let commits = repository
        .log(&[head(&repository)], &Selection::default())
        .unwrap();
    let (first, last) = (*commits.last().unwrap(), commits[0]);
    git(&work, &["checkout", "-q", &first.to_string()]);
    let mut patch = String::new();
    for file in repository.diff(Some(first), last).unwrap() {
        // The text has hunks only; git needs the file names too.
        let side = |mode: Option<_>, path: &str, prefix: &str| match mode {
            Some(_) => format!("{prefix}/{path}"),
            None => "/dev/null".to_owned(),
        };
        let old = side(file.old_mode, &file.old_path, "a");
        let new = side(file.new_mode, &file.new_path, "b");
        writeln!(patch, "diff --git a/{} b/{}", file.old_path, file.new_path).unwrap();
        match (file.old_mode, file.new_mode) {
            (None, _) => patch.push_str("new file mode 100644\n"),
            (_, None) => patch.push_str("deleted file mode 100644\n"),
            _ if file.old_path != file.new_path => {
                writeln!(patch, "rename from {}", file.old_path).unwrap();
                writeln!(patch, "rename to {}", file.new_path).unwrap();
            }
            _ => {}
        }
        if !file.text.is_empty() {
            write!(patch, "--- {old}\n+++ {new}\n{}", file.text).unwrap();
        }
    }
    std::fs::write(work.join("patch"), patch).unwrap();
    git(&work, &["apply", "--index", "patch"]);
    let tree = git(&work, &["write-tree"]);
    assert_eq!(tree, git(&work, &["rev-parse", "main^{tree}"]));
}
