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
fn the_schemas_keep_terraforms_rules() {
    assert_eq!(ProviderService::new(Nautes).schema_faults(), vec![]);
}
