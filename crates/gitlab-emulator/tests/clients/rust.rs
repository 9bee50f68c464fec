//! The crate `gitlab`, with its own client and endpoints.

use gitlab::api::projects::repository::commits::{CommitAction, CommitActionType, CreateCommit};
use gitlab::api::projects::repository::files::{FileRaw, UpdateFile};
use gitlab::api::projects::repository::{Tree, branches};
use gitlab::api::projects::{access_tokens, deploy_keys, hooks, protected_branches};
use gitlab::api::{self, ApiError, AsyncQuery, Pagination, groups, projects, users};
use gitlab::{AsyncGitlab, GitlabBuilder};
use gitlab_emulator::Emulator;
use serde_json::Value;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt";

async fn client(emulator: &Emulator) -> AsyncGitlab {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let host = emulator.url.trim_start_matches("http://");
    let mut builder = GitlabBuilder::new(host, emulator.root_token.as_str());
    builder.insecure().build_async().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn crate_gitlab_works_unchanged() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator).await;
    let user: Value = users::CurrentUser::builder()
        .build()
        .unwrap()
        .query_async(&client)
        .await
        .unwrap();
    assert_eq!(user["username"], "root");

    let group = groups::CreateGroup::builder()
        .name("platform")
        .path("platform")
        .build()
        .unwrap();
    let group: Value = group.query_async(&client).await.unwrap();
    let again = groups::CreateGroup::builder()
        .name("other")
        .path("platform")
        .build()
        .unwrap();
    let refused: Result<Value, _> = again.query_async(&client).await;
    let Err(ApiError::GitlabWithStatus { status, msg }) = refused else {
        panic!("a taken path was not refused by a text: {refused:?}")
    };
    assert_eq!(status.as_u16(), 400);
    assert_eq!(
        msg,
        r#"Failed to save group {:path=>["has already been taken"]}"#
    );

    let project = projects::CreateProject::builder()
        .name("app")
        .namespace_id(group["id"].as_u64().unwrap())
        .initialize_with_readme(true)
        .build()
        .unwrap();
    let project: Value = project.query_async(&client).await.unwrap();
    let id = project["id"].as_u64().unwrap();
    let same: Value = projects::Project::builder()
        .project("platform/app")
        .build()
        .unwrap()
        .query_async(&client)
        .await
        .unwrap();
    assert_eq!(same["id"], project["id"]);

    write(&client, id).await;
    administer(&client, id).await;

    let delete = projects::DeleteProject::builder()
        .project(id)
        .build()
        .unwrap();
    api::ignore(delete).query_async(&client).await.unwrap();
    let marked: Value = projects::Project::builder()
        .project(id)
        .build()
        .unwrap()
        .query_async(&client)
        .await
        .unwrap();
    assert!(marked["marked_for_deletion_on"].is_string());
}

async fn write(client: &AsyncGitlab, id: u64) {
    let actions = (0..120).map(|number| {
        CommitAction::builder()
            .action(CommitActionType::Create)
            .file_path(format!("dir/{number:03}.txt"))
            .content(number.to_string().into_bytes())
            .build()
            .unwrap()
    });
    let commit = CreateCommit::builder()
        .project(id)
        .branch("main")
        .commit_message("add files")
        .actions(actions)
        .build()
        .unwrap();
    let commit: Value = commit.query_async(client).await.unwrap();
    assert_eq!(commit["stats"]["additions"], 120);

    let tree = Tree::builder()
        .project(id)
        .path("dir")
        .recursive(true)
        .build()
        .unwrap();
    let entries: Vec<Value> = api::paged(tree, Pagination::All)
        .query_async(client)
        .await
        .unwrap();
    assert_eq!(entries.len(), 120);

    let update = UpdateFile::builder()
        .project(id)
        .branch("main")
        .file_path("dir/007.txt")
        .commit_message("spell it")
        .content(b"seven")
        .last_commit_id(commit["id"].as_str().unwrap())
        .build()
        .unwrap();
    api::ignore(update).query_async(client).await.unwrap();
    let raw = FileRaw::builder()
        .project(id)
        .file_path("dir/007.txt")
        .ref_("main")
        .build()
        .unwrap();
    assert_eq!(api::raw(raw).query_async(client).await.unwrap(), b"seven");

    let branch = branches::CreateBranch::builder()
        .project(id)
        .branch("feature/x")
        .ref_("main")
        .build()
        .unwrap();
    let branch: Value = branch.query_async(client).await.unwrap();
    assert_eq!(branch["name"], "feature/x");
}

async fn administer(client: &AsyncGitlab, id: u64) {
    let key = deploy_keys::CreateDeployKey::builder()
        .project(id)
        .title("ci")
        .key(KEY)
        .can_push(true)
        .build()
        .unwrap();
    let key: Value = key.query_async(client).await.unwrap();
    assert_eq!(key["can_push"], true);

    let hook = hooks::CreateHook::builder()
        .project(id)
        .url("https://hooks.example.com/x")
        .push_events(true)
        .build()
        .unwrap();
    let hook: Value = hook.query_async(client).await.unwrap();
    assert_eq!(hook["enable_ssl_verification"], true);

    let token = access_tokens::CreateProjectAccessToken::builder()
        .project(id)
        .name("flux")
        .scope(access_tokens::ProjectAccessTokenScope::ReadRepository)
        .build()
        .unwrap();
    let token: Value = token.query_async(client).await.unwrap();
    assert!(token["token"].as_str().unwrap().starts_with("glpat-"));

    let protection = protected_branches::ProtectBranch::builder()
        .project(id)
        .name("release/*")
        .build()
        .unwrap();
    let protection: Value = protection.query_async(client).await.unwrap();
    assert_eq!(protection["name"], "release/*");
}
