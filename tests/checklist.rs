//! The checklist and the safety rules name tests that exist.

use std::fs;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    match name.split('/').next() {
        Some("framework" | "process") => root.join("crates/terraform-plugin/tests").join(name),
        Some("xtask" | "src") => root.join(name),
        _ => root.join("tests").join(name),
    }
}

#[test]
fn every_test_in_the_checklist_exists() {
    let checked = check("design/checklist.md").unwrap();
    assert!(checked > 30, "only {checked} tests are named");
}

#[test]
fn every_test_of_the_safety_rules_exists() {
    let checked = check("design/safety.md").unwrap();
    assert!(checked > 30, "only {checked} tests are named");
}

/// Checks that the tests in the tables of a page exist, and returns how many they are.
fn check(page: &str) -> std::io::Result<usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checklist = fs::read_to_string(root.join(page))?;
    let mut checked = 0;
    let rows = checklist
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.rsplit_once(" | "));
    for (_, tests) in rows {
        let mut source = String::new();
        for quoted in tests.split('`').skip(1).step_by(2) {
            if Path::new(quoted)
                .extension()
                .is_some_and(|extension| extension == "rs")
            {
                source = fs::read_to_string(file(quoted))?;
            } else {
                assert!(
                    source.contains(&format!("fn {quoted}(")),
                    "{quoted} is in no file"
                );
                checked += 1;
            }
        }
    }
    Ok(checked)
}
