//! Repository reads.

use std::io::Read;

use base64::Engine;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{TestInstance, commits, creates, file, updates};

fn repository(project: &Value, rest: &str) -> String {
    format!("/projects/{}/repository/{rest}", project["id"])
}

#[tokio::test]
async fn s135_reference_is_required_for_metadata_only() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.get(&file(&project, "README.md"))
        .await
        .assert_error(400, "ref is missing");
    let raw = root
        .get(&format!("{}/raw", file(&project, "README.md")))
        .await
        .assert_status(200);
    assert!(raw.text.starts_with("# app"));
    assert_eq!(raw.header("content-type"), "text/plain");
    assert_eq!(
        raw.header("content-disposition"),
        "inline; filename=\"README.md\""
    );
    root.get(&format!("{}?ref=HEAD", file(&project, "README.md")))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn s136_unknown_reference_and_path_have_different_errors() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let get = |path: &str, reference: &str| {
        let (root, path) = (
            root.clone(),
            format!("{}?ref={reference}", file(&project, path)),
        );
        async move { root.get(&path).await }
    };
    get("README.md", "nope")
        .await
        .assert_message(404, "404 Commit Not Found");
    get("nope", "main")
        .await
        .assert_message(404, "404 File Not Found");
}

#[tokio::test]
async fn s137_file_is_shown_with_its_ids_and_content() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let content = "line\n".repeat(100);
    let added = root
        .commit(&project, "main", json!([creates("dir/a.txt", &content)]))
        .await;
    let head = root
        .commit(&project, "main", json!([creates("b.txt", "b")]))
        .await;
    let shown = root
        .get(&format!("{}?ref=main", file(&project, "dir/a.txt")))
        .await
        .ok();
    assert_eq!(shown["file_name"], "a.txt");
    assert_eq!(shown["file_path"], "dir/a.txt");
    assert_eq!(shown["size"], content.len());
    assert_eq!(shown["encoding"], "base64");
    assert_eq!(shown["ref"], "main");
    assert_eq!(shown["execute_filemode"], false);
    assert_eq!(shown["commit_id"], head["id"]);
    assert_eq!(shown["last_commit_id"], added["id"]);
    let digest = gitlab_emulator::domain::token::hex(&Sha256::digest(content.as_bytes()));
    assert_eq!(shown["content_sha256"], digest);
    let encoded = shown["content"].as_str().unwrap();
    assert!(!encoded.contains('\n'));
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap();
    assert_eq!(decoded, content.as_bytes());
    let blob = root
        .get(&repository(
            &project,
            &format!("blobs/{}", text(&shown["blob_id"])),
        ))
        .await;
    assert_eq!(blob.ok()["content"], shown["content"]);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn s138_head_returns_the_same_values_as_headers() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let path = format!("{}?ref=main", file(&project, "README.md"));
    let shown = root.get(&path).await.ok();
    let head = root.head(&path).await.assert_status(200);
    assert!(head.bytes.is_empty());
    for (name, value) in shown.as_object().unwrap() {
        if name == "content" {
            continue;
        }
        let header = head.header(&format!("x-gitlab-{}", name.replace('_', "-")));
        let expected = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(header, expected, "{name}");
    }
}

#[tokio::test]
async fn s139_tree_without_commit_is_not_found() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let empty = root
        .post("/projects", json!({ "name": "empty" }))
        .await
        .created();
    root.get(&repository(&empty, "tree"))
        .await
        .assert_message(404, "404 Tree Not Found");
    root.get(&repository(&project, "tree?ref=nope"))
        .await
        .assert_message(404, "404 Tree Not Found");
    root.get(&repository(&project, "tree?pagination=none"))
        .await
        .assert_status(400);
    let whole = root
        .get(&repository(&project, "tree?pagination=none&recursive=true"))
        .await
        .ok();
    assert_eq!(whole.as_array().unwrap().len(), 1);
    root.get(&repository(&project, "tree?path=nope"))
        .await
        .assert_message(404, "404 invalid revision or path Not Found");
}

