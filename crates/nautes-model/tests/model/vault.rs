//! Paths and policies of secrets in Vault.

use proptest::prelude::*;

use nautes_model::RepositoryId;
use nautes_model::vault::{GitSecret, SecretPath};

const REPOSITORY: RepositoryId = RepositoryId::new(12);

#[test]
fn the_secrets_of_a_repository_have_the_paths_of_nautes() {
    let paths = GitSecret::ALL.map(|secret| SecretPath::for_repository(REPOSITORY, secret));
    assert_eq!(
        paths.each_ref().map(ToString::to_string),
        [
            "git/gitlab/repo-12/default/readonly",
            "git/gitlab/repo-12/default/readwrite",
            "git/gitlab/repo-12/default/accesstoken-api",
        ]
    );
    assert_eq!(
        paths.map(|path| path.policy_name()),
        [
            "gitlab-repo-12-default-readonly",
            "gitlab-repo-12-default-readwrite",
            "gitlab-repo-12-default-accesstoken-api",
        ]
    );
}

#[test]
fn the_folder_of_a_repository_contains_its_secrets() {
    let folder = SecretPath::repository_folder(REPOSITORY);
    assert_eq!(folder, "gitlab/repo-12/default");
    for secret in GitSecret::ALL {
        let path = SecretPath::for_repository(REPOSITORY, secret);
        assert_eq!(path.path(), format!("{folder}/{}", secret.segment()));
        assert_eq!(path.mount(), "git");
    }
}

#[test]
fn a_policy_allows_reading_one_secret_and_nothing_else() {
    let path = SecretPath::for_repository(REPOSITORY, GitSecret::ReadonlyKey);
    assert_eq!(
        path.policy_text(),
        r#"path "git/data/gitlab/repo-12/default/readonly" {
  capabilities = ["read"]
}

path "git/metadata/gitlab/repo-12/default/readonly" {
  capabilities = ["read"]
}
"#
    );
}

#[test]
fn text_that_could_lead_to_another_secret_is_rejected() {
    for path in [
        "", "/a", "a/", "a//b", "a/../b", "a/*", "a/+/b", "a b", "ä", "a?b", "a%2fb",
    ] {
        assert!(SecretPath::new("git", path).is_err(), "{path}");
        assert!(SecretPath::new(path, "a").is_err(), "{path}");
    }
}

proptest! {
    #[test]
    fn the_path_of_any_secret_can_be_parsed(
        number in 1..u64::MAX,
        secret in prop::sample::select(GitSecret::ALL.to_vec()),
    ) {
        let path = SecretPath::for_repository(RepositoryId::new(number), secret);
        prop_assert_eq!(&SecretPath::new(path.mount(), path.path()), &Ok(path.clone()));
        prop_assert_eq!(path.to_string(), format!("{}/{}", path.mount(), path.path()));
    }
}
