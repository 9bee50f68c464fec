//! What the command line shows where something is wrong.

use crate::test_env::{Case, TestEnv};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

#[test]
fn values_from_the_environment_obey_the_rules_of_the_configuration() -> Case {
    for (variables, expected) in [
        (
            [("NAUTES_RECONCILER", "nautess"), ("NAUTES_TENANT", "acme")],
            &[
                "NAUTES_RECONCILER sets reconciler",
                r#"Did you mean "nautes"?"#,
            ],
        ),
        (
            [
                ("NAUTES_GITLAB_CA_FILE", "ca.pem"),
                ("NAUTES_GITLAB_CA_PEM", "pem"),
            ],
            &["NAUTES_GITLAB_CA_FILE", "NAUTES_GITLAB_CA_PEM"],
        ),
        (
            [
                ("NAUTES_VAULT_APPROLE_ROLE_ID", "role"),
                ("NAUTES_VAULT_JWT_TOKEN", "s3cr3t"),
            ],
            &["NAUTES_VAULT_APPROLE_ROLE_ID", "NAUTES_VAULT_JWT_TOKEN"],
        ),
    ] {
        let mut env = TestEnv::new(SHOP)?;
        for (variable, value) in variables {
            env.workspace.set_env(variable, value);
        }
        let text = env.workspace.failing_plan()?.text();
        for expected in expected {
            assert!(text.contains(expected), "{text}");
        }
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    Ok(())
}

#[test]
fn an_unknown_variable_of_the_provider_is_a_warning_that_names_it() -> Case {
    let mut env = TestEnv::new(SHOP)?;
    env.workspace
        .set_env("NAUTES_GITLAB_URLL", "https://example.com");
    let outcome = env.workspace.run(["plan", "-json"])?.success()?;
    let text = outcome.text();
    let expected = "NAUTES_GITLAB_URLL is ignored. Did you mean NAUTES_GITLAB_URL?";
    assert!(text.contains(expected), "{text}");
    Ok(())
}
