//! The contents and the history of the repository after all writes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use nautes_model::layout::Repository;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::{Context as ValidationContext, violations};
use testbed::{Emulator, Invocation, git};

use super::process::ProcessOptions;
use super::write_log::{Content, WriteLog, check_possible};
use crate::test_env::Case;

/// The repository, read from a fresh clone.
pub(crate) struct FinalState {
    tree: ManifestTree,
    commits: usize,
    /// The number of commits that write a mark into a manifest, by mark.
    marks: BTreeMap<String, usize>,
}

impl FinalState {
    /// Clones the repository and reads it.
    pub(crate) fn load(
        gitlab: &Emulator,
        process: Option<&ProcessOptions>,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let clone = folder.join("clone");
        let url = format!("{}/shop/default.project.git", gitlab.url());
        git::clone(&url, gitlab.root_token(), &clone)?;
        let git = |arguments: &[&str]| {
            let invocation = Invocation::new("git").args(arguments).current_dir(&clone);
            anyhow::Ok(invocation.finish()?.success()?.stdout)
        };
        git(&["fsck", "--full", "--strict"])?;

        let product = process.context("there is no process")?.product();
        let mut tree = ManifestTree::new(Repository::Product(product));
        for path in git(&["ls-files"])?.lines() {
            tree.put_file(path, std::fs::read_to_string(clone.join(path))?);
        }
        let mut marks = BTreeMap::new();
        let log = git(&["log", "--patch", "--no-renames", "--format=format:commit"])?;
        for line in log.lines().filter(|line| line.starts_with('+')) {
            if let Some(mark) = line
                .split([' ', '"', '\''])
                .find(|word| word.starts_with("mark-"))
            {
                *marks.entry(mark.to_owned()).or_default() += 1;
            }
        }
        Ok(Self {
            tree,
            commits: log.lines().filter(|line| *line == "commit").count(),
            marks,
        })
    }

    /// Returns the number of commits.
    pub(crate) fn commits(&self) -> usize {
        self.commits
    }

    /// Checks that the tree violates no rule, and that the kustomization lists exactly the entities.
    pub(crate) fn check_rules(&self) -> Case {
        let violations = violations(&self.tree, &ValidationContext::default());
        ensure!(
            violations.is_empty(),
            "the repository violates rules: {violations:?}"
        );
        for entity in self.tree.entities() {
            let key = entity.key();
            ensure!(
                self.tree.is_listed(&key),
                "{key} is not in the kustomization"
            );
        }
        let stale = self.tree.stale_kustomization_entries();
        ensure!(
            stale.is_empty(),
            "the kustomization lists missing files: {stale:?}"
        );
        Ok(())
    }

    /// Checks that the entities are those of the log, each with a possible content.
    pub(crate) fn check_entities(&self, log: &WriteLog) -> Case {
        let mut found: BTreeMap<String, Content> = self
            .tree
            .entities()
            .map(|entity| (entity.key().to_string(), Content::from(entity)))
            .collect();
        for (key, possible) in &log.entities {
            check_possible(key, found.remove(key).as_ref(), possible)?;
        }
        ensure!(found.is_empty(), "entities without a writer: {found:?}");
        Ok(())
    }

    /// Checks that the history contains each successful write once, and every other write at most once.
    pub(crate) fn check_each_change_once(&self, log: &WriteLog) -> Case {
        for (mark, succeeded) in &log.marks {
            let times = self.marks.get(mark).copied().unwrap_or_default();
            let is_possible = if *succeeded { times == 1 } else { times <= 1 };
            ensure!(
                is_possible,
                "{mark} is in the history {times} times; its write succeeded: {succeeded}"
            );
        }
        let unknown = self
            .marks
            .keys()
            .find(|mark| !log.marks.contains_key(*mark));
        ensure!(
            unknown.is_none(),
            "the history contains a mark of no write: {unknown:?}"
        );
        Ok(())
    }
}
