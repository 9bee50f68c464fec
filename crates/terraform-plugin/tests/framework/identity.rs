use terraform_plugin::protocol::tfplugin6 as tf;
use terraform_plugin::protocol::tfplugin6::provider_server::Provider as _;
use terraform_plugin::testing::driver::{Driver, Failure, Stored};
use terraform_plugin::value::{Type, decode};

use crate::bucket::{BUCKET, CloudProvider, Fault, Shared, bucket, start, text};

async fn with_bucket() -> (Driver<CloudProvider>, Shared, Stored) {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    let applied = driver.apply(BUCKET, &config, None).await.unwrap();
    (driver, cloud, applied.stored.unwrap())
}

#[tokio::test]
async fn a_read_that_changes_the_identity_is_an_error_and_keeps_the_state() {
    let (driver, cloud, stored) = with_bucket().await;
    cloud.lock().unwrap().buckets.get_mut("a").unwrap().renamed = Some("b");
    match driver.read(BUCKET, &stored).await {
        Err(Failure::Reported(found)) => {
            let detail = &found[0].detail;
            assert!(
                detail.contains("identity of the object has changed"),
                "{detail}"
            );
        }
        other => panic!("{other:?}"),
    }
    let older = Stored {
        identity: None,
        ..stored
    };
    let read = driver.read(BUCKET, &older).await.unwrap().unwrap();
    assert!(
        read.identity.is_some(),
        "a state without an identity gains one"
    );
}

#[tokio::test]
async fn an_update_that_changes_the_identity_is_an_error_and_keeps_the_identity() {
    let (driver, cloud, stored) = with_bucket().await;
    cloud.lock().unwrap().buckets.get_mut("a").unwrap().renamed = Some("b");
    let config = bucket([("name", text("a")), ("note", text("n"))]);
    let failed = driver.apply(BUCKET, &config, Some(&stored)).await.unwrap();
    assert_eq!(failed.diagnostics[0].summary, "Bug in the provider");
    assert_eq!(failed.stored.unwrap().identity, stored.identity);
}

#[tokio::test]
async fn a_failed_update_that_changes_the_identity_keeps_the_identity() {
    let (driver, cloud, stored) = with_bucket().await;
    cloud.lock().unwrap().buckets.get_mut("a").unwrap().renamed = Some("b");
    cloud.lock().unwrap().fault = Fault::Halfway;
    let config = bucket([("name", text("a")), ("note", text("n"))]);
    let failed = driver.apply(BUCKET, &config, Some(&stored)).await.unwrap();
    let summaries = failed.diagnostics.iter().map(|found| &found.summary);
    let expected = ["Half changed", "Bug in the provider"];
    assert_eq!(summaries.collect::<Vec<_>>(), expected);
    assert_eq!(failed.stored.unwrap().identity, stored.identity);
}

#[tokio::test]
async fn an_identity_has_a_version_and_older_ones_are_upgraded() {
    let (driver, _) = start().await;
    let service = driver.service();
    let request = tonic::Request::new(tf::get_resource_identity_schemas::Request {});
    let schemas = service.get_resource_identity_schemas(request).await;
    let schemas = schemas.unwrap().into_inner().identity_schemas;
    assert_eq!(schemas[BUCKET].version, 2);

    let upgrade = async |version, json: &str| {
        let request = tf::upgrade_resource_identity::Request {
            type_name: BUCKET.to_owned(),
            version,
            raw_identity: Some(tf::RawState {
                json: json.as_bytes().to_vec().into(),
                ..Default::default()
            }),
        };
        let upgraded = service.upgrade_resource_identity(tonic::Request::new(request));
        upgraded.await.unwrap().into_inner()
    };
    let kind = Type::Object([("name".to_owned(), Type::String)].into());
    for (version, json) in [(1, r#"{"bucket":"a"}"#), (2, r#"{"name":"a"}"#)] {
        let upgraded = upgrade(version, json).await.upgraded_identity.unwrap();
        let data = upgraded.identity_data.unwrap();
        let identity = decode(&data.msgpack, &kind).unwrap();
        assert_eq!(identity.attribute("name"), &text("a"));
    }
    assert_eq!(upgrade(1, "not json").await.diagnostics.len(), 1);
}
