//! Runs by the real command line, which reads and writes the same states.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use terraform_plugin::value::{Value, from_json, to_json};
use testbed::{Provider, Terraform, Workspace};

use crate::configuration::hcl;
use crate::configuration::{Address, Kind};
use crate::core::{Action, Planned, State, Stored, attributes, value_type};
use crate::fault::Injected;
use crate::record::Record;
use crate::step::{Command, Fault, Run};
use crate::world::{Snapshot, World};

/// Runs the command line.
pub(crate) async fn run<'a>(
    world: &World,
    run: &'a Run,
    before: &mut Snapshot,
) -> anyhow::Result<Record<'a>> {
    let workspace = world.workspaces.get(run.workspace);
    let workspace = workspace.context("the workspace exists")?;
    let terraform = crate::world::blocking(Terraform::obtain)?;
    let provider = Provider::nautes(env!("CARGO_BIN_EXE_terraform-provider-nautes"));
    let folder = Workspace::new(terraform, &provider)?;
    let block = world.provider(run.target, run.role, run.vault_role);
    let text = |pointer: &str| block.pointer(pointer).and_then(Json::as_str).unwrap_or("");
    let mut folder = folder
        .env("NAUTES_GITLAB_URL", text("/gitlab/url"))
        .env("NAUTES_GITLAB_TOKEN", text("/gitlab/token"))
        .env("NAUTES_VAULT_ADDRESS", text("/vault/address"))
        .env("NAUTES_VAULT_TOKEN", text("/vault/token"));
    if !text("/gitlab/parent_group").is_empty() {
        folder.set_env("NAUTES_GITLAB_PARENT_GROUP", text("/gitlab/parent_group"));
    }
    folder.write("provider.tf", &provider.requirement())?;
    let configuration = hcl::render(&workspace.configuration, attributes);
    folder.write("main.tf", &configuration)?;
    let host = terraform.registry_host();
    folder.write(
        "terraform.tfstate",
        &write_state(&workspace.state, host).to_string(),
    )?;

    let mut record = Record {
        run,
        refreshed: workspace.state.clone(),
        changes: Vec::new(),
        is_applied: false,
        was_killed: false,
        state: workspace.state.clone(),
        written: BTreeSet::new(),
        errors: Vec::new(),
        log: vec!["(by the command line)".to_owned()],
    };
    let arguments = plan_arguments(run);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let shown = crate::world::blocking(|| {
        folder.plan_with(&arguments)?;
        folder.show_plan()
    });
    let shown = match shown {
        Ok(shown) => shown,
        Err(error) => {
            record.errors.push(error.to_string());
            return Ok(record);
        }
    };
    record.changes = read_changes(&shown)?;
    record.refreshed = read_refreshed(&workspace.state, &record.changes);
    if run.command == Command::Plan {
        return Ok(record);
    }
    if let Some(change) = &run.between {
        let _ = world.change_manually(change).await;
        *before = world.snapshot().await?;
    }
    let fault = run.fault.filter(|fault| is_answer(*fault));
    let injected = Injected::new(fault, world.server(run.target), &world.proxy)?;
    let applied = crate::world::blocking(|| folder.apply_plan());
    drop(injected);
    record.is_applied = true;
    match applied {
        Ok(_) => {
            let changes = record.changes.iter();
            let written = changes.filter(|change| change.action != Action::NoOp);
            record.written = written.map(|change| change.address).collect();
        }
        Err(error) => record.errors.push(error.to_string()),
    }
    let file = folder.state_file().unwrap_or_default();
    record.state = read_state(&file)?;
    Ok(record)
}

/// Whether a fault is an answer of a server; others would end this process.
const fn is_answer(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::Refuse { .. } | Fault::Lose { .. } | Fault::RefuseVault { .. }
    )
}

fn plan_arguments(run: &Run) -> Vec<String> {
    let mut arguments = vec![format!("-parallelism={}", run.parallelism)];
    if run.command == Command::Destroy {
        arguments.push("-destroy".to_owned());
    }
    if run.skips_refresh {
        arguments.push("-refresh=false".to_owned());
    }
    let targets = run.targets.iter();
    arguments.extend(targets.map(|address| format!("-target={address}")));
    if run.command != Command::Destroy {
        let replaces = run.replaces.iter();
        arguments.extend(replaces.map(|address| format!("-replace={address}")));
    }
    arguments
}

