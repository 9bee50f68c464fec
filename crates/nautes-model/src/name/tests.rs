use super::*;

fn problem(rule: NameRule, name: &str) -> Option<NameProblem> {
    rule.check(name).err().map(|error| error.problem)
}

#[test]
fn names_of_maximum_length_leave_room_for_derived_names() {
    assert_eq!(NameRule::PipelineRuntime.max_length(), 21);
    assert_eq!(NameRule::DeploymentRuntime.max_length(), 44);
    assert_eq!(NameRule::Cluster.max_length(), 46);
    assert_eq!(NameRule::Environment.max_length(), 250);
    let product = ProductId::new(9_999_999_999);
    let runtime = "r".repeat(NameRule::PipelineRuntime.max_length());
    assert_eq!(
        format!("{product}-{runtime}-gitlab-eventsource-svc").len(),
        63
    );
    for rule in NameRule::ALL {
        assert_eq!(
            problem(rule, &"a".repeat(rule.max_length())),
            None,
            "{rule:?}"
        );
        assert_eq!(
            problem(rule, &"a".repeat(rule.max_length() + 1)),
            Some(NameProblem::TooLong)
        );
    }
}

#[test]
fn every_rule_rejects_the_form_of_an_id() {
    for rule in NameRule::ALL {
        assert_eq!(
            problem(rule, "product-12"),
            Some(NameProblem::LooksLikeId),
            "{rule:?}"
        );
        assert_eq!(
            problem(rule, "repo-12"),
            Some(NameProblem::LooksLikeId),
            "{rule:?}"
        );
    }
}

#[test]
fn gitlab_allows_names_that_kubernetes_does_not() {
    for name in ["Shop", "shop_2", "_shop"] {
        assert_eq!(problem(NameRule::Product, name), None);
        assert_eq!(problem(NameRule::CodeRepo, name), None);
        assert_eq!(
            problem(NameRule::Environment, name),
            Some(NameProblem::Form)
        );
    }
    assert_eq!(problem(NameRule::CodeRepo, "svc.api"), None);
    assert_eq!(
        problem(NameRule::Product, "svc.api"),
        Some(NameProblem::Form)
    );
    assert_eq!(problem(NameRule::Environment, "svc.api"), None);
    assert_eq!(
        problem(NameRule::Cluster, "svc.api"),
        Some(NameProblem::Form)
    );
    for name in ["svc.git", "svc.atom", "-svc", "..", "", "a b", "a/b", "ä"] {
        assert_eq!(
            problem(NameRule::CodeRepo, name),
            Some(NameProblem::Form),
            "{name}"
        );
    }
}

#[test]
fn new_paths_have_single_separators_between_letters_and_digits() {
    let problem =
        |rule: NameRule, name: &str| rule.check_new(name).err().map(|error| error.problem);
    let separators = Some(NameProblem::Separators);
    for rule in [
        NameRule::Product,
        NameRule::ProductInParentGroup,
        NameRule::CodeRepo,
    ] {
        for name in ["_svc", "a--b", "svc_", "a-_b"] {
            assert_eq!(problem(rule, name), separators, "{name}");
            assert_eq!(rule.check(name), Ok(()), "older objects keep {name}");
        }
        assert_eq!(problem(rule, "a-b_c1"), None);
    }
    assert_eq!(problem(NameRule::CodeRepo, "a..b"), separators);
    assert_eq!(problem(NameRule::CodeRepo, "a.b"), None);
    assert_eq!(problem(NameRule::CodeRepo, "a"), None);
    assert_eq!(problem(NameRule::Product, "a"), Some(NameProblem::TooShort));
    assert_eq!(
        problem(NameRule::Product, "api"),
        Some(NameProblem::Reserved)
    );
    assert_eq!(problem(NameRule::Environment, "a"), None);
}

#[test]
fn an_error_tells_empty_reserved_and_short_names_apart() {
    let text = |rule: NameRule, name: &str| rule.check_new(name).unwrap_err().to_string();
    for (rule, name, expected) in [
        (
            NameRule::Product,
            "",
            "the name of a product must not be empty: ",
        ),
        (
            NameRule::Product,
            "api",
            "a path that GitLab itself uses at its top level",
        ),
        (
            NameRule::CodeRepo,
            "default.project",
            "the product's configuration repository",
        ),
        (
            NameRule::CodeRepo,
            "tree",
            "a path that GitLab itself uses inside a group",
        ),
        (NameRule::Product, "a", "it needs at least 2 characters"),
        (
            NameRule::CodeRepo,
            "a--b",
            "only between letters and digits, one at a time",
        ),
    ] {
        let text = text(rule, name);
        assert!(text.contains(expected), "{text}");
        assert!(text.ends_with(" characters are allowed"), "{text}");
    }
}

#[test]
fn reserved_names_are_rejected() {
    assert_eq!(
        problem(NameRule::Product, "API"),
        Some(NameProblem::Reserved)
    );
    assert_eq!(problem(NameRule::ProductInParentGroup, "api"), None);
    assert_eq!(
        problem(NameRule::ProductInParentGroup, "tree"),
        Some(NameProblem::Reserved)
    );
    assert_eq!(
        problem(NameRule::CodeRepo, "default.project"),
        Some(NameProblem::Reserved)
    );
    assert_eq!(
        problem(NameRule::Project, "templates"),
        Some(NameProblem::Reserved)
    );
    assert_eq!(problem(NameRule::Environment, "templates"), None);
    assert_eq!(
        problem(NameRule::Namespace, "kube-system"),
        Some(NameProblem::Reserved)
    );
}

#[test]
fn an_error_states_the_rule_and_the_maximum_length() {
    let error = NameRule::PipelineRuntime.check("Build").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`Build` cannot be the name of a pipeline runtime: lower-case letters, digits and `-` are \
         allowed, and it begins and ends with a letter or digit; at most 21 characters are allowed"
    );
}

#[test]
fn a_description_is_one_sentence() {
    for rule in NameRule::ALL {
        let description = rule.description();
        assert!(
            description.ends_with('.') && !description.contains("  "),
            "{description}"
        );
        assert!(
            description.starts_with(|char: char| char.is_uppercase()),
            "{description}"
        );
    }
}

#[test]
fn a_default_namespace_must_be_a_valid_namespace() {
    assert_eq!(default_namespace("shop", "ci"), Ok("shop-ci".to_owned()));
    assert!(default_namespace("Shop", "ci").is_err());
    assert!(default_namespace(&"s".repeat(60), "ci-12").is_err());
    assert!(default_namespace("product", "12").is_err());
}
