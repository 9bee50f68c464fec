//! The README, which is also the first page of the documentation.

use std::path::Path;

/// Returns the labels and targets of link definitions: lines of `[label]: target`.
fn definitions(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().map(|line| line.trim_start_matches("//! "));
    lines
        .filter_map(|line| line.strip_prefix('[')?.split_once("]: "))
        .collect()
}

#[test]
fn every_link_of_the_readme_leads_somewhere_in_the_repository_and_in_the_documentation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let library = std::fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let relative = readme
        .match_indices("](")
        .map(|(start, _)| &readme[start..]);
    let relative: Vec<_> = relative
        .filter(|link| !link.starts_with("](http"))
        .collect();
    assert!(
        relative.is_empty(),
        "links to files need a label: {relative:?}"
    );
    let links = definitions(&readme);
    assert_eq!(links.len(), 8);
    for (label, target) in links {
        assert!(root.join(target).exists(), "{target} does not exist");
        // rustdoc checks that the items exist.
        let definition = format!("[{label}]: crate::");
        assert!(
            library.contains(&definition),
            "{label} has no item in the documentation"
        );
    }
}