#[tokio::test]
async fn s140_tree_supports_keyset_pagination() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let actions: Vec<Value> = (0..25)
        .map(|n| creates(&format!("d{n}/f"), &format!("{n}")))
        .collect();
    root.commit(&project, "main", Value::Array(actions)).await;
    let mut paths = Vec::new();
    let mut next = Some(format!(
        "/api/v4{}",
        repository(
            &project,
            "tree?recursive=true&pagination=keyset&per_page=10"
        )
    ));
    let mut pages = 0;
    while let Some(path) = next.take() {
        let page = root.get(&path).await.assert_status(200);
        pages += 1;
        for entry in page.json.as_array().unwrap() {
            paths.push(text(&entry["path"]).to_owned());
        }
        let link = page.header("link");
        if let Some((url, _)) = link.split_once(">; rel=\"next\"") {
            assert!(url.contains("page_token="));
            next = url
                .trim_start_matches('<')
                .strip_prefix(&gitlab.emulator.url)
                .map(str::to_owned);
        }
    }
    assert_eq!(pages, 6);
    assert_eq!(paths.len(), 51);
    let mut unique = paths.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 51);
}

#[tokio::test]
async fn s141_compare_needs_known_references() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.get(&repository(&project, "compare?from=main&to=nope"))
        .await
        .assert_message(404, "404 Ref Not Found");
    let same = root
        .get(&repository(&project, "compare?from=main&to=main"))
        .await
        .ok();
    assert_eq!(same["compare_same_ref"], true);
    assert_eq!(same["commits"], json!([]));
    let commit = root
        .commit(&project, "main", json!([creates("a", "1\n")]))
        .await;
    let parent = text(&commit["parent_ids"][0]);
    let path = repository(&project, &format!("compare?from={parent}&to=main"));
    let compared = root.get(&path).await.ok();
    assert_eq!(compared["commit"]["id"], commit["id"]);
    assert_eq!(compared["diffs"][0]["new_path"], "a");
    assert_eq!(compared["diffs"][0]["diff"], "@@ -0,0 +1 @@\n+1\n");
    assert_eq!(compared["diffs"][0]["new_file"], true);
}

#[tokio::test]
async fn s142_sixth_archive_in_a_minute_is_too_many() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let other = gitlab.user("ann").await;
    let member = json!({ "user_id": other.id, "access_level": 30 });
    let members = format!("/projects/{}/members", project["id"]);
    let root = gitlab.root();
    root.post(&members, member).await.created();
    let archive = repository(&project, "archive.zip");
    // The minute may end in between.
    let mut responses = Vec::new();
    for _ in 0..12 {
        responses.push(root.get(&archive).await);
    }
    let refused = responses
        .iter()
        .find(|response| response.status != 200)
        .unwrap();
    refused.assert_json(
        429,
        json!({ "message": { "error":
            "This archive has been requested too many times. Try again later." } }),
    );
    let first = responses
        .iter()
        .position(|response| response.status == 429)
        .unwrap();
    assert!(first >= 5);
    other.get(&archive).await.assert_status(200);
    root.delete("/-/emulator/limits").await.assert_status(204);
    root.get(&archive).await.assert_status(200);
}

#[tokio::test]
async fn s143_archive_has_one_folder_named_by_commit() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let commit = root
        .commit(
            &project,
            "main",
            json!([creates("dir/a", "1"), creates("b", "2")]),
        )
        .await;
    root.get(&repository(&project, "archive?sha=nope"))
        .await
        .assert_message(404, "404 File Not Found");
    let archive = root
        .get(&repository(&project, "archive.tar.gz?sha=main"))
        .await
        .assert_status(200);
    let folder = format!("app-main-{}", text(&commit["id"]));
    let disposition = format!("attachment; filename=\"{folder}.tar.gz\"");
    assert_eq!(archive.header("content-disposition"), disposition);
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive.bytes.as_slice()));
    let mut files = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut content = String::new();
        if entry.header().entry_type().is_file() {
            entry.read_to_string(&mut content).unwrap();
            files.push((path, content));
        }
    }
    assert_eq!(files.len(), 3);
    assert!(files.contains(&(format!("{folder}/dir/a"), "1".to_owned())));

    let part = root
        .get(&repository(&project, "archive.zip?path=dir"))
        .await
        .assert_status(200);
    let zip = zip::ZipArchive::new(std::io::Cursor::new(part.bytes)).unwrap();
    let names: Vec<String> = zip
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .filter(|name| !name.ends_with('/'))
        .collect();
    assert_eq!(names, [format!("{folder}-dir/dir/a")]);
}

