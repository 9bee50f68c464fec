//! Sequences of steps that random steps alone rarely make.

use fastrand::Rng;

use super::{change, edit, fault, plain_run, removal, run, text};
use crate::configuration::{Address, Argument, Block, Configuration, Kind};
use crate::step::{Command, Fault, Step};
use crate::world::ManualChange;

/// Returns a sequence, or nothing if the configuration has not what it needs.
pub(super) fn next(random: &mut Rng, workspace: usize, configuration: &Configuration) -> Vec<Step> {
    let scenarios = [
        replace_by_a_twin,
        hold_twice,
        swap_names,
        move_to_another_address,
        take_the_place_of_another,
        destroy_and_roll_back,
        rename_between,
        put_something_else_in_its_place,
    ];
    let scenario = random.choice(scenarios);
    let steps = scenario.and_then(|scenario| scenario(random, workspace, configuration));
    steps.unwrap_or_default()
}

fn any(random: &mut Rng, configuration: &Configuration) -> Option<Block> {
    random.choice(configuration.values()).cloned()
}

fn any_of(random: &mut Rng, configuration: &Configuration, kind: Kind) -> Option<Block> {
    let of_kind = configuration.values();
    let of_kind: Vec<_> = of_kind.filter(|block| block.address.kind == kind).collect();
    random.choice(of_kind).cloned()
}

fn name(block: &Block) -> Option<&str> {
    match block.arguments.get("name") {
        Some(Argument::Text(name)) => Some(name),
        _ => None,
    }
}

fn write(workspace: usize, block: Block) -> Step {
    Step::Write { workspace, block }
}

/// Creates a replacement before what it replaces is destroyed, ends in between, and goes on.
fn replace_by_a_twin(
    random: &mut Rng,
    workspace: usize,
    configuration: &Configuration,
) -> Option<Vec<Step>> {
    let mut block = any(random, configuration)?;
    block.create_before_destroy = true;
    let mut first = plain_run(random, workspace);
    first.replaces.insert(block.address);
    first.fault = Some(match random.u8(0..3) {
        0 => Fault::Failure {
            after: random.usize(0..3),
        },
        1 => Fault::Interrupt {
            after: random.usize(0..3),
        },
        _ => fault(random),
    });
    Some(vec![
        write(workspace, block),
        Step::Run(first),
        Step::Run(plain_run(random, workspace)),
    ])
}

/// Imports into a second address what the first one holds, and destroys one of the two.
fn hold_twice(
    random: &mut Rng,
    workspace: usize,
    configuration: &Configuration,
) -> Option<Vec<Step>> {
    let first = any(random, configuration)?;
    let address = Address::new(first.address.kind, 7);
    let id = match first.address.kind {
        Kind::Product => name(&first)?.to_owned(),
        _ => format!("alpha/{}", name(&first)?),
    };
    let second = Block {
        address,
        ..first.clone()
    };
    let gone = random.choice([address, first.address])?;
    let mut last = plain_run(random, workspace);
    last.skips_refresh = random.u8(0..4) == 0;
    let mut steps = vec![
        write(workspace, second),
        Step::Import {
            workspace,
            address,
            id,
        },
    ];
    steps.extend(removal(workspace, gone, configuration));
    steps.push(Step::Run(last));
    Some(steps)
}

/// Gives two blocks of a kind each other's names.
fn swap_names(
    random: &mut Rng,
    workspace: usize,
    configuration: &Configuration,
) -> Option<Vec<Step>> {
    let mut one = any(random, configuration)?;
    let others = configuration
        .values()
        .filter(|block| block.address.kind == one.address.kind && block.address != one.address);
    let mut other = random.choice(others.collect::<Vec<_>>())?.clone();
    let names = (
        one.arguments.get("name")?.clone(),
        other.arguments.get("name")?.clone(),
    );
    one.arguments.insert("name".to_owned(), names.1);
    other.arguments.insert("name".to_owned(), names.0);
    if random.bool() {
        one.create_before_destroy = true;
        other.create_before_destroy = true;
    }
    Some(vec![
        write(workspace, one),
        write(workspace, other),
        Step::Run(plain_run(random, workspace)),
    ])
}

