//! Code repositories: created, changed, imported, destroyed.

use serde_json::{Value, json};
use testbed::{Method, at_most, exactly};

use crate::test_env::{Case, TestEnv};

pub(crate) const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_project" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}

resource "nautes_code_repo" "checkout" {
  product        = nautes_product.shop.id
  project        = nautes_project.checkout.id
  name           = "checkout"
  webhook_events = ["push_events"]
  access_token   = {}
}
"#;

pub(crate) const CHECKOUT: &str = "nautes_code_repo.checkout";

impl TestEnv {
    /// Returns the sorted titles of a project's deploy keys; `+` marks those that may push.
    pub(crate) fn deploy_keys(&self, project: &str) -> anyhow::Result<Vec<String>> {
        let path = format!("/projects/{}/deploy_keys", project.replace('/', "%2F"));
        let keys = self.gitlab.api(Method::GET, &path, None)?;
        let title = |key: &Value| {
            let push = if key["can_push"] == true { "+" } else { "" };
            format!("{}{push}", key["title"].as_str().unwrap_or_default())
        };
        let mut titles: Vec<String> = keys.as_array().into_iter().flatten().map(title).collect();
        titles.sort();
        Ok(titles)
    }

    /// Reads the manifest of a code repository, given its id.
    fn code_repo_manifest(&self, id: &Value) -> anyhow::Result<String> {
        let id = id.as_str().unwrap_or_default();
        self.read_file(
            "shop/default.project",
            &format!("code-repos/{id}/{id}.yaml"),
        )
    }
}

#[test]
fn a_code_repository_is_created_with_its_credentials_and_destroyed_completely() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    let before = env.vault()?.inventory()?;
    let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply_with(&[]))?;
    applied?;
    // The product takes at most 12; the rest are the project, two keys, the token, the manifest, the distribution of
    // keys twice, and the removal of the mark.
    calls.assert_calls(at_most(32));
    env.workspace.assert_empty_plan("after apply")?;

    let repo = env.workspace.resource(CHECKOUT)?;
    let id = repo["id"].as_str().unwrap_or_default();
    assert_eq!(repo["id"], format!("repo-{}", repo["project_id"]));
    assert_eq!(repo["drift"], Value::Null);
    assert_eq!(repo["display_name"], "checkout");
    assert_eq!(
        repo["deploy_keys"]["readwrite"]["vault_path"],
        format!("git/gitlab/{id}/default/readwrite")
    );
    assert_eq!(repo["access_token"]["rotation_due"], false);
    assert_eq!(
        env.deploy_keys("shop/checkout")?,
        [format!("{id}-readonly"), format!("{id}-readwrite+")]
    );
    let manifest = env.code_repo_manifest(&repo["id"])?;
    assert!(
        manifest.contains("  project: checkout\n  repoName: checkout\n"),
        "{manifest}"
    );
    let state = env.workspace.state_file().unwrap_or_default();
    assert!(!state.contains("PRIVATE KEY") && !state.contains("glpat-"));

    env.workspace.destroy()?;
    assert_eq!(env.vault()?.inventory()?, before);
    Ok(())
}

