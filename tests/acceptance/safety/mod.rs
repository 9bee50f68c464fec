//! Nothing living is destroyed, taken over or forgotten: the rules of `design/safety.md`.
//!
//! Each case has a small product, and something that must stay as it is.

mod another_gitlab;
mod hidden;
mod kept;
mod orphans;
mod plan_alone;
mod replacement;
mod role;
mod two_holders;

use serde_json::{Value, json};
use testbed::Method;

use crate::test_env::TestEnv;

/// A product with an environment and a code repository that has all secrets.
pub(crate) const SMALL: &str = r#"
resource "nautes_product" "p" {
  name          = "shop"
  force_destroy = true
}

resource "nautes_environment" "e" {
  product  = nautes_product.p.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}

resource "nautes_code_repo" "a" {
  product      = nautes_product.p.id
  name         = "a"
  access_token = {}
}
"#;

pub(crate) const REPO: &str = "nautes_code_repo.a";
pub(crate) const PRODUCT: &str = "nautes_product.p";
pub(crate) const ENVIRONMENT: &str = "nautes_environment.e";

impl TestEnv {
    /// Makes a token of a new user with a role in a group, or in none.
    pub(crate) fn token_of_new_user(
        &self,
        name: &str,
        member: Option<(&str, u64)>,
    ) -> anyhow::Result<String> {
        let user = json!({
            "username": name, "name": name, "email": format!("{name}@example.com"),
            "password": "correct horse battery", "skip_confirmation": true,
        });
        let user = self.gitlab.api(Method::POST, "/users", Some(&user))?;
        if let Some((of, level)) = member {
            let member = json!({ "user_id": user["id"], "access_level": level });
            self.gitlab
                .api(Method::POST, &format!("{of}/members"), Some(&member))?;
        }
        let token = json!({ "name": "terraform", "scopes": ["api"] });
        let path = format!("/users/{}/personal_access_tokens", user["id"]);
        let token = self.gitlab.api(Method::POST, &path, Some(&token))?;
        text(&token["token"])
    }

    /// Uses another token of GitLab from now on.
    pub(crate) fn use_token(&mut self, token: &str) {
        self.workspace.set_env("NAUTES_GITLAB_TOKEN", token);
    }

    /// What must not change: the live groups and projects, the manifests and Vault's contents.
    fn everything(&self) -> anyhow::Result<Value> {
        let alive = |path: &str| {
            let listed = self.gitlab.api(Method::GET, path, None)?;
            let listed = listed.as_array().cloned().unwrap_or_default();
            let objects = listed.into_iter().map(|object| {
                json!([
                    object["id"],
                    object["name"],
                    object["path"],
                    object["description"],
                    object["visibility"],
                    object["archived"],
                    object["marked_for_deletion_on"],
                ])
            });
            Ok::<_, anyhow::Error>(Value::Array(objects.collect()))
        };
        let path = "/projects/shop%2Fdefault.project/repository/tree?recursive=true&per_page=100";
        Ok(json!({
            "groups": alive("/groups?per_page=100&all_available=true")?,
            "projects": alive("/projects?per_page=100")?,
            "manifests": self.gitlab.api(Method::GET, path, None)?,
            "vault": format!("{:?}", self.vault()?.inventory()?),
        }))
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| anyhow::anyhow!("{value} is no text"))
}
