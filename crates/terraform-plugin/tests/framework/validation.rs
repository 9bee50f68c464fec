use terraform_plugin::testing::driver::Failure;
use terraform_plugin::value::Value;

use crate::bucket::{BUCKET, bucket, start, text};

async fn found(config: Value) -> Vec<(String, String)> {
    use terraform_plugin::protocol::tfplugin6::attribute_path::step::Selector;
    let (driver, _) = start().await;
    let found = driver.validate(BUCKET, &config).await.unwrap_or_default();
    let named = found.into_iter().map(|diagnostic| {
        let steps = diagnostic
            .attribute
            .map(|path| path.steps)
            .unwrap_or_default();
        let names = steps.into_iter().filter_map(|step| match step.selector? {
            Selector::AttributeName(name) | Selector::ElementKeyString(name) => Some(name),
            Selector::ElementKeyInt(index) => Some(index.to_string()),
        });
        (names.collect::<Vec<_>>().join("."), diagnostic.summary)
    });
    named.collect()
}

#[tokio::test]
async fn an_error_names_the_attribute_that_caused_it() {
    let reported = found(bucket([("name", text("a")), ("id", text("mine"))])).await;
    assert_eq!(reported, [("id".to_owned(), "id cannot be set".to_owned())]);
    let reported = found(bucket([("name", text("a")), ("class", text("hot"))])).await;
    assert_eq!(reported[0].0, "class");
    let rule = Value::object([("prefix", Value::Null), ("id", Value::Null)]);
    let rules = Value::Map([("x".to_owned(), rule)].into());
    let reported = found(bucket([("name", text("a")), ("rules", rules)])).await;
    assert_eq!(reported[0].0, "rules.x.prefix");
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_an_error_of_the_user_before_anything_is_planned() {
    let version = Value::Number("2000.5".parse().unwrap());
    let reported = found(bucket([
        ("name", text("a")),
        ("secret_wo_version", version),
    ]))
    .await;
    let expected = ("secret_wo_version", "Invalid value for secret_wo_version");
    assert_eq!(reported, [(expected.0.to_owned(), expected.1.to_owned())]);
}

#[tokio::test]
async fn an_identity_that_does_not_fit_is_an_error_of_the_user() {
    let (driver, _) = start().await;
    let identity = Value::object([("name", Value::Null)]);
    match driver.import_identity(BUCKET, &identity).await {
        Err(Failure::Reported(found)) => assert_eq!(found[0].summary, "Missing value"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_provider_argument_that_the_environment_leaves_incomplete_is_an_error_of_the_user() {
    let (driver, _) = start().await;
    let login = Value::object([("user", text("u")), ("password", Value::Null)]);
    let config = Value::object([
        ("region", Value::Null),
        ("class", Value::Null),
        ("login", login),
    ]);
    match driver.reconfigure(&config).await {
        Err(Failure::Reported(found)) => {
            let expected = "login.password must be a string, but it is null.";
            assert_eq!(found[0].detail, expected);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_resources_own_validation_runs_after_that_of_the_schema() {
    assert_eq!(
        found(bucket([("name", text("root"))])).await[0].1,
        "Reserved name"
    );
    let both = bucket([("name", text("root")), ("class", text("hot"))]);
    assert_eq!(
        found(both).await.len(),
        1,
        "a broken value is not judged further"
    );
}

#[tokio::test]
async fn a_rejected_plan_is_an_error_and_changes_nothing() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a")), ("note", text("forbidden"))]);
    let refused = driver.plan(BUCKET, &config, None).await;
    assert!(matches!(refused, Err(Failure::Reported(_))));
    assert!(cloud.lock().unwrap().buckets.is_empty());
}
