//! An apply makes the planned changes and no others.

use serde_json::json;
use testbed::Method;

use super::{REPO, SMALL};
use crate::test_env::{Case, TestEnv};

const KEYS: &str = "/projects/shop%2Fa/deploy_keys";

#[test]
fn a_saved_plan_changes_nothing_that_it_does_not_show() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let display_names = SMALL
        .replace(
            "name          = \"shop\"",
            "name = \"shop\"\n  display_name = \"The shop\"",
        )
        .replace(
            "name         = \"a\"",
            "name = \"a\"\n  display_name = \"The a\"",
        );
    env.write(&display_names)?;
    env.workspace.plan()?;
    let by_hand = json!({ "description": "By hand", "visibility": "internal" });
    env.gitlab
        .api(Method::PUT, "/groups/shop", Some(&by_hand))?;
    env.gitlab
        .api(Method::PUT, "/projects/shop%2Fa", Some(&by_hand))?;
    env.gitlab
        .api(Method::POST, "/projects/shop%2Fa/archive", None)?;
    env.workspace
        .run(["apply", "-auto-approve", "-no-color", "plan.tfplan"])?;
    for (path, name) in [
        ("/groups/shop", "The shop"),
        ("/projects/shop%2Fa", "The a"),
    ] {
        let found = env.gitlab.api(Method::GET, path, None)?;
        assert_eq!(found["name"], name, "{path}");
        assert_eq!(found["description"], "By hand", "{path}");
        assert_eq!(found["visibility"], "internal", "{path}");
    }
    let project = env.gitlab.api(Method::GET, "/projects/shop%2Fa", None)?;
    assert_eq!(project["archived"], true);
    Ok(())
}

#[test]
fn a_repair_does_not_overwrite_what_another_writer_committed_after_the_plan() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let file = super::text(&env.workspace.resource(REPO)?["manifest_path"])?;
    let manifest = env.read_file("shop/default.project", &file)?;
    let change = |events: &str| {
        let content = manifest.replace(
            "  webhook:",
            &format!("  webhook:\n    events: [{events}]\n  was:"),
        );
        json!([{ "action": "update", "file_path": file, "content": content }])
    };
    env.commit("shop/default.project", &change("push_events"))?;
    env.gitlab.api(Method::DELETE, &first_key(&env)?, None)?;
    env.workspace.plan()?;
    env.commit("shop/default.project", &change("tag_push_events"))?;
    let theirs = env.read_file("shop/default.project", &file)?;
    let keys = env.gitlab.api(Method::GET, KEYS, None)?;
    let refused = env
        .workspace
        .run(["apply", "-auto-approve", "-no-color", "plan.tfplan"])?;
    assert_ne!(refused.exit_code(), Some(0));
    assert!(
        refused.text().contains("changed by somebody else"),
        "{}",
        refused.text()
    );
    assert_eq!(env.read_file("shop/default.project", &file)?, theirs);
    // The keys are replaced after the manifest is known to be accepted.
    assert_eq!(env.gitlab.api(Method::GET, KEYS, None)?, keys);
    Ok(())
}

fn first_key(env: &TestEnv) -> anyhow::Result<String> {
    let keys = env.gitlab.api(Method::GET, KEYS, None)?;
    Ok(format!("{KEYS}/{}", keys[0]["id"]))
}
