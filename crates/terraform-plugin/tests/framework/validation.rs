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
async fn an_error_lies_on_the_attribute_at_fault() {
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
async fn the_authors_own_checks_come_after_the_schemas() {
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
async fn a_refused_plan_reports_and_changes_nothing() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a")), ("note", text("forbidden"))]);
    let refused = driver.plan(BUCKET, &config, None).await;
    assert!(matches!(refused, Err(Failure::Reported(_))));
    assert!(cloud.lock().unwrap().buckets.is_empty());
}
