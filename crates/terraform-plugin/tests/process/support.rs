//! Helpers of the tests.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use terraform_plugin::protocol::tfplugin6::provider_client::ProviderClient;
use terraform_plugin::protocol::tfplugin6::{
    DynamicValue, apply_resource_change, read_resource, stop_provider,
};
use terraform_plugin::testing::process::{Endpoint, Launch, ProviderProcess};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tonic::Status;
use tonic::transport::Channel;

/// Returns the path of an example, beside the directory of this test's executable.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        path.exists(),
        "{} is missing: run `cargo build --examples`",
        path.display()
    );
    path
}

pub(crate) fn floor() -> Launch {
    launch("floor")
}

/// Returns a launch without logging, whatever the environment of the tests.
fn launch(name: &str) -> Launch {
    let own = format!("TF_LOG_PROVIDER_{}", name.to_uppercase());
    Launch::new(example(name))
        .unwrap()
        .env("TF_LOG", "")
        .env("TF_LOG_PROVIDER", "")
        .env(own, "")
}

/// A faulty provider and its journal.
pub(crate) struct Faulty {
    pub(crate) process: ProviderProcess,
    pub(crate) journal: Journal,
}

impl Faulty {
    pub(crate) async fn start() -> Self {
        let journal = Journal::new();
        let launch = Launch::new(example("faulty")).unwrap();
        let process = launch
            .env("FAULTY_JOURNAL", journal.path())
            .start()
            .await
            .unwrap();
        Self { process, journal }
    }

    /// Calls `StopProvider`.
    pub(crate) async fn stop(&self) {
        let mut client = self.process.client().await.unwrap();
        client
            .stop_provider(stop_provider::Request {})
            .await
            .unwrap();
    }

    /// Starts to apply a resource of `type_name`, and waits until the provider has started the operation.
    pub(crate) async fn apply(
        &self,
        type_name: &'static str,
    ) -> JoinHandle<Result<apply_resource_change::Response, Status>> {
        let mut client = self.process.client().await.unwrap();
        let call = tokio::spawn(async move {
            let request = apply_resource_change::Request {
                type_name: type_name.into(),
                ..Default::default()
            };
            Ok(client.apply_resource_change(request).await?.into_inner())
        });
        self.journal.wait_for("started").await;
        call
    }
}

/// The file in which a faulty provider records its actions.
pub(crate) struct Journal(tempfile::TempDir);

impl Journal {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("journal")
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap_or_default()
    }

    pub(crate) async fn wait_for(&self, event: &str) {
        until(event, || self.text().lines().any(|line| line == event)).await;
    }
}

/// Waits for `condition`. Panics after ten seconds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "waited in vain for: {what}"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

pub(crate) fn socket(endpoint: &Endpoint) -> &Path {
    assert_eq!(endpoint.network, "unix");
    Path::new(&endpoint.address)
}

/// Sends `value` as the state of an item to read, and returns the response.
pub(crate) async fn echo(
    client: &mut ProviderClient<Channel>,
    value: &DynamicValue,
) -> Result<DynamicValue, Status> {
    let request = read_resource::Request {
        type_name: "floor_item".into(),
        current_state: Some(value.clone()),
        ..Default::default()
    };
    let response = client.read_resource(request).await?.into_inner();
    Ok(response.new_state.unwrap_or_default())
}

pub(crate) fn small_value() -> DynamicValue {
    item("hello")
}

/// Returns the state of a `floor_item`: a map with all attributes, encoded as msgpack.
pub(crate) fn item(input: &str) -> DynamicValue {
    let mut bytes = Vec::with_capacity(input.len() + 32);
    rmp::encode::write_map_len(&mut bytes, 2).unwrap();
    for (name, value) in [("id", "1"), ("input", input)] {
        rmp::encode::write_str(&mut bytes, name).unwrap();
        rmp::encode::write_str(&mut bytes, value).unwrap();
    }
    DynamicValue {
        msgpack: bytes.into(),
        ..Default::default()
    }
}
