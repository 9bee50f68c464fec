use std::time::Instant;

use terraform_plugin::protocol::tfplugin6::{get_provider_schema, lock_state};
use tonic::Code;

use crate::support::{Faulty, echo, floor, item};

const MEGABYTE: usize = 1_000_000;

#[tokio::test]
async fn the_schema_is_served() {
    let process = floor().start().await.unwrap();
    let mut client = process.client().await.unwrap();
    let schema = client
        .get_provider_schema(get_provider_schema::Request {})
        .await
        .unwrap();
    let schema = schema.into_inner();
    assert!(schema.provider.unwrap().block.is_some());
    assert!(schema.resource_schemas.contains_key("floor_item"));
    println!(
        "{:?} bytes of memory with the schema read",
        process.resident_memory()
    );
}

#[tokio::test]
async fn unsupported_rpcs_are_unimplemented() {
    let process = floor().start().await.unwrap();
    let mut client = process.client().await.unwrap();
    let status = client
        .lock_state(lock_state::Request::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn messages_of_5_and_100_megabytes_are_accepted_in_both_directions() {
    let process = floor().start().await.unwrap();
    let mut client = process.client().await.unwrap();
    for megabytes in [5, 100] {
        let value = item(&"a".repeat(megabytes * MEGABYTE));
        let start = Instant::now();
        let echoed = echo(&mut client, &value).await.unwrap();
        println!("{megabytes} MB there and back in {:?}", start.elapsed());
        assert!(echoed == value, "{megabytes} MB came back changed");
    }
}

#[tokio::test]
async fn a_panic_fails_only_its_call_and_is_reported_in_the_format_that_terraform_detects() {
    let faulty = Faulty::start().await;
    let status = faulty
        .apply("faulty_panic")
        .await
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    let stderr = faulty.process.stderr();
    let mut lines = stderr.lines();
    assert_eq!(lines.next(), Some("panic: injected panic"), "{stderr}");
    assert!(
        stderr.contains("registry.terraform.io/nautes/faulty 0.1.0 at "),
        "{stderr}"
    );
    assert!(stderr.contains("examples/faulty.rs:"), "{stderr}");

    let status = faulty
        .apply("no_such_type")
        .await
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(
        status.code(),
        Code::InvalidArgument,
        "the provider still answers"
    );
}

#[tokio::test]
async fn a_call_continues_when_its_client_disconnects() {
    let faulty = Faulty::start().await;
    let call = faulty.apply("faulty_slow").await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    faulty.stop().await;
    faulty.journal.wait_for("stopped").await;
}
