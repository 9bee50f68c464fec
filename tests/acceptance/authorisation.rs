//! Who may use which repository: twenty repositories, edited at random, have exactly the keys that they should have.

#![expect(
    clippy::indexing_slicing,
    reason = "numbers are drawn below the lengths of what they index"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, ensure};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use testbed::Method;

use crate::harness::{Case, Stage};

const REPOSITORIES: usize = 20;
const PROJECTS: usize = 4;
const BINDINGS: usize = 10;
const EDITS: usize = 30;

/// What a binding allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Permission {
    ReadOnly,
    ReadWrite,
}

#[derive(Debug, Clone)]
struct Binding {
    repository: usize,
    /// Empty for the whole product.
    projects: BTreeSet<usize>,
    permission: Permission,
}

/// What the configuration says.
#[derive(Debug)]
struct Shop {
    /// How often each project was renamed.
    renames: [usize; PROJECTS],
    /// The project of each repository.
    owners: [Option<usize>; REPOSITORIES],
    bindings: BTreeMap<usize, Binding>,
}

#[derive(Debug, Clone)]
enum Edit {
    MoveRepository(usize, Option<usize>),
    RenameProject(usize),
    SetBinding(usize, Binding),
    RemoveBinding(usize),
}

fn project() -> impl Strategy<Value = usize> {
    0..PROJECTS
}

fn permission() -> impl Strategy<Value = Permission> {
    prop_oneof![Just(Permission::ReadOnly), Just(Permission::ReadWrite)]
}

fn binding() -> impl Strategy<Value = Binding> {
    let projects = prop::collection::btree_set(project(), 0..=2);
    (0..REPOSITORIES, projects, permission()).prop_map(|(repository, projects, permission)| {
        Binding {
            repository,
            projects,
            permission,
        }
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => (0..REPOSITORIES, prop::option::weighted(0.8, project()))
            .prop_map(|(repository, project)| Edit::MoveRepository(repository, project)),
        1 => project().prop_map(Edit::RenameProject),
        4 => (0..BINDINGS + 2, binding()).prop_map(|(number, binding)| Edit::SetBinding(number, binding)),
        2 => (0..BINDINGS + 2).prop_map(Edit::RemoveBinding),
    ]
}

impl Shop {
    fn begin(bindings: Vec<Binding>) -> Self {
        let mut owners = [None; REPOSITORIES];
        for (number, owner) in owners.iter_mut().enumerate() {
            // Every fifth belongs to no project.
            *owner = (number % 5 != 0).then_some(number % PROJECTS);
        }
        Self {
            renames: [0; PROJECTS],
            owners,
            bindings: bindings.into_iter().enumerate().collect(),
        }
    }

    fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::MoveRepository(repository, project) => self.owners[repository] = project,
            Edit::RenameProject(project) => self.renames[project] += 1,
            Edit::SetBinding(number, binding) => {
                self.bindings.insert(number, binding);
            }
            Edit::RemoveBinding(number) => {
                self.bindings.remove(&number);
            }
        }
    }

    fn configuration(&self) -> String {
        let mut text = "resource \"nautes_product\" \"shop\" {\n  name = \"shop\"\n}\n".to_owned();
        for (number, renames) in self.renames.iter().enumerate() {
            let _ = write!(
                text,
                "
resource \"nautes_project\" \"p{number}\" {{
  product = nautes_product.shop.id
  name    = \"project-{number}-{renames}\"
}}
"
            );
        }
        for (number, owner) in self.owners.iter().enumerate() {
            let owner = owner.map_or("null".to_owned(), |owner| {
                format!("nautes_project.p{owner}.id")
            });
            let token = if number % 4 == 0 { "{}" } else { "null" };
            let _ = write!(
                text,
                "
resource \"nautes_code_repo\" \"r{number}\" {{
  product      = nautes_product.shop.id
  name         = \"repository-{number}\"
  project      = {owner}
  access_token = {token}
}}
"
            );
        }
        for (number, binding) in &self.bindings {
            let projects: Vec<String> = binding
                .projects
                .iter()
                .map(|project| format!("nautes_project.p{project}.id"))
                .collect();
            let permissions = match binding.permission {
                Permission::ReadOnly => "readonly",
                Permission::ReadWrite => "readwrite",
            };
            let _ = write!(
                text,
                "
resource \"nautes_code_repo_binding\" \"b{number}\" {{
  product     = nautes_product.shop.id
  name        = \"binding-{number}\"
  code_repo   = nautes_code_repo.r{}.id
  projects    = [{}]
  permissions = \"{permissions}\"
}}
",
                binding.repository,
                projects.join(", ")
            );
        }
        text
    }

    /// The keys that each repository is to have: whose, which, and whether it may push.
    fn keys(&self) -> Vec<BTreeSet<(usize, Permission, bool)>> {
        let key = |owner, permission| (owner, permission, permission == Permission::ReadWrite);
        let mut wanted = vec![BTreeSet::new(); REPOSITORIES];
        for (opened, keys) in wanted.iter_mut().enumerate() {
            for owner in 0..REPOSITORIES {
                let shares_project =
                    self.owners[opened].is_some() && self.owners[opened] == self.owners[owner];
                if owner == opened || shares_project {
                    keys.insert(key(owner, Permission::ReadOnly));
                    keys.insert(key(owner, Permission::ReadWrite));
                }
                for binding in self.bindings.values() {
                    let is_granted = binding.projects.is_empty()
                        || self.owners[owner].is_some_and(|of| binding.projects.contains(&of));
                    if binding.repository == opened && is_granted {
                        keys.insert(key(owner, binding.permission));
                    }
                }
            }
        }
        wanted
    }
}

