use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use terraform_plugin::protocol::tfplugin6::apply_resource_change;
use terraform_plugin::protocol::tfplugin6::provider_client::ProviderClient;
use terraform_plugin::testing::process::{Endpoint, Launch, ProviderProcess};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::{Faulty, Journal, example, floor, send, socket, until};

/// The time after which the host kills the process.
const HOST_WAITS: Duration = Duration::from_secs(2);

#[tokio::test]
async fn shutdown_ends_the_process_and_removes_its_socket() {
    let process = floor().start().await.unwrap();
    let socket = socket(process.endpoint()).to_owned();
    assert!(socket.exists());
    let (took, status) = process.shut_down().await.unwrap();
    println!("ended {took:?} after Shutdown");
    assert!(status.success());
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(!socket.exists());
}

#[tokio::test]
async fn shutdown_stops_calls_in_flight_and_waits_for_them() {
    let faulty = Faulty::start().await;
    let call = faulty.apply("faulty_slow").await;
    let (took, status) = faulty.process.shut_down().await.unwrap();
    assert!(status.success());
    assert!(took < HOST_WAITS, "{took:?}");
    call.await.unwrap().unwrap();
    assert_eq!(faulty.journal.text(), "started\nstopped\n");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_call_that_ignores_it() {
    let faulty = Faulty::start().await;
    let socket = socket(faulty.process.endpoint()).to_owned();
    let call = faulty.apply("faulty_stubborn").await;
    let (took, status) = faulty.process.shut_down().await.unwrap();
    assert!(status.success());
    assert!(took < HOST_WAITS, "{took:?}");
    assert!(call.await.unwrap().is_err());
    assert!(!socket.exists());
}

/// A provider whose parent is a shell instead of this test.
struct Grandchild {
    shell: Child,
    stdout: BufReader<ChildStdout>,
    endpoint: Endpoint,
}

impl Grandchild {
    async fn start(name: &str, journal: &Journal) -> Self {
        // The environment of a launch, without encryption.
        let cookie = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg("\"$0\" & wait")
            .arg(example(name))
            .env("TF_PLUGIN_MAGIC_COOKIE", cookie)
            .env("FAULTY_JOURNAL", journal.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(shell.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).await.unwrap();
        Self {
            shell,
            stdout,
            endpoint: line.trim_end().parse().unwrap(),
        }
    }

    /// Kills the shell and waits until the provider has closed standard output too.
    async fn orphan(mut self) -> Duration {
        let start = Instant::now();
        send(self.shell.id().unwrap(), Signal::KILL);
        let mut rest = String::new();
        let end = self.stdout.read_to_string(&mut rest);
        timeout(Duration::from_secs(10), end)
            .await
            .expect("the provider lives on")
            .unwrap();
        start.elapsed()
    }
}

#[tokio::test]
async fn the_exit_of_the_parent_ends_the_process_and_removes_its_socket() {
    let process = Grandchild::start("floor", &Journal::new()).await;
    let socket = socket(&process.endpoint).to_owned();
    let took = process.orphan().await;
    println!("ended {took:?} after its parent");
    assert!(!socket.exists());
}

#[tokio::test]
async fn an_orphaned_process_stops_its_calls_in_flight_and_waits_for_them() {
    let journal = Journal::new();
    let process = Grandchild::start("faulty", &journal).await;
    let mut client = ProviderClient::new(process.endpoint.connect(None).await.unwrap());
    let call = tokio::spawn(async move {
        let type_name = "faulty_slow".to_owned();
        let request = apply_resource_change::Request {
            type_name,
            ..Default::default()
        };
        client.apply_resource_change(request).await
    });
    journal.wait_for("started").await;
    process.orphan().await;
    assert_eq!(journal.text(), "started\nstopped\n");
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_dropped_process_is_killed() {
    let process = ProviderProcess::start(example("floor")).await.unwrap();
    let pid = process.pid();
    drop(process);
    until("the end", || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.is_empty() || status.contains("State:\tZ")
    })
    .await;
}

#[tokio::test]
async fn a_process_that_exits_before_its_handshake_is_reported_with_its_standard_error() {
    let launch = Launch::new(example("floor"))
        .unwrap()
        .env("TF_PLUGIN_MAGIC_COOKIE", "no");
    let error = launch.start().await.unwrap_err().to_string();
    assert!(error.contains("was not started by Terraform"), "{error}");
}
