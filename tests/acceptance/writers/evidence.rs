//! What is in the repository in the end, and in its history.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use nautes_model::entity::Entity;
use nautes_model::layout::Repository;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::{Context as Rules, violations};
use testbed::{Emulator, Invocation, git};

use super::ledger::{Content, Ledger, expect_possible};
use super::process::Assignment;
use crate::harness::Case;

/// A fresh clone.
pub(crate) struct Evidence {
    tree: ManifestTree,
    commits: usize,
    /// By mark, how many commits write it into a manifest.
    marks: BTreeMap<String, usize>,
}

/// What an entity of a writer says.
pub(crate) fn content_of(entity: &Entity) -> Content {
    match entity {
        Entity::Environment(environment) => Content {
            mark: environment.env_type.clone(),
            cluster: Some(environment.cluster.to_string()),
        },
        Entity::Project(project) => Content {
            mark: project.language.clone(),
            cluster: None,
        },
        other => Content {
            mark: format!("{other:?}"),
            cluster: None,
        },
    }
}

impl Evidence {
    /// Clones the repository and reads it.
    pub(crate) fn of(
        gitlab: &Emulator,
        assignment: Option<&Assignment>,
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

        let product = assignment.context("there is no process")?.product();
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

    /// How many commits there are.
    pub(crate) fn commits(&self) -> usize {
        self.commits
    }

    /// Checks that all rules hold, and that the kustomization lists what is there.
    pub(crate) fn expect_sound(&self) -> Case {
        let broken = violations(&self.tree, &Rules::default());
        ensure!(broken.is_empty(), "rules are broken: {broken:?}");
        for entity in self.tree.entities() {
            let key = entity.key();
            ensure!(self.tree.lists(&key), "{key} is not in the kustomization");
        }
        let surplus = self.tree.surplus_kustomization_entries();
        ensure!(surplus.is_empty(), "the kustomization lists {surplus:?}");
        Ok(())
    }

    /// Checks that each entity is as its writer was told, and that there is no other.
    pub(crate) fn expect_states(&self, ledger: &Ledger) -> Case {
        let mut found: BTreeMap<String, Content> = self
            .tree
            .entities()
            .map(|entity| (entity.key().to_string(), content_of(entity)))
            .collect();
        for (key, possible) in &ledger.places {
            expect_possible(key, found.remove(key).as_ref(), possible)?;
        }
        ensure!(found.is_empty(), "nobody wrote {found:?}");
        Ok(())
    }

    /// Checks that each write that succeeded is in the history once, and no other twice.
    pub(crate) fn expect_each_change_once(&self, ledger: &Ledger) -> Case {
        for (mark, made) in &ledger.marks {
            let times = self.marks.get(mark).copied().unwrap_or_default();
            let as_told = if *made { times == 1 } else { times <= 1 };
            ensure!(
                as_told,
                "{mark} was written {times} times; success was told: {made}"
            );
        }
        let strange = self
            .marks
            .keys()
            .find(|mark| !ledger.marks.contains_key(*mark));
        ensure!(strange.is_none(), "nobody wrote {strange:?}");
        Ok(())
    }
}
