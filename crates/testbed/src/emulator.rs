//! The GitLab emulator as a child process.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use reqwest::blocking::{Client, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cargo::{self, Executable};
use crate::server_process::{self, Group, ServerProcess, is_running_with};
use crate::{Call, Calls, Error};

/// How long a test waits for an answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// The variable that names the executable to use.
const VARIABLE: &str = "NAUTES_TEST_EMULATOR";

/// What its files and messages are named after.
const NAME: &str = "gitlab-emulator";

/// How an emulator is to be started.
#[derive(Debug, Clone)]
pub struct EmulatorOptions {
    /// The emulator's executable.
    pub executable: PathBuf,
    /// Where its data and its log go. An emulator goes on with the data that it finds.
    pub folder: PathBuf,
    /// The address to listen on; port 0 takes a free one.
    pub listen: String,
    /// More arguments, such as `--latency-read 30`.
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

/// Finds the emulator's executable: named by `NAUTES_TEST_EMULATOR`, or built once in this process.
pub fn emulator_executable() -> Result<PathBuf, Error> {
    static BUILT: Mutex<Option<PathBuf>> = Mutex::new(None);
    if let Some(executable) = std::env::var_os(VARIABLE) {
        return Ok(executable.into());
    }
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(executable) = &*built {
        return Ok(executable.clone());
    }
    let executable = cargo::build(Executable::EMULATOR, &[])?;
    Ok(built.insert(executable).clone())
}

impl EmulatorOptions {
    /// Starts with nothing special: any free port, no more arguments.
    pub fn new(executable: impl Into<PathBuf>, folder: impl Into<PathBuf>) -> Self {
        Self {
            executable: executable.into(),
            folder: folder.into(),
            listen: "127.0.0.1:0".to_owned(),
            arguments: Vec::new(),
        }
    }

    fn start(&self, group: Group) -> Result<(ServerProcess, Endpoint), Error> {
        let mut command = Command::new(&self.executable);
        command
            .args(["--listen", &self.listen, "--data"])
            .arg(data_folder(&self.folder));
        command.args(&self.arguments);
        let (process, line) = ServerProcess::start(NAME, command, &self.folder, group)?;
        let endpoint = serde_json::from_str(&line).map_err(|source| Error::Output {
            command: NAME.to_owned(),
            expected: "its ready line",
            source: Some(source),
        })?;
        Ok((process, endpoint))
    }

