//! Where secrets lie in Vault.

use proptest::prelude::*;

use nautes_model::RepositoryId;
use nautes_model::vault::{GitSecret, SecretPath};

const REPOSITORY: RepositoryId = RepositoryId::new(12);

#[test]
fn the_secrets_of_a_repository_lie_where_nautes_looks_for_them() {
    let places = GitSecret::ALL.map(|secret| SecretPath::of_repository(REPOSITORY, secret));
    assert_eq!(
        places.each_ref().map(ToString::to_string),
        [
            "git/gitlab/repo-12/default/readonly",
            "git/gitlab/repo-12/default/readwrite",
            "git/gitlab/repo-12/default/accesstoken-api",
        ]
    );
    assert_eq!(
        places.map(|place| place.policy_name()),
        [
            "gitlab-repo-12-default-readonly",
            "gitlab-repo-12-default-readwrite",
            "gitlab-repo-12-default-accesstoken-api",
        ]
    );
}

#[test]
fn the_folder_of_a_repository_holds_its_secrets() {
    let folder = SecretPath::folder_of_repository(REPOSITORY);
    assert_eq!(folder, "gitlab/repo-12/default");
    for secret in GitSecret::ALL {
        let place = SecretPath::of_repository(REPOSITORY, secret);
        assert_eq!(place.path(), format!("{folder}/{}", secret.segment()));
        assert_eq!(place.mount(), "git");
    }
}

#[test]
fn a_policy_allows_reading_one_secret_and_nothing_else() {
    let place = SecretPath::of_repository(REPOSITORY, GitSecret::ReadonlyKey);
    assert_eq!(
        place.policy_text(),
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
fn what_could_lead_to_another_secret_is_no_path() {
    for path in [
        "", "/a", "a/", "a//b", "a/../b", "a/*", "a/+/b", "a b", "ä", "a?b", "a%2fb",
    ] {
        assert!(SecretPath::new("git", path).is_err(), "{path}");
        assert!(SecretPath::new(path, "a").is_err(), "{path}");
    }
}

proptest! {
    #[test]
    fn a_path_made_of_text_is_the_one_that_is_composed(
        number in 1..u64::MAX,
        secret in prop::sample::select(GitSecret::ALL.to_vec()),
    ) {
        let composed = SecretPath::of_repository(RepositoryId::new(number), secret);
        prop_assert_eq!(&SecretPath::new(composed.mount(), composed.path()), &Ok(composed.clone()));
        prop_assert_eq!(composed.to_string(), format!("{}/{}", composed.mount(), composed.path()));
    }
}
