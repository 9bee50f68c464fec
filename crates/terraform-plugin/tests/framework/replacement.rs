use terraform_plugin::protocol::tfplugin6 as tf;
use terraform_plugin::protocol::tfplugin6::provider_server::Provider as _;
use terraform_plugin::testing::driver::{Driver, Stored};
use terraform_plugin::value::{Type, Value, encode};

use crate::bucket::{BUCKET, CloudProvider, Fault, Shared, bucket, start, text};

async fn with_bucket() -> (Driver<CloudProvider>, Shared, Stored) {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    let applied = driver.apply(BUCKET, &config, None).await.unwrap();
    cloud.lock().unwrap().replaced_etags.clear();
    cloud.lock().unwrap().operation_etags.clear();
    (driver, cloud, applied.stored.unwrap())
}

fn successor() -> Value {
    bucket([("name", text("b"))])
}

#[tokio::test]
async fn the_deletion_half_of_a_replacement_is_recognised_and_has_the_private_data_of_its_object() {
    let (driver, cloud, stored) = with_bucket().await;
    let applied = driver.apply(BUCKET, &successor(), Some(&stored)).await;
    let replaced = applied.unwrap().stored.unwrap();
    let cloud = cloud.lock().unwrap();
    assert_eq!(cloud.replacements_seen, [true]);
    let etags = [Some("1".to_owned()), None];
    assert_eq!(
        cloud.operation_etags, etags,
        "of the deletion and the creation"
    );
    assert_eq!(
        &replaced.private[..],
        br#"{"etag":"1"}"#,
        "nothing is added"
    );
}

#[tokio::test]
async fn the_plan_of_a_creation_knows_the_private_data_of_the_object_that_it_replaces() {
    let (driver, cloud, stored) = with_bucket().await;
    driver.plan(BUCKET, &successor(), None).await.unwrap();
    driver
        .plan(BUCKET, &successor(), Some(&stored))
        .await
        .unwrap();
    let tainted = Stored {
        tainted: true,
        ..stored
    };
    driver
        .plan(BUCKET, &successor(), Some(&tainted))
        .await
        .unwrap();
    let seen = &cloud.lock().unwrap().replaced_etags;
    assert_eq!(*seen, [None, Some("1".to_owned()), None]);
}

#[tokio::test]
async fn a_failed_deletion_half_of_a_replacement_keeps_the_private_data_of_its_object() {
    let (driver, cloud, stored) = with_bucket().await;
    for fault in [Fault::Early, Fault::Panic] {
        cloud.lock().unwrap().fault = fault;
        let failed = driver.apply(BUCKET, &successor(), Some(&stored)).await;
        let kept = failed.unwrap().stored.unwrap();
        assert_eq!(kept.value, stored.value);
        assert_eq!(kept.private, stored.private);
    }
}

#[tokio::test]
async fn a_plan_does_not_depend_on_the_private_data_of_an_earlier_plan() {
    let (driver, _, stored) = with_bucket().await;
    let mut schemas = driver.service().registry().resource_schemas();
    let kind: Type = schemas.next().unwrap().1.value_type();
    let on_wire = |value: &Value| {
        Some(tf::DynamicValue {
            msgpack: encode(value, &kind).into(),
            ..Default::default()
        })
    };
    let config = bucket([("name", text("a")), ("note", text("n"))]);
    let plan = async |planned_private: &[u8]| {
        let request = tf::plan_resource_change::Request {
            type_name: BUCKET.to_owned(),
            prior_state: on_wire(&stored.value),
            proposed_new_state: on_wire(&config),
            config: on_wire(&config),
            prior_private: stored.private.clone(),
            planned_private: planned_private.to_vec().into(),
            ..Default::default()
        };
        let service = driver.service();
        let planned = service.plan_resource_change(tonic::Request::new(request));
        planned.await.unwrap().into_inner()
    };
    let first = plan(b"").await;
    assert!(first.diagnostics.is_empty());
    for planned_private in [&first.planned_private[..], b"another program's"] {
        assert!(plan(planned_private).await == first);
    }
}