    /// Starts an emulator that outlives this process, and waits until it answers.
    pub fn start_detached(&self) -> Result<Endpoint, Error> {
        let (process, endpoint) = self.start(Group::Own)?;
        process.leave_running();
        Ok(endpoint)
    }
}

fn data_folder(folder: &Path) -> PathBuf {
    folder.join("data")
}

impl Emulator {
    /// Starts an emulator and waits until it answers.
    pub fn start(options: &EmulatorOptions) -> Result<Self, Error> {
        let (process, endpoint) = options.start(Group::Shared)?;
        // A default that is already there is as good: only the first call installs one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            // A kept connection may be closed by the server just when it is used again.
            .pool_max_idle_per_host(0)
            .timeout(REQUEST_LIMIT)
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

    /// Where its messages are.
    pub fn log(&self) -> &Path {
        self.process.log()
    }

    /// All calls that it has received, its control endpoints aside.
    pub fn calls(&self) -> Result<Calls, Error> {
        self.calls_since(0)
    }

    /// The result of `step`, and the calls that arrived while it ran.
    pub fn calls_during<T>(&self, step: impl FnOnce() -> T) -> Result<(T, Calls), Error> {
        let last = self.last_call()?;
        let result = step();
        Ok((result, self.calls_since(last)?))
    }

    /// The number of the last call; 0 before the first.
    pub(crate) fn last_call(&self) -> Result<u64, Error> {
        let calls = self.calls()?;
        Ok(calls.as_slice().last().map_or(0, |call| call.number))
    }

    fn calls_since(&self, number: u64) -> Result<Calls, Error> {
        let calls: Vec<Call> = self.journal_since(number)?;
        Ok(Calls::new(calls))
    }

    /// The journal after a number, with the fields that `T` takes of its entries.
    pub(crate) fn journal_since<T: DeserializeOwned>(&self, number: u64) -> Result<T, Error> {
        let path = format!("/-/emulator/journal?since={number}");
        let journal = self.request(Method::GET, &path, None)?;
        journal.json().map_err(emulator_failure(&path))
    }

    /// Makes calls fail; the shape of a fault is the emulator's own.
    pub fn inject_fault(&self, fault: &Value) -> Result<(), Error> {
        self.request(Method::POST, "/-/emulator/faults", Some(fault))
            .map(|_| ())
    }

    /// Takes back all faults.
    pub fn clear_faults(&self) -> Result<(), Error> {
        self.request(Method::DELETE, "/-/emulator/faults", None)
            .map(|_| ())
    }

    /// Changes switches of its behaviour; those that are not named stay.
    pub fn change_switches(&self, switches: &Value) -> Result<(), Error> {
        self.request(Method::PUT, "/-/emulator/switches", Some(switches))
            .map(|_| ())
    }

    /// Puts images into the container registry of a group, which then keeps its path when it is deleted.
    pub fn put_registry_images(&self, group: u64) -> Result<(), Error> {
        let path = format!("/-/emulator/groups/{group}/registry_images");
        let images = serde_json::json!({ "are_there": true });
        self.request(Method::PUT, &path, Some(&images)).map(|_| ())
    }

    /// Puts its clock forward.
    pub fn advance_clock(&self, by: Duration) -> Result<(), Error> {
        let advance = serde_json::json!({ "advance_seconds": by.as_secs() });
        self.request(Method::POST, "/-/emulator/clock", Some(&advance))
            .map(|_| ())
    }

    /// Puts its clock back, so that what follows has happened earlier.
    pub fn put_clock_back(&self, by: Duration) -> Result<(), Error> {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        let advance = serde_json::json!({ "advance_seconds": -seconds });
        self.request(Method::POST, "/-/emulator/clock", Some(&advance))
            .map(|_| ())
    }

    /// Waits until nothing is left to be done in the background, such as a deletion.
    pub fn settle(&self) -> Result<(), Error> {
        self.request(Method::POST, "/-/emulator/settle", None)
            .map(|_| ())
    }

    /// Asks GitLab's API as the administrator; the answer is null if it has no body.
    ///
    /// `path` begins after `/api/v4`.
    pub fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        self.api_as(&self.endpoint.root_token, method, path, body)
    }

    /// Asks GitLab's API as the owner of an access token, otherwise like [`Emulator::api`].
    pub fn api_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let path = format!("/api/v4{path}");
        let text = self
            .request_as(token, method, &path, body)?
            .text()
            .map_err(emulator_failure(&path))?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response, Error> {
        self.request_as(&self.endpoint.root_token, method, path, body)
    }

    fn request_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, Error> {
        let request = self
            .client
            .request(method, format!("{}{path}", self.endpoint.url))
            .header("PRIVATE-TOKEN", token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        request
            .send()
            .and_then(Response::error_for_status)
            .map_err(emulator_failure(path))
    }
}

fn emulator_failure(path: &str) -> impl FnOnce(reqwest::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Emulator { path, source }
}

impl Endpoint {
    /// Whether this very emulator still runs with the data below `folder`.
    pub fn is_running_in(&self, folder: &Path) -> bool {
        data_folder(folder)
            .to_str()
            .is_some_and(|data| is_running_with(self.pid, data))
    }

    /// Ends an emulator that was left running with the data below `folder`, if it still runs.
    pub fn stop(&self, folder: &Path) {
        if self.is_running_in(folder) {
            server_process::stop_left_running(self.pid);
        }
    }

    /// The address it listens on, such as `127.0.0.1:4567`.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches('/')
    }
}
