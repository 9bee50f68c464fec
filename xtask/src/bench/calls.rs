//! Calls as figures.

use std::collections::BTreeMap;

use testbed::Calls;

const COMMIT: &str = "POST /projects/{id}/repository/commits";

/// How many commits were made.
pub(super) fn commits(calls: &Calls) -> usize {
    calls
        .of(COMMIT)
        .only(|call| call.status == Some(201))
        .count()
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
    fn a_commit_that_was_refused_is_none() {
        let commit = |status| call("POST", "/projects/{id}/repository/commits", status);
        let calls = Calls::new(vec![commit(201), commit(400), call("POST", "/groups", 201)]);
        assert_eq!(commits(&calls), 1);
    }
}