#[test]
fn attributes_are_changed_in_place() -> Case {
    let env = TestEnv::with_vault(&SHOP.replace(
        r#"name = "shop""#,
        "name = \"shop\"\n  visibility = \"internal\"",
    ))?;
    env.workspace.apply_with(&[])?;
    let before = env.workspace.resource(CHECKOUT)?;
    let branch = json!({ "branch": "trunk", "ref": "main" });
    let path = "/projects/shop%2Fcheckout/repository/branches";
    env.gitlab.api(Method::POST, path, Some(&branch))?;
    let changed = SHOP
        .replace(
            r#"name = "shop""#,
            "name = \"shop\"\n  visibility = \"internal\"",
        )
        .replace("  project        = nautes_project.checkout.id\n", "")
        .replace("  access_token   = {}\n", "")
        .replace(
            r#"name           = "checkout""#,
            r#"name           = "till""#,
        )
        .replace(
            r#"webhook_events = ["push_events"]"#,
            r#"webhook_events = ["tag_push_events"]
  description        = "The till"
  visibility         = "internal"
  default_branch     = "trunk"
  pipeline_runtime   = true
  deployment_runtime = true"#,
        );
    env.write(&changed)?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    env.workspace.apply()?;

    let after = env.workspace.resource(CHECKOUT)?;
    assert_eq!(after["id"], before["id"]);
    assert_eq!(
        after["display_name"], "till",
        "the display name follows the name"
    );
    assert_eq!(after["access_token"], Value::Null);
    let url = after["http_url"].as_str().unwrap_or_default();
    assert!(url.ends_with("/shop/till.git"), "{url}");
    let manifest = env.code_repo_manifest(&after["id"])?;
    for line in [
        "repoName: till",
        "pipelineRuntime: true",
        "- tag_push_events",
    ] {
        assert!(manifest.contains(line), "{line} is not in:\n{manifest}");
    }
    let project = env.gitlab.api(Method::GET, "/projects/shop%2Ftill", None)?;
    assert_eq!(project["description"], "The till");
    assert_eq!(project["default_branch"], "trunk");
    let tokens = env.gitlab.api(
        Method::GET,
        "/projects/shop%2Ftill/access_tokens?state=active",
        None,
    )?;
    assert_eq!(tokens, json!([]));

    env.write(&changed.replace(r#""trunk""#, r#""absent""#))?;
    let text = env.workspace.failing_apply()?.text();
    assert!(text.contains("no branch absent"), "{text}");
    Ok(())
}

#[test]
fn invalid_arguments_are_refused_before_any_write() -> Case {
    let product = "resource \"nautes_product\" \"shop\" {\n  name = \"shop\"\n}\n";
    let env = TestEnv::with_vault(product)?;
    env.workspace.apply_with(&[])?;
    let repo = |more: &str| {
        format!(
            "{product}resource \"nautes_code_repo\" \"this\" {{\n  product = nautes_product.shop.id\n  name = \"checkout\"\n  {more}\n}}\n"
        )
    };
    for (attribute, message) in [
        (r#"project = "absent""#, "absent"),
        (r#"visibility = "public""#, "above the product's"),
        (
            r#"project = "product-99999/checkout""#,
            "belongs to `product-99999`",
        ),
    ] {
        env.write(&repo(attribute))?;
        let (outcome, calls) = env.gitlab.calls_during(|| env.workspace.failing_apply())?;
        let text = outcome?.text();
        assert!(text.contains(message), "{attribute}: {text}");
        calls.writes().assert_calls(exactly(0));
    }
    for (attribute, message) in [
        (r#"access_token = { lifetime = "9000h" }"#, "365 days"),
        (
            r#"access_token = { lifetime = "720h", rotate_before = "720h" }"#,
            "rotate_before must be less",
        ),
        (r#"webhook_events = ["pushes"]"#, "pushes"),
        (r#"default_branch = "refs/heads/main""#, "refs/heads"),
    ] {
        env.write(&repo(attribute))?;
        let text = env.workspace.failing_validate()?.text();
        assert!(text.contains(message), "{attribute}: {text}");
    }
    env.write(&repo(r#"webhook_events = ["releases_events"]"#))?;
    let text = env.workspace.validate()?.text();
    assert!(text.contains("do not handle these events"), "{text}");
    Ok(())
}

#[test]
fn without_a_vault_no_code_repository_is_created() -> Case {
    let env = TestEnv::new(SHOP)?;
    let (outcome, calls) = env.gitlab.calls_during(|| env.workspace.failing_apply())?;
    let text = outcome?.text();
    assert!(text.contains("vault.address"), "{text}");
    // The configuration repository is the only project.
    calls.to_route("POST /projects").assert_calls(exactly(1));
    Ok(())
}

#[test]
fn a_code_repository_is_imported_by_path_and_by_id_and_found_by_data_sources() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    env.workspace.apply_with(&[])?;
    let repo = env.workspace.resource(CHECKOUT)?;
    let id = repo["id"].as_str().unwrap_or_default();
    for import in [id, "shop/checkout"] {
        env.workspace.run(["state", "rm", CHECKOUT])?;
        env.workspace.import(CHECKOUT, import)?;
        let plan = env.workspace.plan()?;
        let action = plan.action(CHECKOUT);
        assert!(matches!(action, None | Some("update")), "{plan}");
    }
    env.write(&format!(
        "{SHOP}{}",
        r#"
data "nautes_code_repo" "by_name" {
  product = nautes_product.shop.id
  name    = nautes_code_repo.checkout.name
}

data "nautes_code_repo" "by_id" {
  id = nautes_code_repo.checkout.id
}

data "nautes_code_repos" "of_project" {
  product    = nautes_product.shop.id
  project    = nautes_project.checkout.id
  name_regex = "^ch"
  depends_on = [nautes_code_repo.checkout]
}

output "found" {
  value = [
    data.nautes_code_repo.by_name.id == nautes_code_repo.checkout.id,
    data.nautes_code_repo.by_id.project,
    data.nautes_code_repo.by_id.access_token.id == nautes_code_repo.checkout.access_token.id,
    join(",", data.nautes_code_repos.of_project.code_repos[*].name),
    data.nautes_code_repos.of_project.code_repos[0].ssh_url == nautes_code_repo.checkout.ssh_url,
  ]
}
"#
    ))?;
    env.workspace.apply()?;
    let outputs = env.workspace.outputs()?;
    assert_eq!(
        outputs["found"],
        json!([true, "checkout", true, "checkout", true])
    );
    Ok(())
}

#[test]
fn twenty_code_repositories_are_created_and_refreshed_with_few_calls() -> Case {
    let many = SHOP.replace(
        "  product        = nautes_product.shop.id\n",
        "  count          = 20\n  product        = nautes_product.shop.id\n",
    );
    let many = many.replace(
        r#"name           = "checkout""#,
        r#"name           = "checkout-${count.index}""#,
    );
    let env = TestEnv::with_vault(&many)?;
    let (applied, calls) = env
        .vault()?
        .proxy()
        .calls_during(|| env.workspace.apply_with(&["-parallelism=20"]));
    applied?;
    calls
        .filter(|call| !call.is_write())
        .assert_calls(at_most(80));

    let (planned, gitlab_calls) = env.gitlab.calls_during(|| {
        env.vault()
            .map(|vault| vault.proxy().calls_during(|| env.workspace.plan()))
    })?;
    let (plan, vault_calls) = planned?;
    assert!(plan?.is_empty());
    // The metadata of three secrets of each repository; one listing of policies, and one read of the mount and of the
    // token.
    vault_calls.assert_calls(at_most(3 * 20 + 3));
    // The keys and the tokens of each repository; one listing of projects; the product, its configuration repository,
    // and its manifests, because the branch has advanced since most were verified.
    gitlab_calls.assert_calls(at_most(2 * 20 + 1 + 2 + 4));
    Ok(())
}
