//! The files API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{raw, write};
use crate::support::{TestInstance, creates, file, updates};

#[tokio::test]
async fn s145_file_is_created_updated_and_deleted() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let path = file(&project, "dir/a.txt");
    let shown = json!({ "file_path": "dir/a.txt", "branch": "main" });
    root.post(&path, write("1"))
        .await
        .assert_json(201, shown.clone());
    assert_eq!(raw(&root, &project, "dir/a.txt").await, "1");
    let encoded = json!({
        "branch": "main", "commit_message": "c", "encoding": "base64",
        "content": STANDARD.encode("2"),
    });
    root.put(&path, encoded).await.assert_json(200, shown);
    assert_eq!(raw(&root, &project, "dir/a.txt").await, "2");
    root.delete(&format!("{path}?branch=main&commit_message=c"))
        .await
        .assert_status(204);
    root.get(&format!("{path}?ref=main"))
        .await
        .assert_status(404);
}

#[tokio::test]
async fn s146_file_must_or_must_not_exist() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.post(&file(&project, "README.md"), write("1"))
        .await
        .assert_message(400, "A file with this name already exists");
    let missing = "A file with this name doesn't exist";
    root.put(&file(&project, "nope"), write("1"))
        .await
        .assert_message(400, missing);
    let delete = json!({ "branch": "main", "commit_message": "c" });
    root.delete_with(&file(&project, "nope"), delete)
        .await
        .assert_message(400, missing);
}

#[tokio::test]
async fn s147_update_of_a_changed_file_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let known = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    root.commit(&project, "main", json!([updates("a", "2")]))
        .await;
    let mut update = write("3");
    update["last_commit_id"] = known["id"].clone();
    root.put(&file(&project, "a"), update).await.assert_message(
        400,
        "You are attempting to update a file that has changed since you started editing it.",
    );
}

#[tokio::test]
async fn s148_changes_of_other_files_do_not_matter() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let known = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    root.commit(&project, "main", json!([creates("b", "2")]))
        .await;
    let mut update = write("3");
    update["last_commit_id"] = known["id"].clone();
    root.put(&file(&project, "a"), update)
        .await
        .assert_status(200);
}
