//! The documentation pages are what the schemas and examples say.
//!
//! With `NAUTES_WRITE_DOCS=1`, which `cargo xtask docs` sets, the pages are written instead of compared.

#![expect(
    clippy::unwrap_used,
    reason = "a program of tests, whose helpers fail as tests do"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use terraform_plugin::docs::{Example, pages};
use terraform_plugin::service::ProviderService;
use terraform_provider_nautes::provider::Nautes;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn examples(folder: &str) -> Vec<Example> {
    let Ok(entries) = fs::read_dir(root().join("examples").join(folder)) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let example = |path: &PathBuf| Example {
        file_name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        text: fs::read_to_string(path).unwrap(),
    };
    files.iter().map(example).collect()
}

fn rendered() -> BTreeMap<String, String> {
    let service = ProviderService::new(Nautes);
    let pages = pages(&service, "nautes", &examples);
    pages
        .into_iter()
        .map(|page| (page.path, page.text))
        .collect()
}

fn committed() -> BTreeMap<String, String> {
    fn collect(folder: &Path, pages: &mut BTreeMap<String, String>) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, pages);
            } else {
                let name = path.strip_prefix(root().join("docs")).unwrap();
                let name = name.to_str().unwrap().replace('\\', "/");
                pages.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut pages = BTreeMap::new();
    collect(&root().join("docs"), &mut pages);
    pages
}

#[test]
fn the_pages_are_what_the_schemas_and_examples_say() {
    let rendered = rendered();
    if std::env::var_os("NAUTES_WRITE_DOCS").is_some() {
        let docs = root().join("docs");
        let _ = fs::remove_dir_all(&docs);
        for (name, text) in &rendered {
            let path = docs.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    let committed = committed();
    let names: Vec<_> = rendered.keys().collect();
    assert_eq!(
        committed.keys().collect::<Vec<_>>(),
        names,
        "run `cargo xtask docs`"
    );
    for (name, text) in rendered {
        assert!(
            committed[&name] == text,
            "docs/{name} is stale: run `cargo xtask docs`"
        );
    }
}

#[test]
fn every_kind_has_an_example_and_every_resource_one_of_its_import() {
    let service = ProviderService::new(Nautes);
    let has = |folder: &str, file: &str| {
        let found = examples(folder)
            .iter()
            .any(|example| example.file_name == file);
        assert!(found, "examples/{folder}/{file} is missing");
    };
    has("provider", "provider.tf");
    for (name, _) in service.registry().resource_schemas() {
        has(&format!("resources/{name}"), "resource.tf");
        has(&format!("resources/{name}"), "import.sh");
        has(&format!("resources/{name}"), "import-by-string-id.tf");
    }
    for (name, _) in service.registry().identity_schemas() {
        has(&format!("resources/{name}"), "import-by-identity.tf");
    }
    for (name, _) in service.registry().data_source_schemas() {
        has(&format!("data-sources/{name}"), "data-source.tf");
    }
}

#[test]
fn the_schemas_keep_terraforms_rules() {
    assert_eq!(ProviderService::new(Nautes).schema_faults(), vec![]);
}
