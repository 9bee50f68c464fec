//! Times of creation, old paths, and what members of a single project see.

use std::time::Duration;

use gitlab_emulator::{AccessLevel, Resource, SeedAccessToken};
use serde_json::{Value, json};

use crate::support::{Client, TestInstance};

/// A private group with a subgroup and projects of which a caller sees only one.
struct Hierarchy {
    group: Value,
    subgroup: Value,
    visible: Value,
    hidden: Vec<Value>,
}

impl Hierarchy {
    async fn create(gitlab: &TestInstance) -> Self {
        let group = gitlab.group("platform").await;
        let subgroup = gitlab.subgroup(&group, "team").await;
        let other = gitlab.subgroup(&group, "other").await;
        let visible = gitlab.project_in(&subgroup, "app", json!({})).await;
        let mut hidden = Vec::new();
        for (parent, path) in [(&group, "top"), (&subgroup, "sibling"), (&other, "cousin")] {
            hidden.push(gitlab.project_in(parent, path, json!({})).await);
        }
        Self {
            group,
            subgroup,
            visible,
            hidden,
        }
    }

    /// Asserts that the caller sees the project and the groups above it, and nothing else.
    async fn assert_only_one_project_is_visible(&self, caller: &Client) {
        let one = format!("/projects/{}", self.visible["id"]);
        caller.get(&one).await.assert_status(200);
        for hidden in &self.hidden {
            for path in [
                format!("/projects/{}", hidden["id"]),
                format!(
                    "/projects/{}",
                    hidden["path_with_namespace"]
                        .as_str()
                        .unwrap()
                        .replace('/', "%2F")
                ),
            ] {
                caller
                    .get(&path)
                    .await
                    .assert_message(404, "404 Project Not Found");
            }
        }
        let group = format!("/groups/{}", self.group["id"]);
        let subgroup = format!("/groups/{}", self.subgroup["id"]);
        let only = [&self.visible["id"]];
        for path in [
            "/projects?visibility=private".to_owned(),
            "/projects?membership=true".to_owned(),
            format!("{group}/projects?include_subgroups=true"),
            format!("{subgroup}/projects"),
        ] {
            assert_eq!(ids(&caller.get(&path).await.ok()), only, "{path}");
        }
        let detail = caller.get(&group).await.ok();
        assert_eq!(detail["projects"], json!([]));
        let detail = caller.get(&subgroup).await.ok();
        assert_eq!(ids(&detail["projects"]), only);
        let groups = caller.get("/groups").await.ok();
        assert_eq!(ids(&groups), [&self.group["id"], &self.subgroup["id"]]);
        let below = [&self.subgroup["id"]];
        for list in ["subgroups", "descendant_groups"] {
            let listed = caller.get(&format!("{group}/{list}")).await.ok();
            assert_eq!(ids(&listed), below, "{list}");
        }
        for group in [&group, &subgroup] {
            for list in ["members", "members/all", "members/all/1"] {
                caller
                    .get(&format!("{group}/{list}"))
                    .await
                    .assert_message(403, "403 Forbidden");
            }
        }
    }
}

fn ids(list: &Value) -> Vec<&Value> {
    let rows = list.as_array().unwrap();
    rows.iter().map(|row| &row["id"]).collect()
}

