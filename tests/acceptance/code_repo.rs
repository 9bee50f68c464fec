//! A code repository of a product: made, changed, imported, destroyed.

use serde_json::{Value, json};
use testbed::{Method, at_most, exactly};

use crate::harness::{Case, Stage};

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

impl Stage {
    /// The titles of the deploy keys of a project, sorted; those that may push end with `+`.
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

    /// The manifest of a repository, given its id.
    fn manifest_of(&self, id: &Value) -> anyhow::Result<String> {
        let id = id.as_str().unwrap_or_default();
        self.manifest(
            "shop/default.project",
            &format!("code-repos/{id}/{id}.yaml"),
        )
    }
}

#[test]
fn it_is_created_with_its_credentials_and_destroyed_without_a_trace() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    let before = stage.vault()?.inventory()?;
    let (applied, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.apply_with(&[]))?;
    applied?;
    // The product takes at most 12; project, two keys and token, manifest, two settlings and the mark are the rest.
    calls.assert_calls(at_most(32));
    stage.workspace.assert_empty_plan("after apply")?;

    let repo = stage.workspace.resource(CHECKOUT)?;
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
        stage.deploy_keys("shop/checkout")?,
        [format!("{id}-readonly"), format!("{id}-readwrite+")]
    );
    let manifest = stage.manifest_of(&repo["id"])?;
    assert!(
        manifest.contains("  project: checkout\n  repoName: checkout\n"),
        "{manifest}"
    );
    let state = stage.workspace.state_file().unwrap_or_default();
    assert!(!state.contains("PRIVATE KEY") && !state.contains("glpat-"));

    stage.workspace.destroy()?;
    assert_eq!(stage.vault()?.inventory()?, before);
    Ok(())
}

