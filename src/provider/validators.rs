//! Checks of the provider's arguments.

use terraform_plugin::schema::Validator;

use crate::backends::http::check_address;
use crate::error_chain::error_chain;

/// Checks the URL of a server. The error does not quote it, because it may hold a token.
pub(super) fn server_url() -> Validator {
    let description = "Must be a URL such as `https://host.example.com`.";
    Validator::new(description, |url: &String| {
        check_address(url).map_err(|error| {
            format!(
                "The value is not the URL of a server: {}.",
                error_chain(&error)
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use terraform_plugin::model::Model;
    use terraform_plugin::testing::driver::{Driver, Failure};
    use terraform_plugin::value::Value;

    use crate::provider::Nautes;
    use crate::provider::block::{
        CommitBlock, GitLabBlock, OidcBlock, ProviderBlock, TenantClusterBlock,
    };

    /// A configuration in which only these attributes are set.
    fn config<M: Model>(set: &[(&str, Value)]) -> Value {
        let attributes = M::attributes();
        let value = |name: &String| {
            let mut set = set.iter();
            let found = set.find(|(attribute, _)| attribute == name);
            found.map_or(Value::Null, |(_, value)| value.clone())
        };
        let all = attributes.keys().map(|name| (name.as_str(), value(name)));
        Value::object(all.collect::<Vec<_>>())
    }

    fn text<M: Model>(attribute: &str, text: &str) -> Value {
        config::<M>(&[(attribute, Value::string(text))])
    }

    /// Returns the details of the errors and warnings of a provider block.
    async fn found(block: &str, value: Value) -> Vec<String> {
        let config = config::<ProviderBlock>(&[(block, value)]);
        let found = match Driver::configure(Nautes, config).await {
            Ok(driver) => driver.take_warnings(),
            Err(Failure::Reported(found)) => found,
            Err(other) => panic!("{other:?}"),
        };
        // Variables of the test run are none of the provider's.
        let found = found
            .into_iter()
            .filter(|found| found.summary != "Unknown environment variable");
        found.map(|found| found.detail).collect()
    }

    #[tokio::test]
    async fn a_url_without_a_scheme_is_refused_at_plan_without_being_quoted() {
        let url = text::<GitLabBlock>("url", "s3cr3t@gitlab.example.com");
        let found = found("gitlab", url).await;
        assert_eq!(
            found,
            [
                "The value is not the URL of a server: it must start with https:// or http:// and name a host."
            ]
        );
    }

    #[tokio::test]
    async fn a_bad_branch_is_refused_at_plan() {
        for branch in [
            "a b", "a..b", "/a", "a/", "-a", "a.lock", "a~1", "HEAD", "a.",
        ] {
            let found = found("commit", text::<CommitBlock>("branch", branch)).await;
            let expected = format!("{branch:?} is not the name of a branch, such as main.");
            assert_eq!(found, [expected]);
        }
        for branch in ["main", "feature/a-b_1.2"] {
            let commit = text::<CommitBlock>("branch", branch);
            assert!(found("commit", commit).await.is_empty(), "{branch}");
        }
    }

    #[tokio::test]
    async fn an_argument_without_effect_is_a_warning_that_names_it() {
        let kubeconfig = text::<TenantClusterBlock>("kubeconfig_path", "kubeconfig");
        let warning = found("tenant_cluster", kubeconfig).await;
        assert_eq!(
            warning,
            ["The provider argument tenant_cluster has no effect in this version."]
        );
    }

    #[tokio::test]
    async fn single_sign_on_needs_an_issuer_and_a_client() {
        let issuer = text::<OidcBlock>("issuer", "https://gitlab.example.com");
        let found = found("oidc", issuer).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("oidc.client_id"), "{found:?}");
    }

    #[tokio::test]
    async fn a_misspelt_reconciler_is_an_error_with_a_suggestion() {
        let found = found("reconciler", Value::string("nautess")).await;
        assert_eq!(
            found,
            [
                r#"The value must be one of "provider", "nautes", but it is "nautess". Did you mean "nautes"?"#
            ]
        );
    }
}
