//! Counts calls for figures.

use std::collections::BTreeMap;

use testbed::Calls;

const COMMIT: &str = "POST /projects/{id}/repository/commits";

const KEY_LINKS: [&str; 3] = [
    // Creates a key, or enables one of another project that may push at once.
    "POST /projects/{id}/deploy_keys",
    "POST /projects/{id}/deploy_keys/{key_id}/enable",
    // Allows an enabled key to push.
    "PUT /projects/{id}/deploy_keys/{key_id}",
];

/// Counts the commits that were made.
pub(super) fn commits(calls: &Calls) -> usize {
    calls
        .to_route(COMMIT)
        .filter(|call| call.status == Some(201))
        .count()
}

/// Keeps the calls that change nothing.
pub(super) fn reads(calls: &Calls) -> Calls {
    calls.filter(|call| !call.is_write())
}

/// Counts the calls that give a deploy key to a project, or let it push there.
pub(super) fn key_links(calls: &Calls) -> usize {
    KEY_LINKS
        .iter()
        .map(|kind| calls.to_route(kind).count())
        .sum()
}

/// Counts calls to Vault by method and the first segment of the path, as in `500 LIST /git`.
pub(super) fn by_first_segment(calls: &Calls) -> String {
    count_by(calls, |route| {
        let segment = route.split('/').nth(1).unwrap_or_default();
        format!("/{segment}")
    })
}

/// Counts calls by method and route, as in `6 GET /projects/{id}/repository/tree, 1 GET /groups/{id}`.
pub(super) fn by_route(calls: &Calls) -> String {
    count_by(calls, str::to_owned)
}

fn count_by(calls: &Calls, group: impl Fn(&str) -> String) -> String {
    let mut counts = BTreeMap::new();
    for call in calls.as_slice() {
        *counts
            .entry((group(&call.route), &call.method))
            .or_insert(0) += 1;
    }
    let texts: Vec<_> = counts
        .into_iter()
        .map(|((group, method), count)| format!("{count} {method} `{group}`"))
        .collect();
    texts.join(", ")
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
    fn calls_are_counted_by_method_and_route() {
        let calls = Calls::new(vec![
            call("GET", "/b", 200),
            call("GET", "/a", 200),
            call("GET", "/b", 404),
            call("POST", "/b", 201),
        ]);
        assert_eq!(by_route(&calls), "1 GET `/a`, 2 GET `/b`, 1 POST `/b`");
    }

    #[test]
    fn calls_to_vault_are_counted_by_the_first_segment_of_their_path() {
        let calls = Calls::new(vec![
            call("LIST", "/git/metadata/a", 200),
            call("GET", "/sys/mounts", 200),
            call("LIST", "/git/metadata/b", 404),
        ]);
        assert_eq!(by_first_segment(&calls), "2 LIST `/git`, 1 GET `/sys`");
    }

    #[test]
    fn a_refused_commit_does_not_count() {
        let commit = |status| call("POST", "/projects/{id}/repository/commits", status);
        let calls = Calls::new(vec![commit(201), commit(400), call("POST", "/groups", 201)]);
        assert_eq!(commits(&calls), 1);
    }
}
