use terraform_plugin::testing::driver::Failure;
use terraform_plugin::value::Value;

use crate::bucket::{BUCKET, Fault, provider_config, start, text};
use crate::kinds::renewal;

fn session(bucket: Value, right: Value) -> Value {
    Value::object([("bucket", bucket), ("right", right), ("token", Value::Null)])
}

fn read_session() -> Value {
    session(text("a"), Value::Null)
}

#[tokio::test]
async fn it_is_opened_renewed_and_closed() {
    let (driver, cloud) = start().await;
    let mut open = driver.open(BUCKET, &read_session()).await.unwrap();
    assert!(*open.value.attribute("token") == text("t0p-s3cret"));
    assert!(
        *open.value.attribute("right") == text("read"),
        "the default"
    );
    assert_eq!(open.renew_at, Some(renewal()));
    driver.renew(BUCKET, &mut open).await.unwrap();
    assert_eq!(open.renew_at, None, "no more renewals");
    driver.close(BUCKET, open).await.unwrap();
    assert_eq!(cloud.lock().unwrap().closed, [("a".to_owned(), true)]);
}

#[tokio::test]
async fn its_configuration_is_validated() {
    let (driver, cloud) = start().await;
    let config = Value::object([
        ("bucket", text("a")),
        ("right", Value::Null),
        ("token", text("mine")),
    ]);
    let refused = driver.open(BUCKET, &config).await.unwrap_err();
    assert!(refused.to_string().contains("token cannot be set"));
    assert!(cloud.lock().unwrap().sessions.is_empty());
}

#[tokio::test]
async fn a_result_that_does_not_match_the_configuration_is_rejected_and_closed() {
    let (driver, cloud) = start().await;
    cloud.lock().unwrap().fault = Fault::WrongResult;
    let config = session(text("a"), text("read"));
    let refused = driver.open(BUCKET, &config).await.unwrap_err();
    assert!(refused.to_string().contains("right: "), "{refused}");
    cloud.lock().unwrap().fault = Fault::Halfway;
    let refused = driver.open(BUCKET, &config).await.unwrap_err();
    let expected = "an unknown value for token";
    assert!(refused.to_string().contains(expected), "{refused}");
    assert_eq!(cloud.lock().unwrap().closed.len(), 2);
}

#[tokio::test]
async fn a_failed_renewal_keeps_the_private_state() {
    let (driver, cloud) = start().await;
    let mut open = driver.open(BUCKET, &read_session()).await.unwrap();
    cloud.lock().unwrap().fault = Fault::Panic;
    let failed = driver.renew(BUCKET, &mut open).await.unwrap_err();
    assert!(failed.to_string().contains("injected panic"));
    driver.close(BUCKET, open).await.unwrap();
    assert_eq!(cloud.lock().unwrap().closed, [("a".to_owned(), false)]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_an_opening_but_not_a_closing() {
    let (driver, cloud) = start().await;
    let open = driver.open(BUCKET, &read_session()).await.unwrap();
    cloud.lock().unwrap().fault = Fault::Hang;
    let config = read_session();
    let (opened, stopped) = tokio::join!(driver.open(BUCKET, &config), driver.stop());
    stopped.unwrap();
    let failed = opened.unwrap_err();
    assert!(failed.to_string().contains("The opening was interrupted"));
    driver.close(BUCKET, open).await.unwrap();
    assert_eq!(cloud.lock().unwrap().closed.len(), 1);
}

#[tokio::test]
async fn an_unknown_provider_configuration_is_an_error() {
    let (driver, _) = start().await;
    driver
        .reconfigure(&provider_config(Value::Unknown))
        .await
        .unwrap();
    let failed = driver.open(BUCKET, &read_session()).await;
    assert!(matches!(failed, Err(Failure::Reported(_))));
}