#[tokio::test]
async fn s245_every_form_of_a_group_or_project_shows_when_it_was_created() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let parent = gitlab.group("platform").await;
    let target = gitlab.group("target").await;
    let group = gitlab.subgroup(&parent, "team").await;
    let project = gitlab.project_in(&group, "app", json!({})).await;
    gitlab.emulator.advance_clock(Duration::from_secs(60));
    let one = format!("/groups/{}", group["id"]);
    let above = format!("/groups/{}", parent["id"]);
    for path in [
        format!("{one}?with_projects=false"),
        "/groups?search=team".to_owned(),
        format!("{above}/subgroups"),
        format!("{above}/descendant_groups"),
    ] {
        let shown = first(root.get(&path).await.ok());
        assert_eq!(shown["created_at"], group["created_at"], "{path}");
    }
    let renamed = json!({ "name": "renamed", "path": "renamed" });
    let move_group = json!({ "group_id": target["id"] });
    for changed in [
        root.put(&one, renamed).await.ok(),
        root.post(&format!("{one}/transfer"), move_group)
            .await
            .created(),
    ] {
        assert_eq!(changed["created_at"], group["created_at"]);
    }

    let one_project = format!("/projects/{}", project["id"]);
    for path in [
        one_project.clone(),
        "/projects?search=app".to_owned(),
        "/projects?simple=true&search=app".to_owned(),
        format!("{one}/projects"),
        format!("{one}/projects?simple=true"),
    ] {
        let shown = first(root.get(&path).await.ok());
        assert_eq!(shown["created_at"], project["created_at"], "{path}");
    }
    let detail = root.get(&one).await.ok();
    assert_eq!(
        detail["projects"][0]["created_at"], project["created_at"],
        "projects of a group"
    );
    let move_project = json!({ "namespace": target["id"] });
    let empty = json!({});
    for changed in [
        root.put(
            &one_project,
            json!({ "name": "service", "path": "service" }),
        )
        .await
        .ok(),
        root.put(&format!("{one_project}/transfer"), move_project)
            .await
            .ok(),
        root.post(&format!("{one_project}/archive"), empty.clone())
            .await
            .created(),
        root.post(&format!("{one_project}/unarchive"), empty.clone())
            .await
            .created(),
    ] {
        assert_eq!(changed["created_at"], project["created_at"]);
    }
    for (path, created) in [(&one_project, &project), (&one, &group)] {
        root.delete(path).await.assert_status(202);
        let marked = root.get(path).await.ok();
        assert_eq!(marked["created_at"], created["created_at"]);
        let restored = root.post(&format!("{path}/restore"), empty.clone()).await;
        assert_eq!(restored.created()["created_at"], created["created_at"]);
    }
}

/// Returns an object itself, or the first object of a list.
fn first(value: Value) -> Value {
    match value {
        Value::Array(rows) => rows.into_iter().next().unwrap(),
        object => object,
    }
}

#[tokio::test]
async fn s246_old_paths_redirect_for_projects_only() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = gitlab.project().await;
    let id = project["id"].as_u64().unwrap();
    let target = gitlab.group("target").await;
    let old = "/projects/platform%2Fapp";
    let location = format!("{}/api/v4/projects/{id}", gitlab.emulator.url);

    let namespace = target["id"].as_u64().unwrap();
    gitlab.emulator.transfer_project(id, namespace).unwrap();
    let moved = root.get(old).await.assert_status(301);
    assert_eq!(moved.header("location"), location);
    root.delete(old)
        .await
        .assert_message(405, "Non GET methods are not allowed for moved projects");
    let found = root.get("/projects/target%2Fapp").await.ok();
    assert_eq!(found["id"], id);

    let one = format!("/groups/{}", target["id"]);
    root.put(&one, json!({ "path": "renamed" })).await.ok();
    root.get("/groups/target")
        .await
        .assert_message(404, "404 Group Not Found");
    root.get("/projects/target%2Fapp").await.assert_status(301);
    root.get("/projects/renamed%2Fapp").await.assert_status(200);

    let member = gitlab.user("ann").await;
    member
        .get(old)
        .await
        .assert_message(404, "404 Project Not Found");
    let group = root.get("/groups/platform").await.ok();
    let taken = gitlab.project_in(&group, "app", json!({})).await;
    assert_eq!(root.get(old).await.ok()["id"], taken["id"]);
}

#[tokio::test]
async fn s247_member_of_one_project_sees_no_other() {
    let gitlab = TestInstance::start().await;
    let hierarchy = Hierarchy::create(&gitlab).await;
    let member = gitlab.member("ann", &hierarchy.visible, 50).await;
    hierarchy.assert_only_one_project_is_visible(&member).await;
    let path = format!("/projects/{}", hierarchy.visible["id"]);
    let membership = format!("{path}/members/{}", member.id);
    gitlab.root().delete(&membership).await.assert_status(204);
    member
        .get(&path)
        .await
        .assert_message(404, "404 Project Not Found");
    for list in ["/groups", "/projects"] {
        assert_eq!(member.get(list).await.ok(), json!([]));
    }
}

