//! The verbs against an emulated GitLab.

use std::time::Duration;

use gitlab_emulator::{Emulator, HashStyle};
use http::Method;
use serde_json::json;

use super::super::json_endpoint::JsonEndpoint;
use super::super::*;
use crate::backends::http::TransportError;
use crate::secret::ExposeSecret;

struct Instance {
    emulator: Emulator,
    gitlab: GitLab,
}

impl Instance {
    async fn start() -> Self {
        let emulator = Emulator::builder().start().await.unwrap();
        let gitlab = client(&emulator, &emulator.root_token);
        Self { emulator, gitlab }
    }

    async fn group(&self, path: &str, parent_id: Option<u64>) -> Group {
        let new = NewGroup {
            name: path.into(),
            path: path.into(),
            parent_id,
            description: "what it is".into(),
            visibility: Visibility::Private,
        };
        self.gitlab.create_group(&new).await.unwrap()
    }

    async fn project(&self, namespace_id: u64, path: &str) -> Project {
        self.gitlab
            .create_project(&new_project(namespace_id, path))
            .await
            .unwrap()
    }
}

fn client(emulator: &Emulator, token: &str) -> GitLab {
    client_at(&emulator.url, token)
}

fn client_at(url: &str, token: &str) -> GitLab {
    crate::backends::http::tests::install_crypto_provider();
    let limits = Limits {
        first_retry: Duration::from_millis(5),
        ..Limits::default()
    };
    GitLab::new(&Options {
        url: url.to_owned(),
        token: token.into(),
        ca_pem: None,
        limits,
    })
    .unwrap()
}

