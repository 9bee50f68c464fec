//! Random steps, weighted so that most of them reach the provider.

mod scenario;

use std::collections::BTreeSet;

use fastrand::Rng;

use crate::configuration::{Address, Argument, Block, Configuration, DELETION, Kind, dependencies};
use crate::step::{Command, Fault, Method, Run, Step};
use crate::world::{ManualChange, Role, Target, VaultRole, WORKSPACES, Workspace};

const PRODUCTS: [&str; 3] = ["alpha", "beta", "gamma"];
const REPOSITORIES: [&str; 3] = ["one", "two", "three"];
const ENVIRONMENTS: [&str; 2] = ["dev", "live"];
const PROJECTS: [&str; 2] = ["pay", "cart"];
const BINDINGS: [&str; 2] = ["share", "lend"];
const CLUSTERS: [&str; 3] = ["cluster-a", "cluster-b", "cluster-c"];
const TEXTS: [&str; 3] = ["", "First", "Second"];
const SKIP_CHECK: &str = "insecure_skip_check";
const SECRETS: [&str; 2] = ["readonly", "readwrite"];

/// Returns the steps with which every world begins: two products with something of every kind.
pub(crate) fn opening(random: &mut Rng) -> Vec<Step> {
    let mut steps = Vec::new();
    let product = Address::new(Kind::Product, 0);
    let mut write = |block| {
        steps.push(Step::Write {
            workspace: 0,
            block,
        });
    };
    write(block(product, [("name", text("alpha"))]));
    for (label, name) in (0_u8..).zip(["one", "two"]) {
        let address = Address::new(Kind::CodeRepo, label);
        write(block(
            address,
            [("name", text(name)), ("product", Argument::Id(product))],
        ));
    }
    write(block(
        Address::new(Kind::Environment, 0),
        [
            ("name", text("dev")),
            ("product", Argument::Id(product)),
            ("cluster", text("cluster-a")),
            ("env_type", text("test")),
        ],
    ));
    write(block(
        Address::new(Kind::Project, 0),
        [("name", text("pay")), ("product", Argument::Id(product))],
    ));
    write(block(
        Address::new(Kind::Binding, 0),
        [
            ("name", text("share")),
            ("product", Argument::Id(product)),
            ("code_repo", Argument::Id(Address::new(Kind::CodeRepo, 0))),
            ("permissions", text("readonly")),
        ],
    ));
    steps.push(Step::Run(plain_run(random, 0)));
    if random.bool() {
        let other = Address::new(Kind::Product, 0);
        let name = random.choice(PRODUCTS).unwrap_or("beta");
        steps.push(Step::Write {
            workspace: 1,
            block: block(other, [("name", text(name))]),
        });
        steps.push(Step::Run(plain_run(random, 1)));
    }
    steps
}

/// Returns the next steps.
pub(crate) fn next(random: &mut Rng, workspaces: &[Workspace; WORKSPACES]) -> Vec<Step> {
    let workspace = usize::from(random.u8(0..4) == 0);
    let (configuration, state) = match workspaces.get(workspace) {
        Some(workspace) => (&workspace.configuration, &workspace.state),
        None => return Vec::new(),
    };
    match random.u8(0..120) {
        100.. => scenario::next(random, workspace, configuration),
        0..24 => {
            let mut steps = edit(random, workspace, configuration);
            steps.push(Step::Run(run(random, workspace, configuration)));
            steps
        }
        24..48 => vec![Step::Run(run(random, workspace, configuration))],
        48..56 => edit(random, workspace, configuration),
        56..80 => vec![Step::Change(change(random))],
        80..88 => vec![
            Step::Change(change(random)),
            Step::Run(run(random, workspace, configuration)),
        ],
        88..92 => vec![Step::RollBack {
            workspace,
            runs: random.usize(1..4),
        }],
        92..95 => {
            let addresses: Vec<_> = state.current.keys().copied().collect();
            let address = random.choice(addresses);
            address.map_or_else(Vec::new, |address| {
                vec![Step::Forget { workspace, address }]
            })
        }
        _ => import(random, workspace, configuration),
    }
}

