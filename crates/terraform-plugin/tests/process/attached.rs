use std::collections::BTreeMap;
use std::process::Stdio;

use rustix::process::Signal;
use serde::Deserialize;
use terraform_plugin::protocol::tfplugin6::provider_client::ProviderClient;
use terraform_plugin::testing::process::Endpoint;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{echo, example, send, small_value, socket};

/// An entry of `TF_REATTACH_PROVIDERS`, as clients read it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attachment {
    protocol: String,
    protocol_version: u32,
    pid: u32,
    test: bool,
    addr: Addr,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Addr {
    network: String,
    string: String,
}

/// Starts the provider in debug mode, without a cookie, and reads the variable that it prints.
async fn start() -> (Child, Attachment) {
    let mut process = Command::new(example("floor"))
        .arg("--debug")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    loop {
        let line = lines
            .next_line()
            .await
            .unwrap()
            .expect("a line with the variable");
        if let Some(value) = line.strip_prefix("export TF_REATTACH_PROVIDERS='") {
            let value = value.strip_suffix('\'').unwrap();
            let mut entries: BTreeMap<String, Attachment> = serde_json::from_str(value).unwrap();
            let entry = entries
                .remove("registry.terraform.io/nautes/floor")
                .unwrap();
            assert!(entries.is_empty());
            return (process, entry);
        }
    }
}

#[tokio::test]
async fn a_process_in_debug_mode_serves_several_commands_until_it_is_interrupted() {
    let (mut process, attachment) = start().await;
    assert_eq!(attachment.protocol, "grpc");
    assert_eq!(attachment.protocol_version, 6);
    assert_eq!(Some(attachment.pid), process.id());
    assert!(attachment.test);

    let Addr { network, string } = attachment.addr;
    let endpoint = Endpoint {
        network,
        address: string,
        certificate: None,
    };
    for _ in 0..2 {
        let mut client = ProviderClient::new(endpoint.connect(None).await.unwrap());
        echo(&mut client, &small_value()).await.unwrap();
    }

    send(attachment.pid, Signal::INT);
    assert!(process.wait().await.unwrap().success());
    assert!(!socket(&endpoint).exists());
}
