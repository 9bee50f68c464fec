use serde_json::Value;
use terraform_plugin::protocol::tfplugin6::provider_client::ProviderClient;
use terraform_plugin::testing::process::ClientIdentity;

use crate::support::{echo, floor, small_value, until};

#[tokio::test]
async fn log_lines_have_terraforms_format_and_name_the_rpc() {
    let process = floor()
        .env("TF_LOG_PROVIDER", "DEBUG")
        .start()
        .await
        .unwrap();
    echo(&mut process.client().await.unwrap(), &small_value())
        .await
        .unwrap();
    until("the line of the call", || {
        process.stderr().contains("ReadResource")
    })
    .await;
    let lines: Vec<Value> = process
        .stderr()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let call = lines
        .iter()
        .find(|line| line["tf_rpc"] == "ReadResource")
        .unwrap();
    assert_eq!(call["@level"], "debug");
    assert_eq!(call["tf_resource_type"], "floor_item");
    for line in &lines {
        assert!(
            ["@level", "@message", "@timestamp"]
                .iter()
                .all(|key| line[key].is_string())
        );
    }
}

#[tokio::test]
async fn the_variable_of_another_provider_does_not_enable_logging() {
    let process = floor()
        .env("TF_LOG_PROVIDER_OTHER", "TRACE")
        .start()
        .await
        .unwrap();
    echo(&mut process.client().await.unwrap(), &small_value())
        .await
        .unwrap();
    assert_eq!(process.stderr(), "");
}

#[tokio::test]
async fn a_rejected_client_is_logged() {
    let process = floor()
        .env("TF_LOG_PROVIDER_FLOOR", "WARN")
        .start()
        .await
        .unwrap();
    let stranger = ClientIdentity::p256().unwrap();
    if let Ok(channel) = process.endpoint().connect(Some(&stranger)).await {
        assert!(
            echo(&mut ProviderClient::new(channel), &small_value())
                .await
                .is_err()
        );
    }
    until("the warning", || {
        process.stderr().contains("rejected a client")
    })
    .await;
}