#[tokio::test]
async fn s248_project_access_token_sees_no_other_project() {
    let gitlab = TestInstance::start().await;
    let hierarchy = Hierarchy::create(&gitlab).await;
    let project = Resource::project(hierarchy.visible["id"].as_u64().unwrap());
    let token = gitlab
        .emulator
        .seed_access_token(SeedAccessToken::new(project, AccessLevel::Owner))
        .unwrap();
    let bot = gitlab.client(&token.token);
    let user = bot.get("/user").await.ok();
    assert_eq!(
        (&user["id"], &user["bot"]),
        (&json!(token.user_id), &json!(true))
    );
    hierarchy.assert_only_one_project_is_visible(&bot).await;
    let path = format!("/projects/{}", hierarchy.visible["id"]);
    let member = format!("{path}/members/all/{}", token.user_id);
    assert_eq!(bot.get(&member).await.ok()["access_level"], 50);
    let group = &hierarchy.subgroup["id"];
    let new = json!({ "path": "more", "namespace_id": group });
    let refused = bot.post("/projects", new).await.assert_status(400);
    assert_eq!(refused.json["message"]["namespace"][0], "is not valid");
    bot.delete(&format!("/groups/{group}"))
        .await
        .assert_message(403, "403 Forbidden");
    bot.delete(&path).await.assert_status(202);
}

#[tokio::test]
async fn s249_only_members_have_an_effective_membership() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    let group = json!({ "name": "own", "path": "own" });
    let group = user.post("/groups", group).await.created();
    let new = json!({ "path": "app", "namespace_id": group["id"] });
    let project = user.post("/projects", new).await.created();
    let group = format!("/groups/{}", group["id"]);
    let project = format!("/projects/{}", project["id"]);
    let guest = gitlab.user("bob").await;
    let expiring = json!({ "user_id": guest.id, "access_level": 10, "expires_at": "2100-01-01" });
    let members = format!("{group}/members");
    user.post(&members, expiring).await.created();
    for resource in [&group, &project] {
        let one = |user: u64| format!("{resource}/members/all/{user}");
        assert_eq!(user.get(&one(user.id)).await.ok()["access_level"], 50);
        assert_eq!(guest.get(&one(guest.id)).await.ok()["access_level"], 10);
        // The administrator sees everything and is a member of nothing.
        let root = gitlab.root();
        root.get(resource).await.assert_status(200);
        root.get(&one(root.id))
            .await
            .assert_message(404, "404 Not found");
    }
    let century = Duration::from_secs(100 * 366 * 24 * 60 * 60);
    gitlab.emulator.advance_clock(century);
    for resource in [&group, &project] {
        gitlab
            .root()
            .get(&format!("{resource}/members/all/{}", guest.id))
            .await
            .assert_message(404, "404 Not found");
    }
}

#[tokio::test]
async fn s250_owners_see_the_number_of_members_below_a_group() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let group = gitlab.group("platform").await;
    let subgroup = gitlab.subgroup(&group, "team").await;
    let member = |group: &Value, name: &str, level| {
        let group = Resource::group(group["id"].as_u64().unwrap());
        gitlab.emulator.seed_member(group, name, level).unwrap();
    };
    let maintainer = gitlab.user("ann").await;
    gitlab.user("bob").await;
    member(&group, "ann", AccessLevel::Maintainer);
    member(&subgroup, "ann", AccessLevel::Maintainer);
    member(&subgroup, "bob", AccessLevel::Guest);
    let count = "members_count_with_descendants";
    for (group, members) in [(&group, 3), (&subgroup, 2)] {
        let path = format!("/namespaces/{}", group["id"]);
        assert_eq!(root.get(&path).await.ok()[count], members);
        let shown = maintainer.get(&path).await.ok();
        assert!(shown.get(count).is_none());
    }
    let listed = root.get("/namespaces?search=team").await.ok();
    assert_eq!(listed[0][count], 2);
    let own = maintainer.get("/namespaces?search=ann").await.ok();
    assert!(own[0].get(count).is_none());
}

#[tokio::test]
async fn s251_new_membership_applies_to_a_group_before_its_projects() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let user = gitlab.user("ann").await;
    let delay = Duration::from_secs(60);
    gitlab
        .emulator
        .update_switches(|switches| switches.authorization_delay = 60_000);
    let group = project["namespace"]["id"].as_u64().unwrap();
    gitlab
        .emulator
        .seed_member(Resource::group(group), "ann", AccessLevel::Owner)
        .unwrap();
    let path = format!("/projects/{}", project["id"]);
    user.get(&format!("/groups/{group}/members"))
        .await
        .assert_status(200);
    user.get(&path)
        .await
        .assert_message(404, "404 Project Not Found");
    assert_eq!(user.get("/projects").await.ok(), json!([]));
    // Creators need not wait.
    let new = json!({ "path": "own", "namespace_id": group });
    let own = user.post("/projects", new).await.created();
    user.get(&format!("/projects/{}", own["id"]))
        .await
        .assert_status(200);
    gitlab.emulator.advance_clock(delay);
    user.get(&path).await.assert_status(200);
}