#[test]
fn its_attributes_are_changed_in_place() -> Case {
    let stage = Stage::with_vault(&SHOP.replace(
        r#"name = "shop""#,
        "name = \"shop\"\n  visibility = \"internal\"",
    ))?;
    stage.workspace.apply_with(&[])?;
    let before = stage.workspace.resource(CHECKOUT)?;
    let branch = json!({ "branch": "trunk", "ref": "main" });
    let path = "/projects/shop%2Fcheckout/repository/branches";
    stage.gitlab.api(Method::POST, path, Some(&branch))?;
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
    stage.write(&changed)?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    stage.workspace.apply()?;

    let after = stage.workspace.resource(CHECKOUT)?;
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["display_name"], "till", "it follows the name");
    assert_eq!(after["access_token"], Value::Null);
    let url = after["http_url"].as_str().unwrap_or_default();
    assert!(url.ends_with("/shop/till.git"), "{url}");
    let manifest = stage.manifest_of(&after["id"])?;
    for line in [
        "repoName: till",
        "pipelineRuntime: true",
        "- tag_push_events",
    ] {
        assert!(manifest.contains(line), "{line} is not in:\n{manifest}");
    }
    let project = stage
        .gitlab
        .api(Method::GET, "/projects/shop%2Ftill", None)?;
    assert_eq!(project["description"], "The till");
    assert_eq!(project["default_branch"], "trunk");
    let tokens = stage.gitlab.api(
        Method::GET,
        "/projects/shop%2Ftill/access_tokens?state=active",
        None,
    )?;
    assert_eq!(tokens, json!([]));

    stage.write(&changed.replace(r#""trunk""#, r#""absent""#))?;
    let text = stage.workspace.failing_apply()?.text();
    assert!(text.contains("no branch absent"), "{text}");
    Ok(())
}

#[test]
fn what_cannot_be_is_said_before_anything_is_made() -> Case {
    let product = "resource \"nautes_product\" \"shop\" {\n  name = \"shop\"\n}\n";
    let stage = Stage::with_vault(product)?;
    stage.workspace.apply_with(&[])?;
    let repo = |more: &str| {
        format!(
            "{product}resource \"nautes_code_repo\" \"this\" {{\n  product = nautes_product.shop.id\n  name = \"checkout\"\n  {more}\n}}\n"
        )
    };
    for (attribute, said) in [
        (r#"project = "absent""#, "absent"),
        (r#"visibility = "public""#, "above the product's"),
        (
            r#"project = "product-99999/checkout""#,
            "belongs to `product-99999`",
        ),
    ] {
        stage.write(&repo(attribute))?;
        let (outcome, calls) = stage
            .gitlab
            .calls_during(|| stage.workspace.failing_apply())?;
        let text = outcome?.text();
        assert!(text.contains(said), "{attribute}: {text}");
        calls.writes().assert_calls(exactly(0));
    }
    for (attribute, said) in [
        (r#"access_token = { lifetime = "9000h" }"#, "365 days"),
        (
            r#"access_token = { lifetime = "720h", rotate_before = "720h" }"#,
            "rotate_before must be less",
        ),
        (r#"webhook_events = ["pushes"]"#, "pushes"),
        (r#"default_branch = "refs/heads/main""#, "refs/heads"),
    ] {
        stage.write(&repo(attribute))?;
        let text = stage.workspace.failing_validate()?.text();
        assert!(text.contains(said), "{attribute}: {text}");
    }
    stage.write(&repo(r#"webhook_events = ["releases_events"]"#))?;
    let text = stage.workspace.validate()?.text();
    assert!(text.contains("do not handle these events"), "{text}");
    Ok(())
}

#[test]
fn without_a_vault_nothing_is_made() -> Case {
    let stage = Stage::with(SHOP)?;
    let (outcome, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.failing_apply())?;
    let text = outcome?.text();
    assert!(text.contains("vault.address"), "{text}");
    // The configuration repository is the only project.
    calls.of("POST /projects").assert_calls(exactly(1));
    Ok(())
}

#[test]
fn it_is_imported_by_path_and_id_and_found_by_data_sources() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    stage.workspace.apply_with(&[])?;
    let repo = stage.workspace.resource(CHECKOUT)?;
    let id = repo["id"].as_str().unwrap_or_default();
    for import in [id, "shop/checkout"] {
        stage.workspace.run(["state", "rm", CHECKOUT])?;
        stage.workspace.import(CHECKOUT, import)?;
        let plan = stage.workspace.plan()?;
        let action = plan.action(CHECKOUT);
        assert!(matches!(action, None | Some("update")), "{plan}");
    }
    stage.write(&format!(
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
  ]
}
"#
    ))?;
    stage.workspace.apply()?;
    let outputs = stage.workspace.outputs()?;
    assert_eq!(
        outputs["found"],
        json!([true, "checkout", true, "checkout"])
    );
    Ok(())
}

#[test]
fn twenty_of_one_project_are_made_and_refreshed_with_few_calls() -> Case {
    let many = SHOP.replace(
        "  product        = nautes_product.shop.id\n",
        "  count          = 20\n  product        = nautes_product.shop.id\n",
    );
    let many = many.replace(
        r#"name           = "checkout""#,
        r#"name           = "checkout-${count.index}""#,
    );
    let stage = Stage::with_vault(&many)?;
    let (applied, calls) = stage
        .vault()?
        .proxy()
        .calls_during(|| stage.workspace.apply_with(&["-parallelism=20"]));
    applied?;
    calls
        .only(|call| !call.is_write())
        .assert_calls(at_most(80));

    let (planned, of_gitlab) = stage.gitlab.calls_during(|| {
        stage
            .vault()
            .map(|vault| vault.proxy().calls_during(|| stage.workspace.plan()))
    })?;
    let (plan, of_vault) = planned?;
    assert!(plan?.is_empty());
    // A listing of secrets each; one of policies, one look at the mount and one at the token.
    of_vault.assert_calls(at_most(20 + 3));
    // Keys and tokens of each; one listing of projects; the product, its configuration repository, and its manifests,
    // because the branch has moved on since most were verified.
    of_gitlab.assert_calls(at_most(2 * 20 + 1 + 2 + 4));
    Ok(())
}
