//! The driver rejects what Terraform rejects.

use terraform_plugin::testing::driver::{Driver, Failure, Search};
use terraform_plugin::value::{Path, Value};

use crate::bucket::{BUCKET, CloudProvider, bucket, named, number, start, text};

/// Returns the path and reason of an invalid configuration.
fn invalid<T>(result: Result<T, Failure>) -> (String, String) {
    match result {
        Err(Failure::Configuration { path, reason }) => (path.to_string(), reason),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the configuration was accepted"),
    }
}

/// Adds an argument that no schema has.
fn with_surplus(config: &Value) -> Value {
    let Value::Object(mut attributes) = config.clone() else {
        panic!("an object")
    };
    attributes.insert("surplus".to_owned(), text("x"));
    Value::Object(attributes)
}

#[tokio::test]
async fn the_driver_rejects_unknown_arguments_of_every_kind() {
    let (driver, _) = start().await;
    let surplus = (
        "surplus".to_owned(),
        "the schema has no such argument".to_owned(),
    );
    let resource = with_surplus(&bucket([("name", text("a"))]));
    assert_eq!(invalid(driver.plan(BUCKET, &resource, None).await), surplus);
    let data_source = with_surplus(&named("a"));
    let read = driver.read_data_source(BUCKET, &data_source).await;
    assert_eq!(invalid(read), surplus);
    let empty = with_surplus(&Value::object([("bucket", text("a"))]));
    assert_eq!(invalid(driver.open(BUCKET, &empty).await), surplus);
    assert_eq!(invalid(driver.invoke(BUCKET, &empty).await), surplus);
    let search = Search {
        config: with_surplus(&Value::object([("prefix", Value::Null)])),
        include_resource: false,
        limit: 0,
    };
    assert_eq!(invalid(driver.list(BUCKET, &search).await.1), surplus);
    let provider = with_surplus(&Value::object([("region", Value::Null)]));
    assert_eq!(invalid(driver.reconfigure(&provider).await), surplus);
    let configured = Driver::configure(CloudProvider::default(), provider).await;
    assert_eq!(invalid(configured), surplus);
}

#[tokio::test]
async fn the_driver_rejects_arguments_of_another_type_at_their_path() {
    let (driver, _) = start().await;
    let rule = Value::object([("prefix", number(1)), ("id", Value::Null)]);
    let rules = Value::Map([("x".to_owned(), rule)].into());
    let config = bucket([("name", text("a")), ("rules", rules)]);
    let (path, reason) = invalid(driver.plan(BUCKET, &config, None).await);
    assert_eq!(path, "rules[\"x\"].prefix");
    assert_eq!(reason, "the value is number, but the type is \"string\"");
}

#[tokio::test]
async fn the_driver_rejects_replacement_paths_that_lead_nowhere() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    let applied = driver.apply(BUCKET, &config, None).await.unwrap();
    let stored = applied.stored.unwrap();
    let plan = async |path: Path| {
        cloud.lock().unwrap().replace = Some(path);
        driver.plan(BUCKET, &config, Some(&stored)).await
    };
    assert!(plan(Path::to("note")).await.unwrap().replaces);
    for path in [
        Path::to("surplus"),
        Path::to("rules").key("x"),
        Path::to("name").attribute("first"),
        Path::root(),
    ] {
        let failed = plan(path).await.unwrap_err().to_string();
        assert!(failed.contains("leads to no attribute"), "{failed}");
    }
}