fn text(text: &str) -> Argument {
    Argument::Text(text.to_owned())
}

fn block<const N: usize>(address: Address, arguments: [(&str, Argument); N]) -> Block {
    Block {
        address,
        arguments: arguments
            .into_iter()
            .map(|(name, argument)| (name.to_owned(), argument))
            .collect(),
        create_before_destroy: false,
    }
}

fn pick(random: &mut Rng, from: &[&str]) -> String {
    random.choice(from).copied().unwrap_or_default().to_owned()
}

fn edit(random: &mut Rng, workspace: usize, configuration: &Configuration) -> Vec<Step> {
    let present: Vec<_> = configuration.keys().copied().collect();
    let address = match (random.u8(0..10), random.choice(&present)) {
        (0..3, Some(address)) => return removal(workspace, *address, configuration),
        (3..8, Some(address)) => *address,
        _ => new_address(random),
    };
    let block = match configuration.get(&address) {
        Some(block) if random.u8(0..5) > 0 => changed(random, block.clone(), configuration),
        _ => new_block(random, address, configuration),
    };
    vec![Step::Write { workspace, block }]
}

/// Removes a block with all that refer to it.
fn removal(workspace: usize, address: Address, configuration: &Configuration) -> Vec<Step> {
    let referring = configuration.keys().copied();
    let referring =
        referring.filter(|block| dependencies(configuration, *block).contains(&address));
    let removed = referring.chain([address]);
    removed
        .map(|address| Step::Remove { workspace, address })
        .collect()
}

fn new_address(random: &mut Rng) -> Address {
    let kind = match random.u8(0..10) {
        0..2 => Kind::Product,
        2..4 => Kind::Environment,
        4 => Kind::Project,
        5..8 => Kind::CodeRepo,
        _ => Kind::Binding,
    };
    Address::new(kind, random.u8(0..3))
}

fn new_block(random: &mut Rng, address: Address, configuration: &Configuration) -> Block {
    let mut new = block(address, []);
    for argument in arguments(address.kind) {
        if let Some(value) = value(random, argument, address.kind, configuration) {
            new.arguments.insert((*argument).to_owned(), value);
        }
    }
    new.create_before_destroy = random.u8(0..6) == 0;
    new
}

fn changed(random: &mut Rng, mut block: Block, configuration: &Configuration) -> Block {
    let kind = block.address.kind;
    let arguments = arguments(kind);
    for _ in 0..random.u8(1..3) {
        if random.u8(0..8) == 0 {
            block.create_before_destroy = !block.create_before_destroy;
            continue;
        }
        let argument = random.choice(arguments).copied().unwrap_or("name");
        match value(random, argument, kind, configuration) {
            Some(value) => block.arguments.insert(argument.to_owned(), value),
            None => block.arguments.remove(argument),
        };
    }
    block
}

const fn arguments(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Product => &[
            "name",
            "display_name",
            "description",
            "adopt_existing",
            "force_destroy",
            "visibility",
            DELETION,
            "permanently_remove",
        ],
        Kind::Environment => &["name", "product", "cluster", "env_type", SKIP_CHECK],
        Kind::Project => &["name", "product", "language", SKIP_CHECK],
        Kind::CodeRepo => &[
            "name",
            "product",
            "project",
            "description",
            "adopt_existing",
            "force_destroy",
            DELETION,
            "permanently_remove",
            "access_token",
            SKIP_CHECK,
        ],
        Kind::Binding => &[
            "name",
            "product",
            "code_repo",
            "projects",
            "permissions",
            SKIP_CHECK,
        ],
    }
}

