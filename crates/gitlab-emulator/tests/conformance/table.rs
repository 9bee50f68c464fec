//! Compares the README's tables with the existing tests.

use std::collections::BTreeMap;

const README: &str = include_str!("../../README.md");
const SOURCES: [&str; 18] = [
    include_str!("access_tokens.rs"),
    include_str!("auth_and_transport.rs"),
    include_str!("branches_and_protection.rs"),
    include_str!("deploy_key_actors.rs"),
    include_str!("deploy_keys.rs"),
    include_str!("groups.rs"),
    include_str!("hook_health.rs"),
    include_str!("hooks_members_deploy_tokens.rs"),
    include_str!("identity_and_visibility.rs"),
    include_str!("limits_pages_git.rs"),
    include_str!("names_and_roles.rs"),
    include_str!("projects.rs"),
    include_str!("repository_reads.rs"),
    include_str!("repository_writes/commits.rs"),
    include_str!("repository_writes/contents.rs"),
    include_str!("repository_writes/files.rs"),
    include_str!("repository_writes/races.rs"),
    include_str!("roles_and_life_cycles.rs"),
];
const STATEMENTS: u32 = 258;

/// Returns the tests by statement.
fn tests() -> BTreeMap<u32, String> {
    let mut tests = BTreeMap::new();
    for line in SOURCES.iter().flat_map(|source| source.lines()) {
        let Some(name) = line
            .split("fn s")
            .nth(1)
            .and_then(|rest| rest.split('(').next())
        else {
            continue;
        };
        let Some(number) = name.get(..3).and_then(|digits| digits.parse().ok()) else {
            continue;
        };
        let other = tests.insert(number, format!("s{name}"));
        assert_eq!(other, None, "two tests of statement {number}");
    }
    tests
}

#[test]
fn readme_lists_every_statement_with_its_test() {
    let tests = tests();
    let mut rows = BTreeMap::new();
    for line in README.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let Some(number) = cells.get(1).and_then(|cell| cell.parse::<u32>().ok()) else {
            continue;
        };
        let test = cells[cells.len() - 2].trim_matches('`').to_owned();
        assert_eq!(
            rows.insert(number, test),
            None,
            "two rows of statement {number}"
        );
    }
    let numbers: Vec<u32> = rows.keys().copied().collect();
    assert_eq!(numbers, (1..=STATEMENTS).collect::<Vec<u32>>());
    for (number, test) in &rows {
        match tests.get(number) {
            Some(name) => assert_eq!(test, name, "statement {number}"),
            None => assert!(
                test.starts_with("left out: "),
                "statement {number} has no test"
            ),
        }
    }
    for number in tests.keys() {
        assert!(rows.contains_key(number), "statement {number} has no row");
    }
}
