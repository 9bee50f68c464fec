//! Groups and projects that a destroy keeps on purpose.

use testbed::Method;

use super::SMALL;
use crate::test_env::{Case, TestEnv};

fn small_with(policy_of_repo: &str, more_of_product: &str) -> String {
    let policy = format!("access_token = {{}}\n  deletion_policy = \"{policy_of_repo}\"");
    SMALL.replace("access_token = {}", &policy).replace(
        "force_destroy = true",
        &format!("force_destroy = true\n  {more_of_product}"),
    )
}

#[test]
fn a_product_is_not_destroyed_over_a_repository_that_was_kept() -> Case {
    for policy in ["archive", "abandon"] {
        let env = TestEnv::with_vault(&small_with(policy, ""))?;
        let empty = env.vault()?.inventory()?;
        env.workspace.apply_with(&[])?;
        let text = env.workspace.failing_destroy()?.text();
        assert!(
            text.contains("deletion_policy = \"abandon\" on the product"),
            "{policy}: {text}"
        );
        let project = env.gitlab.api(Method::GET, "/projects/shop%2Fa", None)?;
        assert_eq!(project["archived"], policy == "archive");
        assert_eq!(project["description"], "", "{policy}");
        assert_eq!(env.deploy_keys("shop/a")?, Vec::<String>::new(), "{policy}");
        assert_eq!(env.vault()?.inventory()?, empty, "{policy}");
    }
    Ok(())
}

#[test]
fn an_abandoned_product_keeps_its_group_and_what_is_in_it() -> Case {
    let env = TestEnv::with_vault(&small_with("abandon", "deletion_policy = \"abandon\""))?;
    let empty = env.vault()?.inventory()?;
    env.workspace.apply_with(&[])?;
    let product = env.workspace.resource(super::PRODUCT)?;
    let config = product["config_repository"]["project_id"].clone();
    env.workspace.destroy()?;
    let group = env.gitlab.api(Method::GET, "/groups/shop", None)?;
    assert!(group["marked_for_deletion_on"].is_null());
    assert!(env.gitlab.api(Method::GET, "/projects/shop%2Fa", None)?["id"].is_number());
    // It held no manifest any more.
    let path = format!("/projects/{config}");
    let config = env.gitlab.api(Method::GET, &path, None)?;
    assert!(!config["marked_for_deletion_on"].is_null(), "{config}");
    assert_eq!(env.vault()?.inventory()?, empty);
    Ok(())
}