#[tokio::test]
async fn s144_commits_have_no_total_and_empty_repository_is_configurable() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let list = root.get(&commits(&project)).await.assert_status(200);
    assert_eq!(list.header("x-total"), "");
    let empty = root
        .post("/projects", json!({ "name": "empty" }))
        .await
        .created();
    assert_eq!(root.get(&commits(&empty)).await.ok(), json!([]));
    gitlab
        .emulator
        .update_switches(|switches| switches.empty_repository_has_no_commits_list = true);
    root.get(&commits(&empty))
        .await
        .assert_message(404, "404 Repository Not Found");
}

#[tokio::test]
async fn commits_are_listed_by_path_and_time() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let one = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    root.commit(&project, "main", json!([creates("dir/b", "1")]))
        .await;
    let three = root
        .commit(&project, "main", json!([updates("a", "2")]))
        .await;
    let of_a = root
        .get(&format!("{}?path=a", commits(&project)))
        .await
        .ok();
    let ids: Vec<&Value> = of_a
        .as_array()
        .unwrap()
        .iter()
        .map(|commit| &commit["id"])
        .collect();
    assert_eq!(ids, [&three["id"], &one["id"]]);
    let of_folder = root
        .get(&format!("{}?path=dir", commits(&project)))
        .await
        .ok();
    assert_eq!(of_folder.as_array().unwrap().len(), 1);
    let none = root
        .get(&format!("{}?since=2999-01-01T00:00:00Z", commits(&project)))
        .await
        .ok();
    assert_eq!(none, json!([]));
    let detail = root.get(&format!("{}/main", commits(&project))).await.ok();
    assert_eq!(
        detail["stats"],
        json!({ "additions": 1, "deletions": 1, "total": 2 })
    );
    let diff = root
        .get(&format!("{}/main/diff", commits(&project)))
        .await
        .ok();
    assert_eq!(diff[0]["old_path"], "a");
    let refs = root
        .get(&format!("{}/{}/refs", commits(&project), text(&one["id"])))
        .await
        .ok();
    assert_eq!(refs, json!([{ "type": "branch", "name": "main" }]));
    root.get(&format!("{}/nope", commits(&project)))
        .await
        .assert_message(404, "404 Commit Not Found");
}

#[tokio::test]
async fn events_include_pushes() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let commit = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    let events = root
        .get(&format!("/projects/{}/events", project["id"]))
        .await
        .ok();
    assert_eq!(events[0]["action_name"], "pushed to");
    assert_eq!(events[0]["push_data"]["commit_to"], commit["id"]);
    assert_eq!(events[0]["push_data"]["ref"], "main");
    let own = root.get("/events").await.ok();
    assert_eq!(own[0]["id"], events[0]["id"]);
    let created = events.as_array().unwrap().last().unwrap();
    assert_eq!(created["action_name"], "created");
}

#[tokio::test]
async fn merge_base_is_the_common_ancestor() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let fork = root.get(&format!("{}/main", commits(&project))).await.ok();
    let aside = json!({
        "branch": "aside", "start_branch": "main", "commit_message": "c",
        "actions": [creates("b", "1")],
    });
    root.post(&commits(&project), aside).await.created();
    root.commit(&project, "main", json!([creates("a", "1")]))
        .await;
    let base = root
        .get(&repository(&project, "merge_base?refs[]=main&refs[]=aside"))
        .await
        .ok();
    assert_eq!(base["id"], fork["id"]);
}