fn value(
    random: &mut Rng,
    argument: &str,
    kind: Kind,
    configuration: &Configuration,
) -> Option<Argument> {
    let is_rare = random.u8(0..4) == 0;
    let chosen = |random: &mut Rng, from: &[&str]| Some(Argument::Text(pick(random, from)));
    match argument {
        "name" => chosen(random, names(kind)),
        "product" => Some(reference(random, Kind::Product, configuration)),
        "code_repo" => Some(reference(random, Kind::CodeRepo, configuration)),
        "project" if is_rare => Some(reference(random, Kind::Project, configuration)),
        "projects" if is_rare => {
            let project = reference(random, Kind::Project, configuration);
            Some(Argument::Set(vec![project]))
        }
        "cluster" => chosen(random, &CLUSTERS),
        "env_type" => chosen(random, &["test", "production"]),
        "permissions" => chosen(random, &["readonly", "readwrite"]),
        "language" if is_rare => chosen(random, &["go", "rust"]),
        "visibility" if is_rare => chosen(random, &["private", "internal"]),
        "description" if is_rare => chosen(random, &TEXTS),
        "display_name" if is_rare => chosen(random, &["First", "Second"]),
        "adopt_existing" | "force_destroy" | SKIP_CHECK if is_rare => Some(Argument::Flag(true)),
        "permanently_remove" if is_rare => Some(Argument::Flag(random.bool())),
        "access_token" if is_rare => Some(Argument::Empty),
        DELETION if is_rare => chosen(random, &["delete", "archive", "abandon"]),
        _ => None,
    }
}

const fn names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Product => &PRODUCTS,
        Kind::Environment => &ENVIRONMENTS,
        Kind::Project => &PROJECTS,
        Kind::CodeRepo => &REPOSITORIES,
        Kind::Binding => &BINDINGS,
    }
}

fn reference(random: &mut Rng, kind: Kind, configuration: &Configuration) -> Argument {
    let present = configuration.keys().filter(|address| address.kind == kind);
    let present: Vec<_> = present.copied().collect();
    match random.choice(present) {
        Some(address) if random.u8(0..5) > 0 => Argument::Id(address),
        _ => Argument::Text(pick(random, names(kind))),
    }
}

fn plain_run(random: &mut Rng, workspace: usize) -> Run {
    Run {
        workspace,
        command: Command::Apply,
        targets: BTreeSet::new(),
        replaces: BTreeSet::new(),
        skips_refresh: false,
        parallelism: random.choice([1, 2, 10]).unwrap_or(10),
        order: random.u64(..),
        role: Role::Administrator,
        vault_role: VaultRole::Root,
        target: Target::Main,
        between: None,
        fault: None,
        by_command_line: false,
    }
}

fn run(random: &mut Rng, workspace: usize, configuration: &Configuration) -> Run {
    let mut run = plain_run(random, workspace);
    let addresses: Vec<_> = configuration.keys().copied().collect();
    let some = |random: &mut Rng, one_in: u8| -> BTreeSet<Address> {
        let wanted = random.u8(0..one_in) == 0;
        let count = if wanted { random.usize(1..3) } else { 0 };
        random
            .choose_multiple(addresses.iter().copied(), count)
            .into_iter()
            .collect()
    };
    run.command = match random.u8(0..24) {
        0 | 1 => Command::Plan,
        2..5 => Command::Destroy,
        _ => Command::Apply,
    };
    run.targets = some(random, 6);
    run.replaces = some(random, 6);
    run.skips_refresh = random.u8(0..10) == 0;
    run.by_command_line = random.u8(0..20) == 0;
    run.role = match random.u8(0..14) {
        0 => Role::Owner,
        1 | 2 => Role::Maintainer,
        3 => Role::Developer,
        4 => Role::Outsider,
        5 => Role::Partial,
        _ => Role::Administrator,
    };
    run.vault_role = match random.u8(0..14) {
        0 => VaultRole::ReadOnly,
        1 | 2 => VaultRole::Recommended,
        _ => VaultRole::Root,
    };
    if random.u8(0..10) == 0 {
        run.target = Target::Other;
    }
    run.between = (random.u8(0..8) == 0).then(|| change(random));
    run.fault = (random.u8(0..4) == 0).then(|| fault(random));
    run
}

