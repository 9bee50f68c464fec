//! The GitLab emulator as a child process.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::blocking::Client;
use serde::{Deserialize, Serialize};

use crate::{Call, Calls, Error, ServerProcess, is_running_with, server_process};

/// How an emulator is to be started.
#[derive(Debug, Clone)]
pub struct EmulatorOptions {
    /// The emulator's executable.
    pub executable: PathBuf,
    /// Where its bare repositories, its log and its ready line go.
    pub data: PathBuf,
    /// More arguments, such as `--latency-read 30ms`.
    pub arguments: Vec<String>,
}

/// Where an emulator listens and how its administrator signs in; its ready line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The base address, without `/api/v4`.
    pub url: String,
    /// An access token of the administrator.
    pub root_token: String,
    /// The process id.
    pub pid: u32,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Endpoint")
            .field("url", &self.url)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

/// A running emulator. Dropping it ends the process.
#[derive(Debug)]
pub struct Emulator {
    endpoint: Endpoint,
    client: Client,
    process: ServerProcess,
}

impl Emulator {
    /// Starts an emulator and waits until it answers.
    pub fn start(options: &EmulatorOptions) -> Result<Self, Error> {
        let mut command = Command::new(&options.executable);
        command
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(&options.data);
        command.args(&options.arguments);
        let name = "gitlab-emulator";
        let (process, line) = ServerProcess::start(name, command, &options.data)?;
        let endpoint: Endpoint = serde_json::from_str(&line).map_err(|source| Error::Output {
            command: name.to_owned(),
            expected: "its ready line",
            source: Some(source),
        })?;
        // A default that is already there is as good: only the first call installs one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|source| Error::Emulator {
                path: endpoint.url.clone(),
                source,
            })?;
        Ok(Self {
            endpoint,
            client,
            process,
        })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The base address, without `/api/v4`.
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// An access token of the administrator.
    pub fn root_token(&self) -> &str {
        &self.endpoint.root_token
    }

    /// Leaves it running when this process ends.
    pub fn leave_running(self) -> Endpoint {
        self.process.leave_running();
        self.endpoint
    }

    /// All calls that it has answered, its own control endpoints aside.
    pub fn calls(&self) -> Result<Calls, Error> {
        let journal: Vec<Call> = self.get("/-/emulator/journal")?;
        Ok(Calls::new(journal))
    }

    /// The result of `step`, and the calls that arrived while it ran.
    pub fn calls_during<T>(&self, step: impl FnOnce() -> T) -> Result<(T, Calls), Error> {
        let before = self.calls()?.count();
        let result = step();
        let calls = self
            .calls()?
            .as_slice()
            .iter()
            .skip(before)
            .cloned()
            .collect();
        Ok((result, Calls::new(calls)))
    }

    /// Asks the API or a control endpoint as the administrator, and reads the JSON answer.
    pub fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.client
            .get(format!("{}{path}", self.endpoint.url))
            .header("PRIVATE-TOKEN", &self.endpoint.root_token)
            .send()
            .and_then(reqwest::blocking::Response::error_for_status)
            .and_then(reqwest::blocking::Response::json)
            .map_err(|source| Error::Emulator {
                path: path.to_owned(),
                source,
            })
    }
}

impl Endpoint {
    /// Whether this very emulator still runs on `data`.
    pub fn is_running_on(&self, data: &Path) -> bool {
        data.to_str()
            .is_some_and(|data| is_running_with(self.pid, data))
    }

    /// Ends an emulator that was left running on `data`; nothing happens if it is not running.
    pub fn stop(&self, data: &Path) {
        if self.is_running_on(data) {
            server_process::stop_left_running(self.pid);
        }
    }
}