/// Moves a block to another address, without `moved`.
fn move_to_another_address(
    random: &mut Rng,
    workspace: usize,
    configuration: &Configuration,
) -> Option<Vec<Step>> {
    let former = any(random, configuration)?;
    let moved = Block {
        address: Address::new(former.address.kind, random.u8(3..6)),
        ..former.clone()
    };
    let mut last = plain_run(random, workspace);
    if random.u8(0..3) == 0 {
        last.fault = Some(fault(random));
    }
    let mut steps = removal(workspace, former.address, configuration);
    steps.push(write(workspace, moved));
    steps.push(Step::Run(last));
    Some(steps)
}

/// Lets the other workspace declare the same object.
fn take_the_place_of_another(
    random: &mut Rng,
    workspace: usize,
    configuration: &Configuration,
) -> Option<Vec<Step>> {
    let mut taken = any(random, configuration)?;
    let other = 1 - workspace.min(1);
    for argument in ["product", "code_repo", "project", "projects"] {
        taken.arguments.remove(argument);
    }
    if taken.address.kind != Kind::Product {
        taken.arguments.insert("product".to_owned(), text("alpha"));
    }
    if taken.address.kind == Kind::Binding {
        taken.arguments.insert("code_repo".to_owned(), text("one"));
    }
    let mut last = plain_run(random, other);
    last.targets.insert(taken.address);
    let address = taken.address;
    let mut steps = vec![write(other, taken), Step::Run(last)];
    if random.bool() {
        steps.push(Step::Remove {
            workspace: other,
            address,
        });
        steps.push(Step::Run(plain_run(random, other)));
    }
    Some(steps)
}

/// Destroys, puts the state of before back, and applies or destroys again.
fn destroy_and_roll_back(
    random: &mut Rng,
    workspace: usize,
    configuration: &Configuration,
) -> Option<Vec<Step>> {
    let target = any(random, configuration)?.address;
    let mut destroy = plain_run(random, workspace);
    destroy.command = Command::Destroy;
    destroy.targets.insert(target);
    if random.bool() {
        destroy.fault = Some(fault(random));
    }
    let mut steps = vec![Step::Run(destroy)];
    if random.bool() {
        steps.push(Step::Change(ManualChange::RestoreAll));
    }
    if random.bool() {
        steps.push(Step::Run(plain_run(random, workspace)));
    }
    steps.push(Step::RollBack {
        workspace,
        runs: random.usize(1..3),
    });
    steps.push(Step::Run(run(random, workspace, configuration)));
    Some(steps)
}

/// Changes a block, and lets someone change the same by hand between plan and apply.
fn rename_between(
    random: &mut Rng,
    workspace: usize,
    configuration: &Configuration,
) -> Option<Vec<Step>> {
    let mut block = any_of(random, configuration, Kind::CodeRepo)?;
    let path = format!("alpha/{}", name(&block)?);
    block.arguments.insert(
        "description".to_owned(),
        text(random.choice(["Third", "Fourth"])?),
    );
    let mut last = plain_run(random, workspace);
    last.between = Some(match random.u8(0..4) {
        0 => ManualChange::DescribeProject {
            path,
            text: "Meanwhile".to_owned(),
        },
        1 => ManualChange::RenameProject {
            path,
            name: "meanwhile".to_owned(),
        },
        2 => ManualChange::ArchiveProject { path },
        _ => change(random),
    });
    Some(vec![write(workspace, block), Step::Run(last)])
}

/// Deletes or renames something by hand and puts something else in its place.
fn put_something_else_in_its_place(
    random: &mut Rng,
    workspace: usize,
    configuration: &Configuration,
) -> Option<Vec<Step>> {
    let block = any_of(random, configuration, Kind::CodeRepo)?;
    let path = format!("alpha/{}", name(&block)?);
    let away = if random.bool() {
        ManualChange::DeleteProject { path: path.clone() }
    } else {
        ManualChange::RenameProject {
            path: path.clone(),
            name: "aside".to_owned(),
        }
    };
    let mut steps = vec![
        Step::Change(away),
        Step::Change(ManualChange::CreateProject { path }),
    ];
    if random.bool() {
        steps.extend(edit(random, workspace, configuration));
    }
    steps.push(Step::Run(run(random, workspace, configuration)));
    Some(steps)
}
