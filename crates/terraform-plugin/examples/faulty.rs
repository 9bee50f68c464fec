//! A faulty provider, for tests of the provider process.
//!
//! The effect of `ApplyResourceChange` depends on the type: `faulty_panic` panics, `faulty_slow` takes half a minute
//! unless it is stopped, and `faulty_stubborn` always takes a minute. Each call appends its actions to the file in the
//! variable `FAULTY_JOURNAL`.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use terraform_plugin::protocol::tfplugin6 as wire;
use terraform_plugin::server::{ServeOptions, serve};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tonic::{Request, Response, Status};
use wire::provider_server::Provider;

fn main() -> ExitCode {
    let options = ServeOptions {
        address: "registry.terraform.io/nautes/faulty",
        version: env!("CARGO_PKG_VERSION"),
        log_targets: &["faulty"],
        debug: false,
    };
    serve(&options, Faulty::default())
}

#[derive(Default)]
struct Faulty {
    stop: Notify,
}

#[tonic::async_trait]
impl Provider for Faulty {
    async fn apply_resource_change(
        &self,
        request: Request<wire::apply_resource_change::Request>,
    ) -> Result<Response<wire::apply_resource_change::Response>, Status> {
        let request = request.into_inner();
        let journal = std::env::var("FAULTY_JOURNAL").unwrap_or_default();
        record(&journal, "started")?;
        match request.type_name.as_str() {
            "faulty_panic" => fail(),
            "faulty_slow" => {
                let stopped = timeout(Duration::from_secs(30), self.stop.notified()).await;
                // Finish the current step.
                sleep(Duration::from_millis(200)).await;
                record(
                    &journal,
                    if stopped.is_ok() {
                        "stopped"
                    } else {
                        "finished"
                    },
                )?;
            }
            "faulty_stubborn" => sleep(Duration::from_secs(60)).await,
            other => return Err(Status::invalid_argument(format!("no resource {other}"))),
        }
        Ok(Response::new(wire::apply_resource_change::Response {
            new_state: request.planned_state,
            ..Default::default()
        }))
    }

    async fn stop_provider(
        &self,
        _: Request<wire::stop_provider::Request>,
    ) -> Result<Response<wire::stop_provider::Response>, Status> {
        self.stop.notify_waiters();
        Ok(Response::new(wire::stop_provider::Response::default()))
    }
}

fn record(journal: &str, event: &str) -> Result<(), Status> {
    tracing::info!(event, "journal");
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(journal)
        .and_then(|mut file| writeln!(file, "{event}"))
        .map_err(|error| Status::internal(error.to_string()))
}

#[expect(clippy::panic, reason = "what a provider's author overlooks")]
fn fail() {
    panic!("injected panic\nsecond line");
}
