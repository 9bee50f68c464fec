use std::sync::{Arc, Mutex};

use terraform_plugin::logging::HclogLayer;
use terraform_plugin::value::Value;
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::bucket::{BUCKET, Fault, bucket, number, start, text};

#[tokio::test]
async fn log_lines_name_the_rpc_and_type_and_contain_no_values() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    // The subscriber is global to the process; other tests log from other threads.
    let own_thread = std::thread::current().id();
    let layer = HclogLayer::new(Level::TRACE, &[], move |line: &[u8]| {
        if std::thread::current().id() == own_thread {
            sink.lock().unwrap().extend_from_slice(line);
        }
    });
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let (driver, cloud) = start().await;
    let config = bucket([
        ("name", text("a")),
        ("note", text("confidential note")),
        ("secret_wo", text("s3cr3t")),
        ("secret_wo_version", number(1)),
    ]);
    cloud.lock().unwrap().fault = Fault::Halfway;
    driver.apply(BUCKET, &config, None).await.unwrap();
    driver.apply(BUCKET, &config, None).await.unwrap();
    let session = Value::object([
        ("bucket", text("a")),
        ("right", Value::Null),
        ("token", Value::Null),
    ]);
    let open = driver.open(BUCKET, &session).await.unwrap();
    driver.close(BUCKET, open).await.unwrap();
    driver
        .call("join", &[text("-"), text("t0ken")])
        .await
        .unwrap();
    let emptying = Value::object([
        ("bucket", text("a")),
        ("steps", number(1)),
        ("password_wo", text("passw0rd")),
    ]);
    driver.invoke(BUCKET, &emptying).await.unwrap();

    let log = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
    let names = |rpc: &str, key: &str, name: &str| {
        let line = |line: &&str| line.contains(&format!("\"tf_rpc\":\"{rpc}\""));
        let line = log.lines().find(line).unwrap();
        assert!(line.contains(&format!("\"{key}\":\"{name}\"")), "{line}");
    };
    names("ApplyResourceChange", "tf_resource_type", BUCKET);
    names(
        "OpenEphemeralResource",
        "tf_ephemeral_resource_type",
        BUCKET,
    );
    names("CallFunction", "tf_function_name", "join");
    names("InvokeAction", "tf_action_type", BUCKET);
    assert!(log.contains("Half made"), "titles of messages are logged");
    let values = [
        "confidential note",
        "s3cr3t",
        "t0p-s3cret",
        "t0ken",
        "passw0rd",
    ];
    for value in values {
        assert!(!log.contains(value), "{value} is in the log");
    }
}
