//! The components against the install manifests of their projects.
//!
//! The manifests are in the folder `shared/components` beside the checkout, and are not part of the project. Tests that
//! need them prove nothing where they are not there.

mod api_server;
mod built_in;
mod fetch;
mod manifests;
mod readiness;
mod vcluster;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use kubernetes_apply::object::{Object, parse_yaml_like_kubectl};

use super::manifest::Manifest;
use super::{ComponentError, Images, Installation, Settings};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/components")
}

/// Whether the manifests are beside the checkout.
fn manifests_are_there() -> bool {
    folder().is_dir()
}

/// Reads a manifest of a project.
fn upstream(file: &str) -> String {
    let file = folder().join(file);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Returns the objects of a manifest of a project, which is parsed once for all tests.
fn shipped(file: &'static str) -> Vec<Object> {
    static PARSED: Mutex<BTreeMap<&str, Vec<Object>>> = Mutex::new(BTreeMap::new());
    let parse = || parse_yaml_like_kubectl(&upstream(file)).unwrap();
    let mut parsed = PARSED.lock().unwrap();
    parsed.entry(file).or_insert_with(parse).clone()
}

fn installation(settings: Settings) -> Installation {
    Installation {
        version: settings.component().default_version(),
        settings,
        images: Images::default(),
    }
}

/// Builds the objects of a component from a manifest of its project.
fn customise(
    installation: &Installation,
    file: &'static str,
) -> Result<Vec<Object>, ComponentError> {
    let component = installation.settings.component();
    let objects = shipped(file).into_iter().map(Object::into_json);
    let objects = objects.collect();
    installation.customise(Manifest { component, objects })
}

fn find<'o>(objects: &'o [Object], kind: &str, name: &str) -> Option<&'o Object> {
    objects.iter().find(|object| {
        let reference = object.reference();
        reference.kind.kind == kind && reference.name == name
    })
}

fn get<'o>(objects: &'o [Object], kind: &str, name: &str) -> &'o Object {
    find(objects, kind, name).unwrap_or_else(|| panic!("no {kind} {name}"))
}
