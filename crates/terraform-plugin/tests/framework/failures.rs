use std::time::{Duration, Instant};

use terraform_plugin::value::Value;

use crate::bucket::{BUCKET, Fault, bucket, start, text};

fn summaries(diagnostics: &[terraform_plugin::protocol::tfplugin6::Diagnostic]) -> Vec<String> {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.summary.clone())
        .collect()
}

#[tokio::test]
async fn a_failed_creation_leaves_null_state_and_the_next_one_goes_on() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    cloud.lock().unwrap().fault = Fault::Halfway;
    let failed = driver.apply(BUCKET, &config, None).await.unwrap();
    assert_eq!(summaries(&failed.diagnostics), ["Half made"]);
    assert!(
        failed.stored.is_none(),
        "nothing is stored, so nothing is tainted"
    );
    assert!(cloud.lock().unwrap().buckets.contains_key("a"));
    let resumed = driver.apply(BUCKET, &config, None).await.unwrap();
    assert!(resumed.diagnostics.is_empty());
    assert!(cloud.lock().unwrap().buckets["a"].complete);
    assert_eq!(cloud.lock().unwrap().creations, 2);
}

#[tokio::test]
async fn a_failed_update_keeps_what_has_become_true() {
    let (driver, cloud) = start().await;
    let stored = driver
        .apply(BUCKET, &bucket([("name", text("a"))]), None)
        .await
        .unwrap()
        .stored
        .unwrap();
    let config = bucket([
        ("name", text("a")),
        ("note", text("n")),
        ("class", text("cold")),
    ]);
    cloud.lock().unwrap().fault = Fault::Halfway;
    let failed = driver.apply(BUCKET, &config, Some(&stored)).await.unwrap();
    assert_eq!(summaries(&failed.diagnostics), ["Half changed"]);
    let kept = failed.stored.unwrap();
    assert_eq!(kept.value.attribute("note"), &text("n"));
    assert_eq!(kept.value.attribute("class"), &text("standard"));
    assert!(!kept.tainted);
    let finished = driver.apply(BUCKET, &config, Some(&kept)).await.unwrap();
    assert!(finished.diagnostics.is_empty());
    assert_eq!(cloud.lock().unwrap().buckets["a"].class, "cold");
}

#[tokio::test]
async fn a_failed_deletion_keeps_the_object() {
    let (driver, cloud) = start().await;
    let stored = driver
        .apply(BUCKET, &bucket([("name", text("a"))]), None)
        .await
        .unwrap()
        .stored
        .unwrap();
    cloud.lock().unwrap().fault = Fault::Early;
    let failed = driver
        .apply(BUCKET, &Value::Null, Some(&stored))
        .await
        .unwrap();
    assert_eq!(failed.stored.unwrap().value, stored.value);
    assert!(
        driver
            .apply(BUCKET, &Value::Null, Some(&stored))
            .await
            .unwrap()
            .stored
            .is_none()
    );
}

#[tokio::test]
async fn a_failed_read_is_an_error_and_never_a_removal() {
    let (driver, cloud) = start().await;
    let stored = driver
        .apply(BUCKET, &bucket([("name", text("a"))]), None)
        .await
        .unwrap()
        .stored
        .unwrap();
    cloud.lock().unwrap().fault = Fault::Early;
    let failed = driver.read(BUCKET, &stored).await.unwrap_err();
    assert!(failed.to_string().contains("The cloud refused"), "{failed}");
}

#[tokio::test]
async fn a_panic_becomes_a_message_and_the_provider_goes_on() {
    let (driver, cloud) = start().await;
    let stored = driver
        .apply(BUCKET, &bucket([("name", text("a"))]), None)
        .await
        .unwrap()
        .stored
        .unwrap();
    cloud.lock().unwrap().fault = Fault::Panic;
    let config = bucket([("name", text("a")), ("note", text("n"))]);
    let failed = driver.apply(BUCKET, &config, Some(&stored)).await.unwrap();
    assert!(
        failed.diagnostics[0]
            .detail
            .contains("the drive is on fire")
    );
    assert_eq!(
        failed.stored.unwrap().value,
        stored.value,
        "the prior state is kept"
    );
    let finished = driver.apply(BUCKET, &config, Some(&stored)).await.unwrap();
    assert!(finished.diagnostics.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_operation_ends_at_its_time_limit() {
    let (driver, cloud) = start().await;
    cloud.lock().unwrap().fault = Fault::Hang;
    let limits = Value::object([
        ("create", text("3s")),
        ("read", Value::Null),
        ("update", Value::Null),
        ("delete", Value::Null),
    ]);
    let config = bucket([("name", text("a")), ("timeouts", limits)]);
    let failed = driver.apply(BUCKET, &config, None).await.unwrap();
    assert_eq!(
        summaries(&failed.diagnostics),
        ["The create took longer than 3s"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_data_source_is_read_within_its_time_limit() {
    let (driver, cloud) = start().await;
    cloud.lock().unwrap().fault = Fault::Hang;
    let named = bucket([("name", text("a"))]);
    let failed = driver.read_data_source(BUCKET, &named).await.unwrap_err();
    let message = failed.to_string();
    assert!(
        message.starts_with("The read took longer than 1m"),
        "{message}"
    );
    assert!(!message.contains("timeouts"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_what_is_in_flight_and_spares_what_comes_later() {
    let (driver, cloud) = start().await;
    cloud.lock().unwrap().fault = Fault::Hang;
    let config = bucket([("name", text("a"))]);
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        driver.stop().await.unwrap();
    };
    let started = Instant::now();
    let (failed, ()) = tokio::join!(driver.apply(BUCKET, &config, None), stop);
    let failed = failed.unwrap();
    assert_eq!(
        summaries(&failed.diagnostics),
        ["The create was interrupted"]
    );
    assert!(failed.stored.is_none());
    assert!(started.elapsed() < Duration::from_secs(30));
    assert!(
        driver
            .apply(BUCKET, &config, None)
            .await
            .unwrap()
            .stored
            .is_some()
    );
}
