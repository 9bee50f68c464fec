//! Deploy keys of twenty repositories: after random edits, each has exactly the keys that the configuration grants.

#![expect(
    clippy::indexing_slicing,
    reason = "random numbers are less than the lengths of the arrays that they index"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, ensure};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use testbed::Method;

use crate::test_env::{Case, TestEnv};

const REPOSITORIES: usize = 20;
const PROJECTS: usize = 4;
const BINDINGS: usize = 10;
const EDITS: usize = 30;

/// The permission of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Permission {
    ReadOnly,
    ReadWrite,
}

#[derive(Debug, Clone)]
struct Binding {
    repository: usize,
    /// All projects of the product if empty.
    projects: BTreeSet<usize>,
    permission: Permission,
}

/// The configuration.
#[derive(Debug)]
struct Shop {
    /// The number of renames of each project.
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
    fn new(bindings: Vec<Binding>) -> Self {
        let mut owners = [None; REPOSITORIES];
        for (number, owner) in owners.iter_mut().enumerate() {
            // Every fifth repository belongs to no project.
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
            let projects = if projects.is_empty() {
                "null".to_owned()
            } else {
                format!("[{}]", projects.join(", "))
            };
            let _ = write!(
                text,
                "
resource \"nautes_code_repo_binding\" \"b{number}\" {{
  product     = nautes_product.shop.id
  name        = \"binding-{number}\"
  code_repo   = nautes_code_repo.r{}.id
  projects    = {projects}
  permissions = \"{permissions}\"
}}
",
                binding.repository,
            );
        }
        text
    }

    /// Returns the expected keys of each repository: the owner, the permission, and whether the key may push.
    fn expected_keys(&self) -> Vec<BTreeSet<(usize, Permission, bool)>> {
        let key = |owner, permission| (owner, permission, permission == Permission::ReadWrite);
        let mut expected = vec![BTreeSet::new(); REPOSITORIES];
        for (bound, keys) in expected.iter_mut().enumerate() {
            for owner in 0..REPOSITORIES {
                let shares_project =
                    self.owners[bound].is_some() && self.owners[bound] == self.owners[owner];
                if owner == bound || shares_project {
                    keys.insert(key(owner, Permission::ReadOnly));
                    keys.insert(key(owner, Permission::ReadWrite));
                }
                for binding in self.bindings.values() {
                    let is_granted = binding.projects.is_empty()
                        || self.owners[owner]
                            .is_some_and(|project| binding.projects.contains(&project));
                    if binding.repository == bound && is_granted {
                        keys.insert(key(owner, binding.permission));
                    }
                }
            }
        }
        expected
    }
}

impl TestEnv {
    /// Reads the keys of each repository of the shop from GitLab, in the format of [`Shop::expected_keys`].
    fn actual_keys(&self) -> anyhow::Result<Vec<BTreeSet<(usize, Permission, bool)>>> {
        // One call, because GitLab limits the rate of reads of single projects.
        let path = "/groups/shop/projects?per_page=100";
        let projects = self.gitlab.api(Method::GET, path, None)?;
        let mut numbers = BTreeMap::new();
        for project in projects
            .as_array()
            .context("GitLab returned no list of projects")?
        {
            let id = project["id"].as_u64().context("a project has no id")?;
            let path = project["path"].as_str().unwrap_or_default();
            if let Some(number) = path.strip_prefix("repository-") {
                numbers.insert(id, number.parse()?);
            }
        }
        ensure!(
            numbers.len() == REPOSITORIES,
            "the repositories in GitLab are {numbers:?}"
        );
        let mut found = vec![BTreeSet::new(); REPOSITORIES];
        for (id, number) in &numbers {
            let number: usize = *number;
            let path = format!("/projects/{id}/deploy_keys?per_page=100");
            let keys = self.gitlab.api(Method::GET, &path, None)?;
            let keys = keys.as_array().context("GitLab returned no list of keys")?;
            for key in keys {
                let (owner, permission) = parse_title(key)?;
                let owner: usize = *numbers
                    .get(&owner)
                    .context("a key belongs to an unknown repository")?;
                let can_push = key["can_push"] == true;
                let is_first = found[number].insert((owner, permission, can_push));
                ensure!(is_first, "repository-{number} has {key} twice");
            }
        }
        Ok(found)
    }
}

/// Returns the owner and the permission from the title of a key.
fn parse_title(key: &Value) -> anyhow::Result<(u64, Permission)> {
    let title = key["title"].as_str().context("a key has no title")?;
    let mut parts = title.split('-').skip(1);
    let owner = parts.next().context("the title names no owner")?.parse()?;
    let permission = match parts.next() {
        Some("readonly") => Permission::ReadOnly,
        Some("readwrite") => Permission::ReadWrite,
        other => anyhow::bail!("{title} ends with {other:?}"),
    };
    Ok((owner, permission))
}

fn check_keys(env: &TestEnv, shop: &Shop) -> Case {
    for (number, (expected, actual)) in shop
        .expected_keys()
        .iter()
        .zip(env.actual_keys()?)
        .enumerate()
    {
        let missing: Vec<_> = expected.difference(&actual).collect();
        let unexpected: Vec<_> = actual.difference(expected).collect();
        ensure!(
            missing.is_empty() && unexpected.is_empty(),
            "repository-{number} lacks {missing:?}, and has unexpected {unexpected:?}"
        );
    }
    Ok(())
}

#[test]
fn after_each_of_thirty_random_edits_every_repository_has_exactly_the_granted_keys() -> Case {
    let mut runner = TestRunner::default();
    let plan = (
        prop::collection::vec(binding(), BINDINGS),
        prop::collection::vec(edit(), EDITS),
    );
    let (bindings, edits) = plan
        .new_tree(&mut runner)
        .map_err(|reason| anyhow::anyhow!("{reason}"))?
        .current();
    let mut shop = Shop::new(bindings);
    let env = TestEnv::with_vault(&shop.configuration())?;
    let before = env.vault()?.inventory()?;
    env.workspace.apply()?;
    check_keys(&env, &shop).context("after creation")?;
    for (number, edit) in edits.into_iter().enumerate() {
        let step = format!("after edit {number}, {edit:?}");
        shop.edit(edit);
        env.write(&shop.configuration())?;
        env.workspace.apply().context(step.clone())?;
        check_keys(&env, &shop).context(step)?;
    }
    env.workspace.destroy()?;
    env.check_no_credentials()?;
    env.check_marked_for_deletion(1, 1 + REPOSITORIES, &["shop"])?;
    assert_eq!(env.vault()?.inventory()?, before);
    Ok(())
}
