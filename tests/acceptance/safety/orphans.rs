//! What was made for something that was deleted by hand.

use testbed::Method;

use super::{PRODUCT, SMALL};
use crate::test_env::{Case, TestEnv};

#[test]
fn a_group_deleted_by_hand_leaves_the_state_only_without_secrets() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    let empty = env.vault()?.inventory()?;
    env.workspace.apply_with(&[])?;
    let group = env.workspace.resource(PRODUCT)?["group_id"].clone();
    env.gitlab
        .api(Method::DELETE, &format!("/groups/{group}"), None)?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(super::REPO), Some("replace"), "{plan}");
    env.workspace.destroy()?;
    assert_eq!(env.vault()?.inventory()?, empty);
    assert!(env.workspace.addresses()?.is_empty());
    Ok(())
}
