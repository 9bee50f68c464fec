use terraform_plugin::protocol::tfplugin6 as tf;
use terraform_plugin::protocol::tfplugin6::provider_server::Provider as _;
use terraform_plugin::testing::driver::Failure;
use terraform_plugin::value::Value;

use crate::bucket::{BUCKET, Fault, Shared, bucket, named, number, provider_config, start, text};

#[tokio::test]
async fn the_schemas_have_no_faults() {
    let (driver, _) = start().await;
    assert_eq!(driver.service().schema_faults(), vec![]);
    let response = driver
        .service()
        .get_provider_schema(tonic::Request::new(tf::get_provider_schema::Request {}))
        .await
        .unwrap()
        .into_inner();
    assert!(response.diagnostics.is_empty());
    let block = response.resource_schemas["cloud_bucket"]
        .block
        .clone()
        .unwrap();
    let rules = block.attributes.iter().find(|a| a.name == "rules").unwrap();
    assert!(
        rules.r#type.is_empty() && rules.nested_type.is_some(),
        "never both"
    );
}

#[tokio::test]
async fn an_object_is_created_read_updated_and_deleted() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a")), ("note", text("n"))]);
    let created = driver.apply(BUCKET, &config, None).await.unwrap();
    assert!(created.diagnostics.is_empty(), "{:?}", created.diagnostics);
    let created = created.stored.unwrap();
    assert_eq!(created.value.attribute("id"), &text("bucket-a"));
    assert_eq!(created.value.attribute("class"), &text("standard"));
    assert_eq!(created.identity, Some(Value::object([("name", text("a"))])));

    let read = driver.read(BUCKET, &created).await.unwrap().unwrap();
    assert!(
        driver
            .plan(BUCKET, &config, Some(&read))
            .await
            .unwrap()
            .is_empty
    );

    let config = bucket([("name", text("a")), ("class", text("cold"))]);
    let change = driver.plan(BUCKET, &config, Some(&read)).await.unwrap();
    assert_eq!(
        change.planned.attribute("id"),
        &text("bucket-a"),
        "ids survive updates"
    );
    let updated = driver
        .apply(BUCKET, &config, Some(&read))
        .await
        .unwrap()
        .stored
        .unwrap();
    assert_eq!(cloud.lock().unwrap().buckets["a"].class, "cold");

    let deleted = driver
        .apply(BUCKET, &Value::Null, Some(&updated))
        .await
        .unwrap();
    assert!(deleted.stored.is_none());
    assert!(cloud.lock().unwrap().buckets.is_empty());
    assert_eq!(
        cloud.lock().unwrap().replacements_seen,
        [false],
        "a pure deletion"
    );
}

#[tokio::test]
async fn the_deletion_half_of_a_replacement_is_recognised() {
    let (driver, cloud) = start().await;
    let first = bucket([("name", text("a"))]);
    let stored = driver
        .apply(BUCKET, &first, None)
        .await
        .unwrap()
        .stored
        .unwrap();
    let second = bucket([("name", text("b"))]);
    let change = driver.plan(BUCKET, &second, Some(&stored)).await.unwrap();
    assert!(change.replaces);
    assert_eq!(
        change.planned.attribute("id"),
        &Value::Unknown,
        "the successor has another id"
    );
    let replaced = driver
        .apply(BUCKET, &second, Some(&stored))
        .await
        .unwrap()
        .stored
        .unwrap();
    assert_eq!(replaced.value.attribute("id"), &text("bucket-b"));
    assert_eq!(cloud.lock().unwrap().replacements_seen, [true]);
}

