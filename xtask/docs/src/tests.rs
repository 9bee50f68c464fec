use super::*;

/// Reads the committed pages.
fn committed() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut folders = vec![docs()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder).unwrap() {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(docs()).unwrap().to_str().unwrap();
                pages.insert(name.replace('\\', "/"), read(&path).unwrap());
            }
        }
    }
    pages
}

#[test]
fn the_pages_are_what_the_schemas_and_examples_say() {
    let rendered = render().unwrap();
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
            .unwrap()
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
fn every_file_that_the_guide_names_is_among_the_examples() {
    let pages = render().unwrap();
    assert!(!pages["index.md"].contains("{{"));
}

/// Reads all Rust files below a folder of the workspace, with their white space reduced to single spaces.
fn source(folder: &str) -> String {
    let mut text = String::new();
    let mut folders = vec![workspace().join(folder)];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder).unwrap() {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.extend(
                    read(&path)
                        .unwrap()
                        .split_whitespace()
                        .flat_map(|word| [word, " "]),
                );
            }
        }
    }
    text
}

#[test]
fn the_guide_explains_messages_that_the_provider_gives() {
    let folders = [
        "src",
        "crates/nautes-model/src",
        "crates/terraform-plugin/src",
    ];
    let source = folders.map(source).concat();
    let guide = read(&workspace().join("examples/provider/guide.md")).unwrap();
    let (_, section) = guide.split_once("## Troubleshooting").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let messages = rows.map(|row| row.split_once(" | ").unwrap().0);
    let quoted = messages.flat_map(|messages| messages.split('`').step_by(2));
    let parts = quoted.flat_map(|message| message.split('…').map(str::trim));
    let mut count = 0;
    for part in parts.filter(|part| !part.is_empty()) {
        assert!(
            source.contains(part),
            "no message of the provider has `{part}`"
        );
        count += 1;
    }
    assert!(count > 20, "only {count} parts of messages were found");
}

#[test]
fn the_schemas_keep_terraforms_rules() {
    assert_eq!(ProviderService::new(Nautes).schema_faults(), vec![]);
}
