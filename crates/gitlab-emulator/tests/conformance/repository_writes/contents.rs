//! Contents of commits: paths, modes, bodies, authors.

use serde_json::{Value, json};

use super::{commit_with, raw};
use crate::support::{TestInstance, commits, creates, file, updates};

#[tokio::test]
async fn s170_illegal_paths_are_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    for (path, text) in [
        (".git/x", "invalid path: '.git/x'"),
        ("a//b", "invalid path: 'a//b'"),
        ("../x", "Path cannot include directory traversal"),
    ] {
        root.try_commit(&project, "main", json!([creates(path, "1")]))
            .await
            .assert_message(400, text);
    }
}

#[tokio::test]
async fn s171_executable_bit_is_set_by_create_and_chmod_only() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let mode = || async {
        let tree = format!("/projects/{}/repository/tree", project["id"]);
        let tree = root.get(&tree).await.ok();
        let entry = tree
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["name"] == "run");
        entry.unwrap()["mode"].as_str().unwrap().to_owned()
    };
    let with = |mut action: Value, flag: bool| {
        action["execute_filemode"] = json!(flag);
        json!([action])
    };
    root.commit(&project, "main", with(creates("run", "1"), true))
        .await;
    assert_eq!(mode().await, "100755");
    root.commit(&project, "main", with(updates("run", "2"), false))
        .await;
    assert_eq!(mode().await, "100755");
    let chmod = json!({ "action": "chmod", "file_path": "run" });
    root.commit(&project, "main", with(chmod.clone(), false))
        .await;
    assert_eq!(mode().await, "100644");
    root.commit(&project, "main", with(chmod, true)).await;
    assert_eq!(mode().await, "100755");
}

#[tokio::test(flavor = "multi_thread")]
async fn s172_large_bodies_are_rate_limited() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    // Large bodies are counted before they are validated, so actions are not needed.
    let padding = "x".repeat(20 * 1024 * 1024);
    let body = json!({ "branch": "main", "commit_message": "c", "padding": padding }).to_string();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let response = root
            .post_raw(
                &commits(&project),
                "application/json",
                body.clone().into_bytes(),
            )
            .await;
        statuses.push(response.status);
        if response.status == 429 {
            let text = "This endpoint has been requested too many times. Try again later.";
            assert_eq!(response.json, json!({ "message": { "error": text } }));
            break;
        }
    }
    assert!(statuses.len() >= 4, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
    assert!(statuses.iter().rev().skip(1).all(|status| *status == 400));
    let body = vec![b' '; 300 * 1024 * 1024 + 1];
    root.post_raw(&commits(&project), "application/json", body)
        .await
        .assert_status(413);
}

#[tokio::test]
async fn s173_malformed_json_is_reported_twice() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.post_raw(
        &commits(&project),
        "application/json",
        b"{nonsense".to_vec(),
    )
    .await
    .assert_json(
        400,
        json!({ "message": "Invalid json", "error": "Invalid json" }),
    );
    root.post_raw(&commits(&project), "text/plain", b"x".to_vec())
        .await
        .assert_message(
            400,
            "400 Bad request - Unsupported Content-Type: text/plain",
        );
}

#[tokio::test]
async fn s174_unchanged_content_still_creates_a_commit() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let one = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    let two = root
        .commit(&project, "main", json!([updates("a", "1")]))
        .await;
    assert_eq!(two["parent_ids"], json!([one["id"]]));
    assert_eq!(two["stats"]["total"], 0);
}

#[tokio::test]
async fn s175_committer_is_the_user_and_author_can_be_another() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let maintainer = gitlab.member("ann", &project, 40).await;
    let more = json!({ "author_name": "Bob", "author_email": "bob@example.com" });
    let commit = commit_with(&maintainer, &project, more).await.created();
    assert_eq!(commit["author_name"], "Bob");
    assert_eq!(commit["author_email"], "bob@example.com");
    assert_eq!(commit["committer_name"], "ann");
    assert_eq!(commit["committer_email"], "ann@example.com");
    assert_eq!(commit["authored_date"], commit["committed_date"]);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let written =
        gitlab_emulator::domain::time::Moment::parse(commit["committed_date"].as_str().unwrap());
    let age = i64::try_from(now.as_secs()).unwrap() - written.unwrap().seconds();
    assert!((0..60).contains(&age), "{age}");
}

#[tokio::test]
async fn commits_accept_forms() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let form = "branch=main&commit_message=c&actions[][action]=create&actions[][file_path]=a\
        &actions[][content]=1&actions[][action]=create&actions[][file_path]=b&actions[][content]=2";
    let kind = "application/x-www-form-urlencoded";
    root.post_raw(&commits(&project), kind, form.as_bytes().to_vec())
        .await
        .assert_status(201);
    assert_eq!(raw(&root, &project, "b").await, "2");
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"branch\"\r\n\r\nmain\r\n\
        --x\r\nContent-Disposition: form-data; name=\"commit_message\"\r\n\r\nc\r\n\
        --x\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\n3\r\n--x--\r\n";
    let kind = "multipart/form-data; boundary=x";
    root.post_raw(&file(&project, "c"), kind, multipart.as_bytes().to_vec())
        .await
        .assert_status(201);
    assert_eq!(raw(&root, &project, "c").await, "3");
}

#[tokio::test]
async fn folders_disappear_with_their_last_file() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.commit(
        &project,
        "main",
        json!([creates("a/b/c", "1"), creates("a/d", "2")]),
    )
    .await;
    let delete = |path: &str| json!([{ "action": "delete", "file_path": path }]);
    root.commit(&project, "main", delete("a/b/c")).await;
    let tree = format!("/projects/{}/repository/tree", project["id"]);
    let below = root.get(&format!("{tree}?path=a")).await.ok();
    assert_eq!(below.as_array().unwrap().len(), 1);
    root.commit(&project, "main", delete("a")).await;
    root.commit(&project, "main", delete("README.md")).await;
    assert_eq!(root.get(&tree).await.ok(), json!([]));
}

#[tokio::test]
async fn trailers_are_parsed_from_the_message() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let more = json!({ "commit_message": "change\n\nwhy\n\nChange-Id: 1\nChange-Id: 2\n" });
    let commit = commit_with(&root, &project, more).await.created();
    assert_eq!(commit["title"], "change");
    assert_eq!(commit["trailers"], json!({ "Change-Id": "2" }));
    assert_eq!(
        commit["extended_trailers"],
        json!({ "Change-Id": ["1", "2"] })
    );
}
