use std::time::Duration;

use terraform_plugin::protocol::tfplugin6::list_resource;
use terraform_plugin::protocol::tfplugin6::provider_server::Provider as _;
use terraform_plugin::testing::driver::{Driver, FoundObject, Search};
use terraform_plugin::value::{Type, Value, encode};
use tokio::time::sleep;

use crate::bucket::{BUCKET, CloudProvider, Fault, Remote, Shared, start, text};

fn search(prefix: Option<&str>) -> Search {
    let prefix = prefix.map_or(Value::Null, text);
    Search {
        config: Value::object([("prefix", prefix), ("class", Value::Null)]),
        include_resource: false,
        limit: 0,
    }
}

async fn with_buckets(names: &[&str]) -> (Driver<CloudProvider>, Shared) {
    let (driver, cloud) = start().await;
    for name in names {
        let class = if *name == "cold" { "cold" } else { "standard" };
        let remote = Remote {
            class: class.to_owned(),
            complete: true,
            ..Remote::default()
        };
        cloud
            .lock()
            .unwrap()
            .buckets
            .insert((*name).to_owned(), remote);
    }
    (driver, cloud)
}

fn names(found: &[FoundObject]) -> Vec<&str> {
    let identities = found.iter().map(|object| object.identity.attribute("name"));
    identities.map(|name| name.as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_search_uses_the_configuration_and_its_defaults() {
    let (driver, _) = with_buckets(&["a1", "a2", "b1", "cold"]).await;
    let (found, result) = driver.list(BUCKET, &search(None)).await;
    result.unwrap();
    assert_eq!(names(&found), ["a1", "a2", "b1"]);
    assert_eq!(found[0].display_name, "Bucket a1");
    let (found, result) = driver.list(BUCKET, &search(Some("a"))).await;
    result.unwrap();
    assert_eq!(names(&found), ["a1", "a2"]);
}

#[tokio::test]
async fn attributes_are_returned_on_request() {
    let (driver, cloud) = with_buckets(&["a"]).await;
    let (found, _) = driver.list(BUCKET, &search(None)).await;
    assert!(found[0].value.is_none());
    let with_state = Search {
        include_resource: true,
        ..search(None)
    };
    let (found, result) = driver.list(BUCKET, &with_state).await;
    result.unwrap();
    let value = found[0].value.as_ref().unwrap();
    assert!(*value.attribute("id") == text("bucket-a"));
    cloud.lock().unwrap().fault = Fault::WrongResult;
    let (_, result) = driver.list(BUCKET, &with_state).await;
    let failed = result.unwrap_err().to_string();
    assert!(failed.contains("without its attributes"), "{failed}");
}

#[tokio::test]
async fn a_search_stops_at_its_limit() {
    let (driver, cloud) = with_buckets(&["a", "b", "c", "d", "e", "f", "g", "h"]).await;
    let two = Search {
        limit: 2,
        ..search(None)
    };
    let (found, result) = driver.list(BUCKET, &two).await;
    result.unwrap();
    assert_eq!(names(&found), ["a", "b"]);
    until_ended(&cloud).await;
    assert!(cloud.lock().unwrap().listed < 8, "the rest is not searched");
}

#[tokio::test]
async fn a_failure_is_reported_after_the_objects_found() {
    let (driver, cloud) = with_buckets(&["a", "b"]).await;
    cloud.lock().unwrap().fault = Fault::Halfway;
    let (found, result) = driver.list(BUCKET, &search(None)).await;
    assert_eq!(names(&found), ["a"]);
    assert!(result.unwrap_err().to_string().contains("Half listed"));
    cloud.lock().unwrap().fault = Fault::Panic;
    let (found, result) = driver.list(BUCKET, &search(None)).await;
    assert_eq!(found.len(), 2);
    let panicked = result.unwrap_err().to_string();
    assert!(panicked.contains("injected panic"), "{panicked}");
    let (found, result) = driver.list(BUCKET, &search(Some(""))).await;
    assert!(found.is_empty());
    assert!(result.unwrap_err().to_string().contains("Empty prefix"));
}

#[tokio::test]
async fn a_search_ends_when_its_stream_is_dropped() {
    let (driver, cloud) = with_buckets(&["a"]).await;
    cloud.lock().unwrap().fault = Fault::Hang;
    let kind = Type::Object(
        [
            ("class".to_owned(), Type::String),
            ("prefix".to_owned(), Type::String),
        ]
        .into(),
    );
    let request = list_resource::Request {
        type_name: BUCKET.to_owned(),
        config: Some(terraform_plugin::protocol::tfplugin6::DynamicValue {
            msgpack: encode(&search(None).config, &kind).into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let service = driver.service();
    let events = service.list_resource(tonic::Request::new(request)).await;
    sleep(Duration::from_millis(20)).await;
    assert_eq!(cloud.lock().unwrap().searches_ended, 0);
    drop(events);
    until_ended(&cloud).await;
}

async fn until_ended(cloud: &Shared) {
    for _ in 0..500 {
        if cloud.lock().unwrap().searches_ended > 0 {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the search continues");
}
