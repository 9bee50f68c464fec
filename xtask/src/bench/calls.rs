//! Calls as figures.

use std::collections::BTreeMap;

use testbed::Calls;

const COMMIT: &str = "POST /projects/{id}/repository/commits";

const KEY_LINKS: [&str; 2] = [
    "POST /projects/{id}/deploy_keys/{key_id}/enable",
    // Allows an enabled key to push.
    "PUT /projects/{id}/deploy_keys/{key_id}",
];

/// How many commits were made.
pub(super) fn commits(calls: &Calls) -> usize {
    calls
        .of(COMMIT)
        .only(|call| call.status == Some(201))
        .count()
}

/// Those that change nothing.
pub(super) fn reads(calls: &Calls) -> Calls {
    calls.only(|call| !call.is_write())
}

/// How many enable the deploy key of one project on another, or let it push there.
pub(super) fn key_links(calls: &Calls) -> usize {
    KEY_LINKS.iter().map(|kind| calls.of(kind).count()).sum()
}

/// The calls of Vault by method and the first part of their path, such as 500 LIST `/git`.
pub(super) fn folders(calls: &Calls) -> String {
    let mut counts = BTreeMap::new();
    for call in calls.as_slice() {
        let folder = call.route.split('/').nth(1).unwrap_or_default();
        *counts.entry((folder, &call.method)).or_insert(0) += 1;
    }
    let folders: Vec<_> = counts
        .into_iter()
        .map(|((folder, method), count)| format!("{count} {method} `/{folder}`"))
        .collect();
    folders.join(", ")
}

/// The calls by kind, such as `6 GET /projects/{id}/repository/tree, 1 GET /groups/{id}`.
pub(super) fn kinds(calls: &Calls) -> String {
    let mut counts = BTreeMap::new();
    for call in calls.as_slice() {
        *counts.entry((&call.route, &call.method)).or_insert(0) += 1;
    }
    let kinds: Vec<_> = counts
        .into_iter()
        .map(|((route, method), count)| format!("{count} {method} `{route}`"))
        .collect();
    kinds.join(", ")
}

#[cfg(test)]
mod tests {
    use testbed::Call;

    use super::*;

    fn call(method: &str, route: &str, status: u16) -> Call {
        Call {
            number: 1,
            method: method.to_owned(),
            path: String::new(),
            route: route.to_owned(),
            query: String::new(),
            status: Some(status),
        }
    }

    #[test]
    fn calls_are_counted_by_kind() {
        let calls = Calls::new(vec![
            call("GET", "/b", 200),
            call("GET", "/a", 200),
            call("GET", "/b", 404),
            call("POST", "/b", 201),
        ]);
        assert_eq!(kinds(&calls), "1 GET `/a`, 2 GET `/b`, 1 POST `/b`");
    }

    #[test]
    fn calls_of_vault_are_counted_by_the_first_part_of_their_path() {
        let calls = Calls::new(vec![
            call("LIST", "/git/metadata/a", 200),
            call("GET", "/sys/mounts", 200),
            call("LIST", "/git/metadata/b", 404),
        ]);
        assert_eq!(folders(&calls), "2 LIST `/git`, 1 GET `/sys`");
    }

    #[test]
    fn a_commit_that_was_refused_is_none() {
        let commit = |status| call("POST", "/projects/{id}/repository/commits", status);
        let calls = Calls::new(vec![commit(201), commit(400), call("POST", "/groups", 201)]);
        assert_eq!(commits(&calls), 1);
    }
}