fn fault(random: &mut Rng) -> Fault {
    let method = random.choice(Method::ALL).unwrap_or(Method::Post);
    let skip = random.u64(0..8);
    let after_effect = random.bool();
    match random.u8(0..9) {
        0 => Fault::Failure {
            after: random.usize(0..6),
        },
        1 => Fault::Interrupt {
            after: random.usize(0..6),
        },
        2 | 3 => Fault::Refuse { method, skip },
        4 => Fault::Lose {
            method,
            skip,
            after_effect,
        },
        5 | 6 => Fault::Kill {
            method,
            skip,
            after_effect,
        },
        7 => Fault::RefuseVault {
            skip: random.usize(0..6),
        },
        _ => Fault::KillAtVault {
            skip: random.usize(0..24),
            after_effect,
        },
    }
}

fn import(random: &mut Rng, workspace: usize, configuration: &Configuration) -> Vec<Step> {
    let address = new_address(random);
    let product = pick(random, &PRODUCTS);
    let id = match address.kind {
        Kind::Product => product,
        kind => format!("{product}/{}", pick(random, names(kind))),
    };
    let mut steps = Vec::new();
    if !configuration.contains_key(&address) && random.u8(0..3) > 0 {
        steps.push(Step::Write {
            workspace,
            block: new_block(random, address, configuration),
        });
    }
    steps.push(Step::Import {
        workspace,
        address,
        id,
    });
    steps
}

fn change(random: &mut Rng) -> ManualChange {
    let product = pick(random, &PRODUCTS[..2]);
    let path = match random.u8(0..12) {
        0 => "legacy/app".to_owned(),
        1 => format!("{product}/default.project"),
        _ => format!("{product}/{}", pick(random, &REPOSITORIES)),
    };
    let file = match random.u8(0..3) {
        0 => format!("envs/{}.yaml", pick(random, &ENVIRONMENTS)),
        1 => {
            let project = pick(random, &PROJECTS);
            format!("projects/{project}/{project}.yaml")
        }
        _ => "production/kustomization.yaml".to_owned(),
    };
    let secret = pick(random, &SECRETS);
    match random.u8(0..22) {
        0 | 1 => ManualChange::RenameProject {
            path,
            name: pick(random, &["one", "two", "three", "moved"]),
        },
        2 => ManualChange::RenameGroup {
            path: product,
            name: pick(random, &["alpha", "beta", "gamma", "moved"]),
        },
        3 => ManualChange::DeleteProject { path },
        4 => ManualChange::DeleteGroup { path: product },
        5 => ManualChange::RestoreAll,
        6 => ManualChange::ArchiveProject { path },
        7 => ManualChange::UnarchiveProject { path },
        8 => ManualChange::DescribeProject {
            path,
            text: pick(random, &["", "By hand"]),
        },
        9 => ManualChange::DescribeGroup {
            path: product,
            text: pick(random, &["", "By hand"]),
        },
        10 | 11 => ManualChange::Commit {
            path,
            file: format!("notes-{}.md", random.u8(0..4)),
        },
        12 => ManualChange::Tag { path },
        13 => ManualChange::DeleteManifest { product, file },
        14 | 15 => ManualChange::EditManifest { product, file },
        16 => ManualChange::DeleteSecret { path, secret },
        17 => ManualChange::DeletePolicy { path, secret },
        18 => ManualChange::DeleteKeys { path },
        19 => ManualChange::TransferProject {
            path,
            group: pick(random, &["legacy", "alpha", "beta"]),
        },
        20 => {
            if random.bool() {
                ManualChange::CreateGroup { path: product }
            } else {
                ManualChange::CreateProject { path }
            }
        }
        _ => ManualChange::PassRecoveryPeriod,
    }
}