fn write_state(state: &State, host: &str) -> Json {
    let mut resources: BTreeMap<Address, Vec<Json>> = BTreeMap::new();
    for (address, deposed, stored) in state.objects() {
        let dependencies = stored.dependencies.iter().map(ToString::to_string);
        let mut instance = json!({
            "schema_version": 0,
            "attributes": to_json(&stored.value),
            "sensitive_attributes": [],
            "private": STANDARD.encode(&stored.private),
            "dependencies": dependencies.collect::<Vec<_>>(),
        });
        if let Some(object) = instance.as_object_mut() {
            if stored.create_before_destroy {
                object.insert("create_before_destroy".to_owned(), json!(true));
            }
            if stored.is_tainted {
                object.insert("status".to_owned(), json!("tainted"));
            }
            if let Some(key) = deposed {
                object.insert("deposed".to_owned(), json!(key));
            }
        }
        resources.entry(address).or_default().push(instance);
    }
    let resources = resources.into_iter().map(|(address, instances)| {
        json!({
            "mode": "managed",
            "type": address.kind.type_name(),
            "name": format!("b{}", address.label),
            "provider": format!("provider[\"{host}/nautes/nautes\"]"),
            "instances": instances,
        })
    });
    json!({
        "version": 4,
        "terraform_version": "1.6.0",
        "serial": 1,
        "lineage": "4a5e2a4f-5e0d-4a33-8f6c-5a0c51f3a2d1",
        "outputs": {},
        "resources": resources.collect::<Vec<_>>(),
    })
}

fn read_state(text: &str) -> anyhow::Result<State> {
    let mut state = State::default();
    if text.is_empty() {
        return Ok(state);
    }
    let file: Json = serde_json::from_str(text)?;
    for resource in array(&file, "resources") {
        let Some(address) = address(resource) else {
            continue;
        };
        for instance in array(resource, "instances") {
            let stored = read_instance(address.kind, instance)?;
            match instance.get("deposed").and_then(Json::as_str) {
                Some(key) => {
                    state.deposed.insert((address, key.to_owned()), stored);
                }
                None => {
                    state.current.insert(address, stored);
                }
            }
        }
    }
    Ok(state)
}

fn read_instance(kind: Kind, instance: &Json) -> anyhow::Result<Stored> {
    let private = instance.get("private").and_then(Json::as_str);
    let dependencies = array(instance, "dependencies").iter();
    let dependencies = dependencies.filter_map(|text| text.as_str()?.to_owned().try_into().ok());
    let is = |name: &str| instance.get(name) == Some(&json!(true));
    Ok(Stored {
        value: read_value(kind, instance.get("attributes"))?,
        private: STANDARD.decode(private.unwrap_or_default())?.into(),
        // The next read returns it.
        identity: None,
        is_tainted: instance.get("status") == Some(&json!("tainted")),
        dependencies: dependencies.collect(),
        create_before_destroy: is("create_before_destroy"),
    })
}

fn read_value(kind: Kind, json: Option<&Json>) -> anyhow::Result<Value> {
    let text = json.map_or_else(|| "null".to_owned(), Json::to_string);
    from_json(&text, &value_type(kind)).map_err(|error| anyhow::anyhow!("{error}"))
}

fn array<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    let array = json.get(name).and_then(Json::as_array);
    array.map_or(&[], Vec::as_slice)
}

fn address(resource: &Json) -> Option<Address> {
    let part = |name: &str| resource.get(name).and_then(Json::as_str);
    format!("{}.{}", part("type")?, part("name")?)
        .try_into()
        .ok()
}

fn read_changes(shown: &Json) -> anyhow::Result<Vec<Planned>> {
    let mut changes = Vec::new();
    for resource in array(shown, "resource_changes") {
        let Some(address) = address(resource) else {
            continue;
        };
        let Some(change) = resource.get("change") else {
            continue;
        };
        let actions: Vec<_> = array(change, "actions")
            .iter()
            .filter_map(Json::as_str)
            .collect();
        let action = match actions.as_slice() {
            ["create"] => Action::Create,
            ["update"] => Action::Update,
            ["delete"] => Action::Delete,
            ["delete", "create"] => Action::Replace {
                creates_first: false,
            },
            ["create", "delete"] => Action::Replace {
                creates_first: true,
            },
            _ => Action::NoOp,
        };
        let prior = read_value(address.kind, change.get("before"))?;
        let mut value = read_value(address.kind, change.get("after"))?;
        if let Value::Object(attributes) = &mut value {
            for (name, attribute) in attributes {
                let unknown = change.pointer(&format!("/after_unknown/{name}"));
                if unknown == Some(&json!(true)) {
                    *attribute = Value::Unknown;
                }
            }
        }
        let deposed = resource.get("deposed").and_then(Json::as_str);
        changes.push(Planned {
            address,
            deposed: deposed.map(str::to_owned),
            action,
            prior: (!prior.is_null()).then(|| Stored {
                value: prior,
                private: bytes::Bytes::new(),
                identity: None,
                is_tainted: false,
                dependencies: BTreeSet::new(),
                create_before_destroy: false,
            }),
            value,
            proposal: None,
        });
    }
    Ok(changes)
}

/// Returns what the state holds after the refresh, as far as the plan shows it.
fn read_refreshed(state: &State, changes: &[Planned]) -> State {
    let mut refreshed = state.clone();
    for change in changes {
        let slot = (change.address, change.deposed.clone());
        match (&change.prior, slot) {
            (Some(prior), (address, None)) => {
                refreshed.current.insert(address, prior.clone());
            }
            (Some(prior), (address, Some(key))) => {
                refreshed.deposed.insert((address, key), prior.clone());
            }
            (None, (address, None)) => {
                refreshed.current.remove(&address);
            }
            (None, _) => {}
        }
    }
    refreshed
}
