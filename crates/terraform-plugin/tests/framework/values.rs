use terraform_plugin::protocol::tfplugin6 as tf;
use terraform_plugin::protocol::tfplugin6::provider_server::Provider as _;
use terraform_plugin::value::{Type, Value, decode, encode};

use crate::bucket::{BUCKET, bucket, start, text};

#[tokio::test]
async fn numbers_keep_every_digit_in_plan_apply_and_refresh() {
    let (driver, _) = start().await;
    for digits in [
        "0.1",
        "9223372036854775808",
        "1e30",
        "-1.5",
        "0.30000000000000004",
    ] {
        let quota = Value::Number(digits.parse().unwrap());
        let config = bucket([("name", text(digits)), ("quota", quota.clone())]);
        let applied = driver.apply(BUCKET, &config, None).await.unwrap();
        let stored = applied.stored.unwrap();
        assert!(*stored.value.attribute("quota") == quota, "{digits}");
        let read = driver.read(BUCKET, &stored).await.unwrap().unwrap();
        assert!(*read.value.attribute("quota") == quota, "{digits}");
        let change = driver.plan(BUCKET, &config, Some(&read)).await.unwrap();
        assert!(change.is_empty, "{digits}");
    }
}

#[tokio::test]
async fn a_string_in_another_normalisation_form_is_no_change() {
    let (driver, cloud) = start().await;
    let config = bucket([("name", text("a")), ("note", text("caf\u{e9}"))]);
    let applied = driver.apply(BUCKET, &config, None).await.unwrap();
    let decomposed = Some("cafe\u{301}".to_owned());
    cloud.lock().unwrap().buckets.get_mut("a").unwrap().note = decomposed;
    let stored = applied.stored.unwrap();
    let read = driver.read(BUCKET, &stored).await.unwrap().unwrap();
    let change = driver.plan(BUCKET, &config, Some(&read)).await.unwrap();
    assert!(change.is_empty);
}

#[tokio::test]
async fn a_refined_unknown_is_planned_as_unknown() {
    let (driver, _) = start().await;
    let schema = driver.service().registry().resource_schemas();
    let kind = schema
        .map(|(_, schema)| schema.value_type())
        .next()
        .unwrap();
    let config = bucket([("name", text("a")), ("note", Value::Unknown)]);
    // Extension 12 with the map {1: false, 2: "pre-"} in place of the plain unknown value.
    let note = [&[0xa4][..], b"note"].concat();
    let plain = [&note[..], &[0xd4, 0, 0]].concat();
    let refined = [&note[..], &[0xc7, 9, 12, 0x82, 1, 0xc2, 2, 0xa4], b"pre-"].concat();
    let config = replaced(&encode(&config, &kind), &plain, &refined);
    let config = Some(tf::DynamicValue {
        msgpack: config.into(),
        ..Default::default()
    });
    let request = tf::plan_resource_change::Request {
        type_name: BUCKET.to_owned(),
        proposed_new_state: config.clone(),
        config,
        ..Default::default()
    };
    let service = driver.service();
    let planned = service
        .plan_resource_change(tonic::Request::new(request))
        .await;
    let planned = planned.unwrap().into_inner();
    assert!(planned.diagnostics.is_empty(), "{:?}", planned.diagnostics);
    let planned = planned.planned_state.unwrap().msgpack;
    assert!(contains(&planned, &plain), "without a promise");
    let planned = decode(&planned, &kind).unwrap();
    assert!(planned.attribute("note").is_unknown());
    assert!(matches!(kind, Type::Object(_)));
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(old.len()).position(|window| window == old);
    let (before, from_old) = bytes.split_at(at.unwrap());
    [before, new, from_old.strip_prefix(old).unwrap()].concat()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
