use std::collections::BTreeMap;

use terraform_plugin::protocol::tfplugin6::provider_server::Provider as _;
use terraform_plugin::protocol::tfplugin6::{DynamicValue, read_resource};
use terraform_plugin::testing::driver::{Driver, Stored};
use terraform_plugin::value::{Type, Value, encode};

use crate::bucket::{BUCKET, CloudProvider, Remote, Shared, bucket, start, text};

async fn with_bucket() -> (Driver<CloudProvider>, Shared, Stored) {
    let (driver, cloud) = start().await;
    let rule = Value::object([("prefix", text("logs/")), ("id", Value::Null)]);
    let config = bucket([
        ("name", text("a")),
        ("quota", Value::Number("0.1".parse().unwrap())),
        ("secret_wo_version", Value::Number(7_u64.into())),
        ("rules", Value::Map([("x".to_owned(), rule)].into())),
    ]);
    let applied = driver.apply(BUCKET, &config, None).await.unwrap();
    (driver, cloud, applied.stored.unwrap())
}

fn etag(stored: &Stored) -> String {
    let mut private: BTreeMap<String, String> = serde_json::from_slice(&stored.private).unwrap();
    private.remove("etag").unwrap()
}

fn bucket_type(driver: &Driver<CloudProvider>) -> Type {
    let mut schemas = driver.service().registry().resource_schemas();
    schemas.next().unwrap().1.value_type()
}

#[tokio::test]
async fn a_refresh_without_changes_returns_the_stored_message() {
    let (driver, _, stored) = with_bucket().await;
    let state = DynamicValue {
        msgpack: encode(&stored.value, &bucket_type(&driver)).into(),
        ..Default::default()
    };
    let request = read_resource::Request {
        type_name: BUCKET.to_owned(),
        current_state: Some(state.clone()),
        private: stored.private.clone(),
        ..Default::default()
    };
    let service = driver.service();
    let response = service.read_resource(tonic::Request::new(request)).await;
    let response = response.unwrap().into_inner();
    assert!(response.new_state == Some(state));
    assert_eq!(response.private, stored.private);
}

#[tokio::test]
async fn a_refresh_discards_private_data_that_changes_without_an_attribute() {
    let (driver, cloud, stored) = with_bucket().await;
    cloud.lock().unwrap().etag = Some("2");
    let read = driver.read(BUCKET, &stored).await.unwrap().unwrap();
    assert_eq!(read.private, stored.private);
}

#[tokio::test]
async fn a_refresh_stores_private_data_that_changes_with_an_attribute() {
    let (driver, cloud, stored) = with_bucket().await;
    assert_eq!(etag(&stored), "1");
    cloud.lock().unwrap().etag = Some("2");
    cloud.lock().unwrap().buckets.get_mut("a").unwrap().note = Some("changed".to_owned());
    let read = driver.read(BUCKET, &stored).await.unwrap().unwrap();
    assert_eq!(etag(&read), "2");
}

#[tokio::test]
async fn the_read_that_completes_an_import_stores_private_data() {
    let (driver, cloud) = start().await;
    let remote = Remote {
        class: "standard".to_owned(),
        complete: true,
        ..Remote::default()
    };
    {
        let mut cloud = cloud.lock().unwrap();
        cloud.buckets.insert("a".to_owned(), remote);
        cloud.etag = Some("2");
    }
    let imported = driver.import(BUCKET, "a").await.unwrap().unwrap();
    assert_eq!(&imported.private[..], br#"{"etag":"2"}"#);
    cloud.lock().unwrap().etag = Some("3");
    let read = driver.read(BUCKET, &imported).await.unwrap().unwrap();
    assert_eq!(read.private, imported.private, "a later refresh does not");
}
