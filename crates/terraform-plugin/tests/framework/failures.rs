use std::time::{Duration, Instant};

use terraform_plugin::diagnostics::Diagnostic;
use terraform_plugin::testing::driver::{Failure, Search};
use terraform_plugin::value::Value;

use crate::bucket::{BUCKET, Fault, bucket, named, provider_config, start, text};

/// Returns the summaries of the diagnostics of a failure.
fn reported<T: std::fmt::Debug>(result: Result<T, Failure>) -> Vec<String> {
    match result {
        Err(Failure::Reported(diagnostics)) => summaries(&diagnostics),
        other => panic!("{other:?}"),
    }
}

fn summaries(diagnostics: &[terraform_plugin::protocol::tfplugin6::Diagnostic]) -> Vec<String> {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.summary.clone())
        .collect()
}

#[tokio::test]
async fn a_failed_creation_stores_nothing_and_the_next_one_resumes() {
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
async fn a_failed_update_stores_the_recorded_state() {
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
async fn a_recorded_state_is_stored_without_unknown_values_also_after_a_panic() {
    let rules = |keys: &[&str]| {
        let rule = |key: &&str| {
            let rule = Value::object([("prefix", text("logs/")), ("id", Value::Null)]);
            ((*key).to_owned(), rule)
        };
        let rules = Value::Map(keys.iter().map(rule).collect());
        bucket([("name", text("a")), ("rules", rules)])
    };
    for fault in [Fault::Recorded, Fault::RecordedPanic] {
        let (driver, cloud) = start().await;
        cloud.lock().unwrap().fault = fault;
        let failed = driver.apply(BUCKET, &rules(&[]), None).await.unwrap();
        let created = failed.stored.unwrap();
        assert!(created.tainted);
        assert_eq!(created.value.attribute("name"), &text("a"));
        assert!(created.value.attribute("id").is_null());

        let applied = driver.apply(BUCKET, &rules(&["x"]), None).await.unwrap();
        let stored = applied.stored.unwrap();
        cloud.lock().unwrap().fault = fault;
        let config = rules(&["x", "y"]);
        let failed = driver.apply(BUCKET, &config, Some(&stored)).await.unwrap();
        let Value::Map(kept) = failed.stored.unwrap().value.attribute("rules").clone() else {
            panic!("a map")
        };
        assert_eq!(kept["x"].attribute("id"), &text("rule-x"));
        assert!(kept["y"].attribute("id").is_null());
    }
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
async fn a_failed_read_is_an_error_and_removes_nothing() {
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
async fn a_panic_is_an_error_and_the_provider_continues() {
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
    assert!(failed.diagnostics[0].detail.contains("injected panic"));
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
    let detail = &failed.diagnostics[0].detail;
    let expected = "It was stopped after 3s, while it waited for the cloud. Apply again";
    assert!(detail.starts_with(expected), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn a_data_source_has_a_time_limit() {
    let (driver, cloud) = start().await;
    cloud.lock().unwrap().fault = Fault::Hang;
    let failed = driver.read_data_source(BUCKET, &named("a")).await;
    let failed = failed.unwrap_err();
    let message = failed.to_string();
    assert!(
        message.starts_with("The read took longer than 1m"),
        "{message}"
    );
    assert!(!message.contains("timeouts"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_operations_in_flight_but_not_later_ones() {
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

#[tokio::test]
async fn warnings_before_a_failure_are_reported_with_its_error() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    let applied = driver.apply(BUCKET, &config, None).await.unwrap();
    let stored = applied.stored.unwrap();
    let fail = |fault| cloud.lock().unwrap().fault = fault;

    fail(Fault::WarnedEarly);
    assert_eq!(
        reported(driver.read(BUCKET, &stored).await),
        ["Careful", "Refused"]
    );
    fail(Fault::WarnedPanic);
    let panicked = ["Careful", "Bug in the provider"];
    assert_eq!(reported(driver.read(BUCKET, &stored).await), panicked);
    fail(Fault::WarnedEarly);
    assert_eq!(
        reported(driver.import(BUCKET, "a").await),
        ["Careful", "Refused"]
    );
    let missing = ["Careful", "There is nothing to import"];
    assert_eq!(reported(driver.import(BUCKET, "missing").await), missing);
    let forbidden = bucket([("name", text("a")), ("note", text("forbidden"))]);
    let planned = driver.plan(BUCKET, &forbidden, Some(&stored)).await;
    assert_eq!(reported(planned), ["Careful", "Forbidden note"]);
    fail(Fault::WarnedPanic);
    let deleted = driver.apply(BUCKET, &Value::Null, Some(&stored)).await;
    assert_eq!(summaries(&deleted.unwrap().diagnostics), panicked);
}

#[tokio::test]
async fn a_failure_without_an_error_is_an_error() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    let applied = driver.apply(BUCKET, &config, None).await.unwrap();
    let stored = applied.stored.unwrap();
    let session = Value::object([
        ("bucket", text("a")),
        ("right", Value::Null),
        ("token", Value::Null),
    ]);
    let mut open = driver.open(BUCKET, &session).await.unwrap();
    for (fault, expected) in [
        (Fault::OnlyWarning, &["Careful", "Bug in the provider"][..]),
        (Fault::Silent, &["Bug in the provider"]),
    ] {
        let fail = || cloud.lock().unwrap().fault = fault;
        fail();
        assert_eq!(reported(driver.read(BUCKET, &stored).await), expected);
        fail();
        assert_eq!(reported(driver.import(BUCKET, "a").await), expected);
        fail();
        let deleted = driver
            .apply(BUCKET, &Value::Null, Some(&stored))
            .await
            .unwrap();
        assert_eq!(summaries(&deleted.diagnostics), expected);
        assert!(deleted.stored.is_some(), "the object is kept");
        fail();
        let other = bucket([("name", text("b"))]);
        let created = driver.apply(BUCKET, &other, None).await.unwrap();
        assert_eq!(summaries(&created.diagnostics), expected);
        fail();
        assert_eq!(
            reported(driver.read_data_source(BUCKET, &named("a")).await),
            expected
        );
        fail();
        assert_eq!(reported(driver.open(BUCKET, &session).await), expected);
        fail();
        assert_eq!(reported(driver.renew(BUCKET, &mut open).await), expected);
        fail();
        let emptying = Value::object([
            ("bucket", text("a")),
            ("steps", Value::Null),
            ("password_wo", Value::Null),
        ]);
        let invoked = driver.invoke(BUCKET, &emptying).await.unwrap();
        assert_eq!(summaries(&invoked.diagnostics), expected);
    }
    for region in ["mars", "sun"] {
        let configured = driver.reconfigure(&provider_config(text(region))).await;
        assert_eq!(reported(configured).last().unwrap(), "Bug in the provider");
    }
}

#[tokio::test]
async fn an_unknown_value_in_a_result_is_an_error_that_names_its_attribute() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    let applied = driver.apply(BUCKET, &config, None).await.unwrap();
    let stored = applied.stored.unwrap();
    let fail = || cloud.lock().unwrap().fault = Fault::UnknownResult;
    let names_id = |failed: Failure| match failed {
        Failure::Reported(found) => {
            let steps = &found[0].attribute.as_ref().unwrap().steps;
            assert_eq!(steps.len(), 1, "{found:?}");
            let detail = &found[0].detail;
            assert!(detail.contains("an unknown value for id"), "{detail}");
        }
        other => panic!("{other:?}"),
    };
    fail();
    names_id(driver.read(BUCKET, &stored).await.unwrap_err());
    fail();
    names_id(driver.import(BUCKET, "a").await.unwrap_err());
    fail();
    let read = driver.read_data_source(BUCKET, &named("a")).await;
    names_id(read.unwrap_err());
    fail();
    let search = Search {
        config: Value::object([("prefix", Value::Null), ("class", Value::Null)]),
        include_resource: true,
        limit: 0,
    };
    names_id(driver.list(BUCKET, &search).await.1.unwrap_err());
    fail();
    let other = bucket([("name", text("b"))]);
    match driver.apply(BUCKET, &other, None).await {
        Err(Failure::Inconsistent(found)) => assert_eq!(found[0].path.to_string(), "id"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn operations_of_every_kind_can_warn() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a"))]);
    driver.apply(BUCKET, &config, None).await.unwrap();
    cloud.lock().unwrap().warns = true;
    let warned = || summaries(&driver.take_warnings()) == ["Careful"];
    driver
        .reconfigure(&provider_config(Value::Null))
        .await
        .unwrap();
    assert!(warned(), "configuration");
    driver.read_data_source(BUCKET, &named("a")).await.unwrap();
    assert!(warned(), "data source");
    let session = Value::object([("bucket", text("a"))]);
    let mut open = driver.open(BUCKET, &session).await.unwrap();
    assert!(warned(), "opening");
    driver.renew(BUCKET, &mut open).await.unwrap();
    assert!(warned(), "renewal");
    driver.close(BUCKET, open).await.unwrap();
    assert!(warned(), "closing");
    let emptying = Value::object([("bucket", text("a"))]);
    let planned = driver.plan_action(BUCKET, &emptying).await.unwrap();
    assert_eq!(summaries(&planned), ["Careful"]);
    let search = Search {
        config: Value::object([("prefix", Value::Null)]),
        include_resource: false,
        limit: 1,
    };
    let (found, result) = driver.list(BUCKET, &search).await;
    result.unwrap();
    assert_eq!(found.len(), 1, "a warning does not count as an object");
    assert!(warned(), "search");
}

#[tokio::test]
async fn warnings_of_every_kind_are_reported_with_a_failure() {
    let (driver, cloud) = start().await;
    cloud.lock().unwrap().warns = true;
    let session = Value::object([("bucket", text("a"))]);
    let mut open = driver.open(BUCKET, &session).await.unwrap();
    for (fault, error) in [
        (Fault::Early, "Refused"),
        (Fault::Panic, "Bug in the provider"),
    ] {
        let fail = || cloud.lock().unwrap().fault = fault;
        let expected = ["Careful", error];
        fail();
        let read = driver.read_data_source(BUCKET, &named("a")).await;
        assert_eq!(reported(read), expected);
        fail();
        assert_eq!(reported(driver.open(BUCKET, &session).await), expected);
        fail();
        assert_eq!(reported(driver.renew(BUCKET, &mut open).await), expected);
    }
    let missing = Value::object([("bucket", text("b"))]);
    let planned = driver.plan_action(BUCKET, &missing).await;
    assert_eq!(reported(planned), ["Careful", "No such bucket"]);
    let configured = driver.reconfigure(&provider_config(text("moon"))).await;
    assert_eq!(reported(configured), ["Careful", "No such region"]);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_a_warning_of_the_last_operation_in_flight() {
    let (driver, cloud) = start().await;
    cloud.lock().unwrap().fault = Fault::Hang;
    let limits = |create: &str| {
        let others = ["read", "update", "delete"].map(|operation| (operation, Value::Null));
        Value::object([("create", text(create))].into_iter().chain(others))
    };
    let bucket_within =
        |name: &str, limit: &str| bucket([("name", text(name)), ("timeouts", limits(limit))]);
    let (short, long) = (bucket_within("a", "3s"), bucket_within("b", "5s"));
    let second = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // Each fault is for one operation.
        cloud.lock().unwrap().fault = Fault::Hang;
        cloud.lock().unwrap().report = Some(Diagnostic::warning("Slow", "The cloud was slow."));
        driver.apply(BUCKET, &long, None).await
    };
    let (first, last) = tokio::join!(driver.apply(BUCKET, &short, None), second);
    let took_too_long = |limit: &str| format!("The create took longer than {limit}");
    assert_eq!(
        summaries(&first.unwrap().diagnostics),
        [took_too_long("3s")]
    );
    let last = last.unwrap().diagnostics;
    assert_eq!(summaries(&last), [took_too_long("5s"), "Slow".to_owned()]);
}