#[tokio::test]
async fn computed_attributes_of_map_elements_are_stable_by_key() {
    let (driver, _) = start().await;
    let rule = |prefix: &str| Value::object([("prefix", text(prefix)), ("id", Value::Null)]);
    let rules = |keys: &[&str]| {
        let elements = keys.iter().map(|key| ((*key).to_owned(), rule(key)));
        bucket([
            ("name", text("a")),
            ("rules", Value::Map(elements.collect())),
        ])
    };
    let one = rules(&["x"]);
    let stored = driver
        .apply(BUCKET, &one, None)
        .await
        .unwrap()
        .stored
        .unwrap();
    let two = rules(&["x", "y"]);
    let change = driver.plan(BUCKET, &two, Some(&stored)).await.unwrap();
    let Value::Map(planned) = change.planned.attribute("rules") else {
        panic!("a map")
    };
    assert_eq!(planned["x"].attribute("id"), &text("rule-x"));
    assert_eq!(planned["y"].attribute("id"), &Value::Unknown);
    let stored = driver
        .apply(BUCKET, &two, Some(&stored))
        .await
        .unwrap()
        .stored
        .unwrap();
    assert!(
        driver
            .plan(BUCKET, &two, Some(&stored))
            .await
            .unwrap()
            .is_empty
    );
}

#[tokio::test]
async fn computed_attributes_of_list_elements_follow_them_to_another_position() {
    let (driver, _) = start().await;
    let config = |urls: &[&str]| {
        let hook = |url: &&str| Value::object([("url", text(url)), ("id", Value::Null)]);
        let hooks = Value::List(urls.iter().map(hook).collect());
        bucket([("name", text("a")), ("hooks", hooks)])
    };
    let ids = |value: &Value| match value.attribute("hooks") {
        Value::List(hooks) => hooks
            .iter()
            .map(|hook| hook.attribute("id").clone())
            .collect(),
        _ => Vec::new(),
    };
    let applied = driver.apply(BUCKET, &config(&["x", "y"]), None).await;
    let stored = applied.unwrap().stored.unwrap();
    let inserted = config(&["new", "x", "y"]);
    let change = driver.plan(BUCKET, &inserted, Some(&stored)).await.unwrap();
    let expected = [Value::Unknown, text("hook-x"), text("hook-y")];
    assert_eq!(ids(&change.planned), expected);
    let applied = driver.apply(BUCKET, &inserted, Some(&stored)).await;
    let stored = applied.unwrap().stored.unwrap();
    let expected = [text("hook-new"), text("hook-x"), text("hook-y")];
    assert_eq!(ids(&stored.value), expected);
    let removed = config(&["x", "y"]);
    let applied = driver.apply(BUCKET, &removed, Some(&stored)).await;
    let stored = applied.unwrap().stored.unwrap();
    assert_eq!(ids(&stored.value), [text("hook-x"), text("hook-y")]);
}

#[tokio::test]
async fn a_missing_object_is_planned_for_creation() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    let stored = driver
        .apply(BUCKET, &config, None)
        .await
        .unwrap()
        .stored
        .unwrap();
    cloud.lock().unwrap().buckets.clear();
    assert!(driver.read(BUCKET, &stored).await.unwrap().is_none());
    let change = driver.plan(BUCKET, &config, None).await.unwrap();
    assert!(!change.is_empty && change.planned.attribute("id").is_unknown());
    let deleted = driver
        .apply(BUCKET, &Value::Null, Some(&stored))
        .await
        .unwrap();
    assert!(
        deleted.stored.is_none() && deleted.diagnostics.is_empty(),
        "gone already is fine"
    );
}

#[tokio::test]
async fn drift_is_repaired_by_an_update() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    let stored = driver
        .apply(BUCKET, &config, None)
        .await
        .unwrap()
        .stored
        .unwrap();
    cloud.lock().unwrap().buckets.get_mut("a").unwrap().complete = false;
    let drifted = driver.read(BUCKET, &stored).await.unwrap().unwrap();
    assert_eq!(
        drifted.value.attribute("drift"),
        &text("the bucket is incomplete")
    );
    let change = driver.plan(BUCKET, &config, Some(&drifted)).await.unwrap();
    assert!(!change.is_empty && !change.replaces);
    let repaired = driver
        .apply(BUCKET, &config, Some(&drifted))
        .await
        .unwrap()
        .stored
        .unwrap();
    assert!(cloud.lock().unwrap().buckets["a"].complete);
    assert!(
        driver
            .plan(BUCKET, &config, Some(&repaired))
            .await
            .unwrap()
            .is_empty
    );
}

