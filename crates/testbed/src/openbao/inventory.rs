//! The content of a server, to compare before and after.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::server::Server;
use crate::Error;

/// The content of a server by name: mounts, auth mounts with their roles, policies with their text,
/// and secrets with their current version, but not their values.
pub type Inventory = BTreeMap<String, String>;

/// Takes the inventory of a server.
pub(super) fn take(server: &Server) -> Result<Inventory, Error> {
    let mut found = Inventory::new();
    for (mount, engine) in data(server, "sys/mounts")? {
        let kind = text(&engine, "/type");
        if kind == "kv" && text(&engine, "/options/version") == "2" {
            secrets(server, &mut found, &mount, "")?;
        }
        found.insert(format!("mount {mount}"), kind);
    }
    for (mount, method) in data(server, "sys/auth")? {
        for role in names(server, &format!("auth/{mount}role"))? {
            let role = format!("auth/{mount}role/{role}");
            let settings = server.api(Method::GET, &role, None)?;
            let settings = settings.pointer("/data").map(Value::to_string);
            found.insert(role, settings.unwrap_or_default());
        }
        found.insert(format!("auth {mount}"), text(&method, "/type"));
    }
    for policy in names(server, "sys/policies/acl")? {
        let path = format!("sys/policies/acl/{policy}");
        let content = server.api(Method::GET, &path, None)?;
        found.insert(format!("policy {policy}"), text(&content, "/data/policy"));
    }
    Ok(found)
}

fn secrets(server: &Server, found: &mut Inventory, mount: &str, folder: &str) -> Result<(), Error> {
    for name in names(server, &format!("{mount}metadata/{folder}"))? {
        let path = format!("{folder}{name}");
        if name.ends_with('/') {
            secrets(server, found, mount, &path)?;
            continue;
        }
        let metadata = server.api(Method::GET, &format!("{mount}metadata/{path}"), None)?;
        let version = metadata
            .pointer("/data/current_version")
            .map(Value::to_string);
        let version = version.unwrap_or_default();
        found.insert(
            format!("secret {mount}{path}"),
            format!("version {version}"),
        );
    }
    Ok(())
}

/// Lists the names at a path; empty if the path does not exist.
fn names(server: &Server, path: &str) -> Result<Vec<String>, Error> {
    let listed = server.api_if_found(Method::GET, &format!("{path}?list=true"))?;
    let keys = listed
        .as_ref()
        .and_then(|listed| listed.pointer("/data/keys"));
    let keys = keys.and_then(Value::as_array).into_iter().flatten();
    Ok(keys.filter_map(Value::as_str).map(str::to_owned).collect())
}

fn data(server: &Server, path: &str) -> Result<Vec<(String, Value)>, Error> {
    let answer = server.api(Method::GET, path, None)?;
    let entries = answer.pointer("/data").and_then(Value::as_object).cloned();
    Ok(entries.unwrap_or_default().into_iter().collect())
}

fn text(value: &Value, pointer: &str) -> String {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
