//! Repository writes.

mod commits;
mod contents;
mod files;
mod races;

use serde_json::{Value, json};

use crate::support::{Client, Response, commits, creates, file, merge};

pub(crate) fn write(content: &str) -> Value {
    json!({ "branch": "main", "commit_message": "change", "content": content })
}

pub(crate) async fn raw(client: &Client, project: &Value, path: &str) -> String {
    client
        .get(&format!("{}/raw?ref=main", file(project, path)))
        .await
        .assert_status(200)
        .text
}

pub(crate) async fn head(client: &Client, project: &Value, branch: &str) -> Value {
    let branch = branch.replace('/', "%2F");
    client
        .get(&format!("{}/{branch}", commits(project)))
        .await
        .ok()["id"]
        .clone()
}

/// Creates a commit with more parameters than branch, message and actions.
pub(crate) async fn commit_with(client: &Client, project: &Value, more: Value) -> Response {
    let mut commit = json!({
        "branch": "main", "commit_message": "change", "actions": [creates("new", "1")],
    });
    merge(&mut commit, more);
    client.post(&commits(project), commit).await
}