fn new_project(namespace_id: u64, path: &str) -> NewProject {
    NewProject {
        name: path.into(),
        path: path.into(),
        namespace_id,
        description: String::new(),
        visibility: Visibility::Private,
        default_branch: Some("trunk".into()),
        initialize_with_readme: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_created_changed_found_and_deleted() {
    let instance = Instance::start().await;
    let gitlab = &instance.gitlab;
    let parent = instance.group("acme", None).await;
    let group = instance.group("shop", Some(parent.id)).await;
    assert_eq!(group.full_path, "acme/shop");
    assert_eq!(gitlab.group("acme/shop").await.unwrap(), group);

    let change = GroupChange {
        name: Some("The shop".into()),
        path: Some("store".into()),
        description: Some(String::new()),
        visibility: None,
    };
    let changed = gitlab.edit_group(group.id, &change).await.unwrap();
    assert_eq!(changed.full_path, "acme/store");
    assert_eq!(changed.description.as_deref(), Some(""));

    gitlab.delete_group(group.id).await.unwrap();
    let marked = gitlab.group(group.id).await.unwrap();
    assert!(marked.is_marked_for_deletion());
    let again = gitlab.delete_group(group.id).await.unwrap_err();
    assert_eq!(*again.kind(), Kind::AlreadyMarked);
    let full_path = gitlab.group(group.id).await.unwrap().full_path;
    gitlab.remove_group(group.id, &full_path).await.unwrap();
    instance.emulator.wait_until_idle().await;
    assert!(gitlab.group(group.id).await.unwrap_err().is_not_found());
    assert!(gitlab.sees_contents_of(parent.id).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_path_is_reported_with_its_parameter_whatever_ruby_prints() {
    let instance = Instance::start().await;
    instance.group("shop", None).await;
    for style in [HashStyle::Arrow, HashStyle::Label] {
        instance
            .emulator
            .update_switches(|switches| switches.hash_style = style);
        let new = NewGroup {
            name: "Another".into(),
            path: "shop".into(),
            parent_id: None,
            description: String::new(),
            visibility: Visibility::Private,
        };
        let error = instance.gitlab.create_group(&new).await.unwrap_err();
        assert_eq!(*error.kind(), Kind::Taken);
        assert!(
            error
                .field_errors()
                .iter()
                .any(|error| error.field.as_deref() == Some("path"))
        );
        assert!(error.call().request_id.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_created_moved_archived_and_deleted() {
    let instance = Instance::start().await;
    let gitlab = &instance.gitlab;
    let group = instance.group("shop", None).await;
    let project = instance.project(group.id, "service").await;
    assert_eq!(project.default_branch.as_deref(), Some("trunk"));
    let taken = gitlab
        .create_project(&new_project(group.id, "service"))
        .await
        .unwrap_err();
    assert_eq!(*taken.kind(), Kind::Taken);

    let change = ProjectChange {
        path: Some("backend".into()),
        ..ProjectChange::default()
    };
    gitlab.edit_project(project.id, &change).await.unwrap();
    let former = gitlab.project("shop/service").await.unwrap_err();
    assert!(former.is_not_found(), "{former}");
    let found = gitlab.project("shop/backend").await.unwrap();
    assert_eq!(found.id, project.id);
    assert!(gitlab.archive_project(project.id).await.unwrap().archived);
    assert!(!gitlab.unarchive_project(project.id).await.unwrap().archived);
    let listed = gitlab.group_projects(group.id).await.unwrap();
    assert_eq!(
        listed.iter().map(|project| project.id).collect::<Vec<_>>(),
        [project.id]
    );

    gitlab.delete_project(project.id).await.unwrap();
    let again = gitlab.delete_project(project.id).await.unwrap_err();
    assert_eq!(*again.kind(), Kind::AlreadyMarked);
    let marked = gitlab.project(project.id).await.unwrap();
    assert!(marked.is_marked_for_deletion());
    gitlab
        .remove_project(project.id, &marked.path_with_namespace)
        .await
        .unwrap();
    instance.emulator.wait_until_idle().await;
    assert!(gitlab.project(project.id).await.unwrap_err().is_not_found());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_whose_project_is_being_removed_is_distinguished_from_a_taken_one() {
    let instance = Instance::start().await;
    let gitlab = &instance.gitlab;
    let group = instance.group("shop", None).await;
    let project = instance.project(group.id, "service").await;
    gitlab.delete_project(project.id).await.unwrap();
    let path = gitlab
        .project(project.id)
        .await
        .unwrap()
        .path_with_namespace;
    instance
        .emulator
        .update_switches(|switches| switches.job_delay = 60_000);
    gitlab.remove_project(project.id, &path).await.unwrap();
    let last = path.rsplit('/').next().unwrap();
    let error = gitlab
        .create_project(&new_project(group.id, last))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), Kind::BeingDeleted);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_committed_listed_and_read() {
    let instance = Instance::start().await;
    let gitlab = &instance.gitlab;
    let group = instance.group("shop", None).await;
    let id = instance.project(group.id, "service").await.id;
    let head = gitlab.head(id, "trunk").await.unwrap().unwrap();
    assert_eq!(gitlab.head(id, "nothing").await.unwrap(), None);

    let files: Vec<FileAction> = (0..130)
        .map(|number| FileAction::Create {
            file_path: format!("folder/{number}.txt"),
            content: format!("{number}\n").into(),
        })
        .collect();
    let commit = |actions, message: &str| NewCommit {
        branch: "trunk".into(),
        commit_message: message.into(),
        author_name: Some("Nautes".into()),
        author_email: Some("nautes@example.com".into()),
        actions,
    };
    let first = gitlab
        .create_commit(id, &commit(files, "Files"))
        .await
        .unwrap();
    assert_eq!(first.parent_ids, std::slice::from_ref(&head));
    let tree = gitlab.tree(id, &first.id).await.unwrap();
    assert_eq!(tree.len(), 132, "the files, their folder and README.md");
    let entry = tree
        .iter()
        .find(|entry| entry.path == "folder/129.txt")
        .unwrap();
    assert_eq!(gitlab.blob(id, &entry.id).await.unwrap(), "129\n");
    assert!(
        gitlab
            .archive(id, &first.id)
            .await
            .unwrap()
            .starts_with(&[0x1f, 0x8b])
    );
    assert_eq!(gitlab.commit(id, &first.id).await.unwrap(), first);
    let commits = gitlab.commits(id, "trunk", 1).await.unwrap();
    assert_eq!(
        commits.iter().map(|commit| &commit.id).collect::<Vec<_>>(),
        [&first.id, &head]
    );
    assert_eq!(gitlab.branches(id).await.unwrap().len(), 1);
    assert_eq!(gitlab.tags(id).await.unwrap(), []);

    let update = |last: &str| FileAction::Update {
        file_path: "folder/7.txt".into(),
        content: "new\n".into(),
        last_commit_id: last.to_owned(),
    };
    let action = vec![update(&first.id)];
    gitlab
        .create_commit(id, &commit(action, "Change"))
        .await
        .unwrap();
    for stale in [
        update(&first.id),
        FileAction::Create {
            file_path: "README.md".into(),
            content: "".into(),
        },
        FileAction::Delete {
            file_path: "folder/999".into(),
            last_commit_id: head.clone(),
        },
    ] {
        let error = gitlab
            .create_commit(id, &commit(vec![stale], "Late"))
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), Kind::FileChanged, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loser_of_a_race_gets_an_error_of_its_own() {
    let instance = Instance::start().await;
    let group = instance.group("shop", None).await;
    let id = instance.project(group.id, "service").await.id;
    instance
        .emulator
        .update_switches(|switches| switches.latency_commit = 200);
    let commit = |path: &str| NewCommit {
        branch: "trunk".into(),
        commit_message: "Race".into(),
        author_name: None,
        author_email: None,
        actions: vec![FileAction::Create {
            file_path: path.into(),
            content: "".into(),
        }],
    };
    let (a, b) = (commit("a"), commit("b"));
    let (one, other) = tokio::join!(
        instance.gitlab.create_commit(id, &a),
        instance.gitlab.create_commit(id, &b)
    );
    let lost: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    let [error] = &lost[..] else {
        panic!("{lost:?}")
    };
    assert_eq!(*error.kind(), Kind::ReferenceMoved);
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_keys_are_added_shared_and_taken_away() {
    let instance = Instance::start().await;
    let gitlab = &instance.gitlab;
    let group = instance.group("shop", None).await;
    let one = instance.project(group.id, "one").await.id;
    let other = instance.project(group.id, "other").await.id;
    let key = concat!(
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBG43mmZn",
        "OLQmG33hiCLDsNH2YV1U751IaLo0eSOqNXhcFY5ukLwBJZVt1ljRJoXUE1jdZ38LB/tzcA4jknR2pPo= repo-1"
    );
    let new = NewDeployKey {
        title: "repo-1-readonly".into(),
        key: key.into(),
        can_push: false,
    };
    let added = gitlab.create_deploy_key(one, &new).await.unwrap();
    assert!(
        added
            .fingerprint_sha256
            .as_deref()
            .unwrap()
            .starts_with("SHA256:")
    );
    gitlab.enable_deploy_key(other, added.id).await.unwrap();
    assert!(
        gitlab
            .set_deploy_key_can_push(other, added.id, true)
            .await
            .unwrap()
            .can_push
    );
    assert!(!gitlab.deploy_key(one, added.id).await.unwrap().can_push);
    assert_eq!(gitlab.deploy_keys(other).await.unwrap().len(), 1);
    gitlab.delete_deploy_key(one, added.id).await.unwrap();
    assert!(
        gitlab
            .deploy_key(one, added.id)
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_are_created_and_revoked() {
    let instance = Instance::start().await;
    let gitlab = &instance.gitlab;
    let group = instance.group("shop", None).await;
    let id = instance.project(group.id, "service").await.id;
    let new = NewAccessToken {
        name: "accesstoken-api".into(),
        scopes: vec!["api".into()],
        access_level: 40,
        expires_at: "2999-01-01".into(),
    };
    let late = gitlab.create_access_token(id, &new).await.unwrap_err();
    assert_eq!(*late.kind(), Kind::Invalid);
    let facts = time_in(200);
    let new = NewAccessToken {
        expires_at: facts,
        ..new
    };
    let created = gitlab.create_access_token(id, &new).await.unwrap();
    let token = created.token.unwrap();
    let bot = client(&instance.emulator, token.expose_secret());
    assert!(
        bot.current_user()
            .await
            .unwrap()
            .username
            .starts_with("project_")
    );
    let listed = gitlab.access_tokens(id).await.unwrap();
    assert!(listed.iter().all(|token| token.token.is_none()));
    gitlab.revoke_access_token(id, created.id).await.unwrap();
    let revoked = bot.current_user().await.unwrap_err();
    assert_eq!(*revoked.kind(), Kind::Unauthorized);
    let listed = gitlab.access_tokens(id).await.unwrap();
    assert!(listed.iter().all(|token| !token.active));
}

/// The date in so many days.
fn time_in(days: u64) -> String {
    let then = std::time::SystemTime::now() + Duration::from_secs(days * 86_400);
    let http = httpdate::fmt_http_date(then);
    let parts: Vec<&str> = http.split(' ').collect();
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months.iter().position(|month| *month == parts[2]).unwrap() + 1;
    format!("{}-{month:02}-{}", parts[3], parts[1])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_scope_and_an_unknown_token_are_reported() {
    let instance = Instance::start().await;
    let gitlab = &instance.gitlab;
    let user = gitlab.current_user().await.unwrap();
    let endpoint = JsonEndpoint::post(
        format!("users/{}/personal_access_tokens", user.id),
        json!({"name": "reader", "scopes": ["read_api"], "expires_at": time_in(30)}),
    );
    let reader: AccessToken = gitlab.query(&endpoint).await.unwrap();
    let reader = client(&instance.emulator, reader.token.unwrap().expose_secret());
    let error = reader.delete_group(1).await.unwrap_err();
    let Kind::Forbidden {
        reason: ForbiddenReason::MissingScope { scopes },
    } = error.kind()
    else {
        panic!("{error}")
    };
    assert!(scopes.contains(&"api".to_owned()), "{scopes:?}");
    assert_eq!(error.call().method, Method::DELETE);

    let stranger = client(&instance.emulator, "glpat-unknown");
    let error = stranger.current_user().await.unwrap_err();
    assert_eq!(*error.kind(), Kind::Unauthorized);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_gitlab_is_not_taken_for_a_missing_object() {
    let instance = Instance::start().await;
    instance.group("shop", None).await;
    let url = format!("{}/wrong", instance.emulator.url);
    let elsewhere = client_at(&url, &instance.emulator.root_token);
    let error = elsewhere.group("shop").await.unwrap_err();
    assert_eq!(*error.kind(), TransportError::UnexpectedBody.into());
}

#[tokio::test]
async fn a_hook_is_made_changed_with_its_token_and_deleted() {
    let instance = Instance::start().await;
    let group = instance.group("shop", None).await;
    let project = instance.project(group.id, "checkout").await.id;
    let gitlab = &instance.gitlab;
    let mut settings = HookSettings {
        url: "https://webhook.example.com/product-4-ci/repo-7".into(),
        events: ["merge_requests_events".into(), "tag_push_events".into()].into(),
        enable_ssl_verification: true,
    };
    let token = Secret::from("first".to_owned());
    let made = gitlab
        .create_hook(project, &settings, &token)
        .await
        .unwrap();
    assert_eq!(made.differences(&settings), [""; 0]);
    assert_eq!(made.disabled(), None);
    // A push would count if nobody switched it off.
    let events: Vec<_> = made.events().into_iter().collect();
    assert_eq!(events, ["merge_requests_events", "tag_push_events"]);

    settings.url.push_str("-other");
    settings.events = ["push_events".into()].into();
    settings.enable_ssl_verification = false;
    assert_eq!(
        made.differences(&settings),
        ["url", "events", "enable_ssl_verification"]
    );
    let token = Secret::from("second".to_owned());
    let changed = gitlab.update_hook(project, made.id, &settings, &token);
    let changed = changed.await.unwrap();
    assert_eq!(changed.differences(&settings), [""; 0]);
    assert_eq!(gitlab.hook(project, made.id).await.unwrap(), changed);
    let listed = gitlab.hooks(project).await.unwrap();
    assert_eq!(listed.len(), 1);

    gitlab.delete_hook(project, made.id).await.unwrap();
    let gone = gitlab.hook(project, made.id).await.unwrap_err();
    assert!(gone.is_not_found());
}

#[tokio::test]
async fn a_hook_with_an_address_that_gitlab_refuses_is_named_invalid() {
    let instance = Instance::start().await;
    let group = instance.group("shop", None).await;
    let project = instance.project(group.id, "checkout").await.id;
    let settings = HookSettings {
        url: "https://10.1.1.1/product-4-ci/repo-7".into(),
        events: ["push_events".into()].into(),
        enable_ssl_verification: true,
    };
    let token = Secret::from("secret".to_owned());
    let refused = instance.gitlab.create_hook(project, &settings, &token);
    let refused = refused.await.unwrap_err();
    assert!(
        matches!(refused.kind(), Kind::Invalid),
        "{:?}",
        refused.kind()
    );
}
