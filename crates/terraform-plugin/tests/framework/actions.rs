use std::time::Duration;

use terraform_plugin::protocol::tfplugin6::provider_server::Provider as _;
use terraform_plugin::protocol::tfplugin6::{Diagnostic, DynamicValue, invoke_action};
use terraform_plugin::testing::driver::{Driver, Failure};
use terraform_plugin::value::{Type, Value, encode};
use tokio::time::sleep;
use tokio_stream::StreamExt as _;

use crate::bucket::{
    BUCKET, CloudProvider, Fault, Remote, Shared, number, provider_config, start, text,
};

fn emptying(bucket: Value, password: Value) -> Value {
    Value::object([
        ("bucket", bucket),
        ("steps", Value::Null),
        ("password_wo", password),
    ])
}

async fn with_bucket() -> (Driver<CloudProvider>, Shared) {
    let (driver, cloud) = start().await;
    let buckets = &mut cloud.lock().unwrap().buckets;
    buckets.insert("a".to_owned(), Remote::default());
    (driver, std::sync::Arc::clone(&cloud))
}

fn summaries(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|d| d.summary.as_str()).collect()
}

#[tokio::test]
async fn progress_is_streamed_before_the_diagnostics() {
    let (driver, cloud) = with_bucket().await;
    let config = emptying(text("a"), Value::Null);
    let invoked = driver.invoke(BUCKET, &config).await.unwrap();
    assert_eq!(invoked.progress, ["step 1 of 2", "step 2 of 2"]);
    assert_eq!(summaries(&invoked.diagnostics), ["No password"]);
    let config = emptying(text("a"), text("secret"));
    let invoked = driver.invoke(BUCKET, &config).await.unwrap();
    assert!(invoked.diagnostics.is_empty(), "the password has arrived");
    assert_eq!(cloud.lock().unwrap().emptied, ["a", "a"]);
}

#[tokio::test]
async fn a_value_that_becomes_known_after_the_plan_and_does_not_fit_is_an_error_of_the_user() {
    let (driver, cloud) = with_bucket().await;
    let mut actions = driver.service().registry().action_schemas();
    let kind = actions.next().unwrap().1.value_type();
    let config = Value::object([("bucket", text("a")), ("steps", number(-1))]);
    let request = invoke_action::Request {
        action_type: BUCKET.to_owned(),
        config: Some(DynamicValue {
            msgpack: encode(&config, &kind).into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let service = driver.service();
    let events = service.invoke_action(tonic::Request::new(request)).await;
    let event = events.unwrap().into_inner().next().await;
    match event.unwrap().unwrap().r#type {
        Some(invoke_action::event::Type::Completed(completed)) => {
            assert_eq!(
                summaries(&completed.diagnostics),
                ["Invalid value for steps"]
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(cloud.lock().unwrap().emptied.is_empty());
}

#[tokio::test]
async fn every_failure_ends_with_a_completion() {
    let (driver, cloud) = with_bucket().await;
    let config = emptying(text("a"), Value::Null);
    for (fault, message) in [
        (Fault::Early, "The cloud refused."),
        (Fault::Halfway, "The cloud went away."),
        (Fault::Panic, "injected panic"),
    ] {
        cloud.lock().unwrap().fault = fault;
        let invoked = driver.invoke(BUCKET, &config).await.unwrap();
        assert_eq!(invoked.progress, ["step 1 of 2"]);
        let detail = &invoked.diagnostics[0].detail;
        assert!(detail.contains(message), "{detail}");
    }
    driver
        .reconfigure(&provider_config(Value::Unknown))
        .await
        .unwrap();
    let invoked = driver.invoke(BUCKET, &config).await.unwrap();
    assert_eq!(invoked.diagnostics.len(), 1, "there is no client");
    assert!(cloud.lock().unwrap().emptied.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_an_invocation_after_the_grace_period() {
    let (driver, cloud) = with_bucket().await;
    cloud.lock().unwrap().fault = Fault::Hang;
    let config = emptying(text("a"), Value::Null);
    let stop = async {
        sleep(Duration::from_secs(1)).await;
        driver.stop().await.unwrap();
    };
    let (invoked, ()) = tokio::join!(driver.invoke(BUCKET, &config), stop);
    let diagnostics = invoked.unwrap().diagnostics;
    assert_eq!(summaries(&diagnostics), ["The action was interrupted"]);
}

#[tokio::test]
async fn a_plan_checks_only_known_values() {
    let (driver, _) = with_bucket().await;
    let unknown = emptying(Value::Unknown, Value::Unknown);
    assert!(driver.plan_action(BUCKET, &unknown).await.is_ok());
    let refused = driver
        .plan_action(BUCKET, &emptying(text("b"), Value::Null))
        .await;
    assert!(matches!(refused, Err(Failure::Reported(_))));
    let missing = driver
        .plan_action(BUCKET, &emptying(Value::Null, Value::Null))
        .await;
    assert!(missing.unwrap_err().to_string().contains("is required"));
}

#[tokio::test]
async fn an_invocation_continues_when_its_stream_is_dropped() {
    let (driver, cloud) = with_bucket().await;
    let kind = Type::Object(
        [
            ("bucket".to_owned(), Type::String),
            ("password_wo".to_owned(), Type::String),
            ("steps".to_owned(), Type::Number),
        ]
        .into(),
    );
    let request = invoke_action::Request {
        action_type: BUCKET.to_owned(),
        config: Some(DynamicValue {
            msgpack: encode(&emptying(text("a"), Value::Null), &kind).into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let service = driver.service();
    drop(service.invoke_action(tonic::Request::new(request)).await);
    for _ in 0..500 {
        if cloud.lock().unwrap().emptied == ["a"] {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the invocation has ended with its reader");
}