impl Stage {
    /// The keys on each repository of the shop as GitLab has them.
    fn keys(&self) -> anyhow::Result<Vec<BTreeSet<(usize, Permission, bool)>>> {
        // One call, because GitLab limits how often single projects may be asked for.
        let path = "/groups/shop/projects?per_page=100";
        let projects = self.gitlab.api(Method::GET, path, None)?;
        let mut numbers = BTreeMap::new();
        for project in projects.as_array().context("a list of projects")? {
            let id = project["id"].as_u64().context("a project has a number")?;
            let path = project["path"].as_str().unwrap_or_default();
            if let Some(number) = path.strip_prefix("repository-") {
                numbers.insert(id, number.parse()?);
            }
        }
        ensure!(numbers.len() == REPOSITORIES, "there are {numbers:?}");
        let mut found = vec![BTreeSet::new(); REPOSITORIES];
        for (id, number) in &numbers {
            let number: usize = *number;
            let path = format!("/projects/{id}/deploy_keys?per_page=100");
            let keys = self.gitlab.api(Method::GET, &path, None)?;
            let keys = keys.as_array().context("a list of keys")?;
            for key in keys {
                let (owner, permission) = title(key)?;
                let owner: usize = *numbers.get(&owner).context("a key of nobody")?;
                let can_push = key["can_push"] == true;
                let is_first = found[number].insert((owner, permission, can_push));
                ensure!(is_first, "repository-{number} has {key} twice");
            }
        }
        Ok(found)
    }
}

fn title(key: &Value) -> anyhow::Result<(u64, Permission)> {
    let title = key["title"].as_str().context("a key has a title")?;
    let mut parts = title.split('-').skip(1);
    let owner = parts.next().context("a title names the owner")?.parse()?;
    let permission = match parts.next() {
        Some("readonly") => Permission::ReadOnly,
        Some("readwrite") => Permission::ReadWrite,
        other => anyhow::bail!("{title} ends with {other:?}"),
    };
    Ok((owner, permission))
}

fn expect_keys(stage: &Stage, shop: &Shop) -> Case {
    for (number, (wanted, found)) in shop.keys().iter().zip(stage.keys()?).enumerate() {
        let missing: Vec<_> = wanted.difference(&found).collect();
        let surplus: Vec<_> = found.difference(wanted).collect();
        ensure!(
            missing.is_empty() && surplus.is_empty(),
            "repository-{number} lacks {missing:?} and has {surplus:?} too many"
        );
    }
    Ok(())
}

#[test]
fn edited_at_random_thirty_times_every_repository_has_the_keys_of_those_who_may_use_it() -> Case {
    let mut runner = TestRunner::default();
    let plan = (
        prop::collection::vec(binding(), BINDINGS),
        prop::collection::vec(edit(), EDITS),
    );
    let (bindings, edits) = plan
        .new_tree(&mut runner)
        .map_err(|reason| anyhow::anyhow!("{reason}"))?
        .current();
    let mut shop = Shop::begin(bindings);
    let stage = Stage::with_vault(&shop.configuration())?;
    let before = stage.vault()?.inventory()?;
    stage.workspace.apply()?;
    expect_keys(&stage, &shop).context("after creation")?;
    for (number, edit) in edits.into_iter().enumerate() {
        let what = format!("after edit {number}, {edit:?}");
        shop.edit(edit);
        stage.write(&shop.configuration())?;
        stage.workspace.apply().context(what.clone())?;
        expect_keys(&stage, &shop).context(what)?;
    }
    stage.workspace.destroy()?;
    stage.expect_no_credentials()?;
    stage.expect_remains(1, 1 + REPOSITORIES, &["shop"])?;
    assert_eq!(stage.vault()?.inventory()?, before);
    Ok(())
}