#[tokio::test]
async fn an_object_is_imported_by_id_and_by_identity() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a")), ("note", text("n"))]);
    driver.apply(BUCKET, &config, None).await.unwrap();
    let by_id = driver.import(BUCKET, "a").await.unwrap().unwrap();
    assert!(
        driver
            .plan(BUCKET, &config, Some(&by_id))
            .await
            .unwrap()
            .is_empty
    );
    let identity = Value::object([("name", text("a"))]);
    let by_identity = driver
        .import_identity(BUCKET, &identity)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(by_identity.value, by_id.value);
    assert_eq!(by_identity.identity, Some(identity));
    cloud.lock().unwrap().buckets.clear();
    let missing = driver.import(BUCKET, "a").await.unwrap_err();
    assert!(
        missing.to_string().contains("nothing to import"),
        "{missing}"
    );
}

#[tokio::test]
async fn stored_state_of_an_older_version_is_upgraded_and_of_the_current_version_is_completed() {
    let (driver, _) = start().await;
    let old = driver
        .upgrade(BUCKET, 0, r#"{"name":"a","tier":"cold"}"#)
        .await
        .unwrap();
    assert_eq!(old.attribute("class"), &text("cold"));
    let json = r#"{"name":"a","class":"cold","gone":1,"id":"x"}"#;
    let same = driver.upgrade(BUCKET, 1, json).await.unwrap();
    assert_eq!(
        same.attribute("note"),
        &Value::Null,
        "a new attribute is null"
    );
    let newer = driver.upgrade(BUCKET, 0, "not json").await;
    assert!(matches!(newer, Err(Failure::Reported(_))));
}

#[tokio::test]
async fn an_object_can_be_moved_from_another_type_of_resource() {
    let (driver, _) = start().await;
    let request = |source: &str| {
        tonic::Request::new(tf::move_resource_state::Request {
            source_type_name: source.to_owned(),
            target_type_name: BUCKET.to_owned(),
            source_state: Some(tf::RawState {
                json: br#"{"name":"a","tier":"cold"}"#.to_vec().into(),
                ..Default::default()
            }),
            ..Default::default()
        })
    };
    let service = driver.service();
    let moved = service
        .move_resource_state(request("other_bucket"))
        .await
        .unwrap()
        .into_inner();
    assert!(moved.diagnostics.is_empty() && moved.target_state.is_some());
    assert!(moved.target_identity.is_some());
    let refused = service
        .move_resource_state(request("other_thing"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(refused.diagnostics.len(), 1);
}

#[tokio::test]
async fn a_write_only_value_reaches_the_provider_and_is_never_stored() {
    let (mut driver, cloud) = start().await;
    let config = |secret: &str, version| {
        bucket([
            ("name", text("a")),
            ("secret_wo", text(secret)),
            ("secret_wo_version", number(version)),
        ])
    };
    let change = driver.plan(BUCKET, &config("s1", 1), None).await.unwrap();
    assert!(change.planned.attribute("secret_wo").is_null());
    let stored = driver
        .apply(BUCKET, &config("s1", 1), None)
        .await
        .unwrap()
        .stored
        .unwrap();
    assert!(stored.value.attribute("secret_wo").is_null());
    assert_eq!(
        cloud.lock().unwrap().buckets["a"].secret.as_deref(),
        Some("s1")
    );
    let unchanged = driver
        .plan(BUCKET, &config("s2", 1), Some(&stored))
        .await
        .unwrap();
    assert!(
        unchanged.is_empty,
        "only the version tells that a secret changed"
    );
    driver
        .apply(BUCKET, &config("s2", 2), Some(&stored))
        .await
        .unwrap();
    assert_eq!(
        cloud.lock().unwrap().buckets["a"].secret.as_deref(),
        Some("s2")
    );

    driver.allow_write_only(false);
    let refused = driver
        .plan(BUCKET, &config("s3", 3), Some(&stored))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("1.11"), "{refused}");
}

#[tokio::test]
async fn an_unknown_provider_configuration_is_an_error_only_where_a_client_is_required() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    let stored = driver
        .apply(BUCKET, &config, None)
        .await
        .unwrap()
        .stored
        .unwrap();
    driver
        .reconfigure(&provider_config(Value::Unknown))
        .await
        .unwrap();
    cloud.lock().unwrap().buckets.clear();
    let read = driver.read(BUCKET, &stored).await.unwrap().unwrap();
    assert_eq!(read.value, stored.value, "the stored state stands in");
    assert!(
        driver
            .plan(BUCKET, &config, Some(&read))
            .await
            .unwrap()
            .is_empty
    );
    let failed = driver
        .read_data_source(BUCKET, &named("a"))
        .await
        .unwrap_err();
    assert!(failed.to_string().contains("not known yet"), "{failed}");
}

#[tokio::test]
async fn a_second_run_of_one_process_gets_its_own_configuration() {
    let (driver, _) = start().await;
    assert!(
        driver
            .reconfigure(&provider_config(text("moon")))
            .await
            .is_err()
    );
    let refused = driver.import(BUCKET, "a").await.unwrap_err();
    assert!(
        refused.to_string().contains("not known yet"),
        "the old client is gone: {refused}"
    );
    driver
        .reconfigure(&provider_config(text("earth")))
        .await
        .unwrap();
    driver
        .apply(BUCKET, &bucket([("name", text("a"))]), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_data_source_reads_the_object_that_its_arguments_identify() {
    let (driver, _) = start().await;
    driver
        .apply(BUCKET, &bucket([("name", text("a"))]), None)
        .await
        .unwrap();
    let data = driver.read_data_source(BUCKET, &named("a")).await.unwrap();
    assert_eq!(data.attribute("id"), &text("bucket-a"));
    assert!(driver.read_data_source(BUCKET, &named("b")).await.is_err());
}

#[tokio::test]
async fn the_driver_rejects_a_result_that_was_not_planned() {
    let (driver, cloud) = start().await;
    cloud.lock().unwrap().fault = Fault::WrongResult;
    let lied = driver
        .apply(BUCKET, &bucket([("name", text("a"))]), None)
        .await;
    assert!(matches!(lied, Err(Failure::Inconsistent(_))));
}

#[tokio::test]
async fn defaults_apply_to_the_provider_block() {
    let (driver, cloud) = start().await;
    let class = |cloud: &Shared| cloud.lock().unwrap().default_class.clone().unwrap();
    assert_eq!(class(&cloud), "standard");
    let config = Value::object([("region", Value::Null), ("class", text("cold"))]);
    driver.reconfigure(&config).await.unwrap();
    assert_eq!(class(&cloud), "cold");
}

#[tokio::test]
async fn defaults_apply_to_the_arguments_of_a_data_source() {
    let (driver, _) = start().await;
    let cold = bucket([("name", text("a")), ("class", text("cold"))]);
    driver.apply(BUCKET, &cold, None).await.unwrap();
    assert!(driver.read_data_source(BUCKET, &named("a")).await.is_err());
    let Value::Object(mut config) = named("a") else {
        panic!("an object")
    };
    config.insert("class".to_owned(), text("cold"));
    let data = driver
        .read_data_source(BUCKET, &Value::Object(config))
        .await;
    assert_eq!(data.unwrap().attribute("class"), &text("cold"));
}
