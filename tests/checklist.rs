//! The checklist names tests that exist.

use std::fs;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    match name.split('/').next() {
        Some("framework" | "process") => root.join("crates/terraform-plugin/tests").join(name),
        Some("xtask") => root.join(name),
        _ => root.join("tests").join(name),
    }
}

#[test]
fn every_test_in_the_checklist_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checklist = fs::read_to_string(root.join("design/checklist.md")).unwrap();
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
                source = fs::read_to_string(file(quoted)).unwrap();
            } else {
                assert!(
                    source.contains(&format!("fn {quoted}()")),
                    "{quoted} is in no file"
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "only {checked} tests are named");
}
