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

/// The timeout of calls.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// The environment variable with the executable to use.
const VARIABLE: &str = "NAUTES_TEST_EMULATOR";

/// The name of the emulator in files and messages.
const NAME: &str = "gitlab-emulator";

/// Options to start an emulator with.
#[derive(Debug, Clone)]
pub struct EmulatorOptions {
    /// The emulator's executable.
    pub executable: PathBuf,
    /// The folder for its data and log. Existing data is used.
    pub folder: PathBuf,
    /// The address to listen on; port 0 selects a free one.
    pub listen: String,
    /// Additional arguments, such as `--latency-read 30`.
    pub arguments: Vec<String>,
}

/// The ready line of an emulator: its URL and the administrator's token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The base URL, without `/api/v4`.
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

/// Returns the emulator's executable: `NAUTES_TEST_EMULATOR`, or built once per process.
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
    /// Makes options with a free port and no additional arguments.
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
            expected: "a ready line",
            source: Some(source),
        })?;
        Ok((process, endpoint))
    }

    /// Starts an emulator that outlives this process, and waits until it is ready.
    pub fn start_detached(&self) -> Result<Endpoint, Error> {
        let (process, endpoint) = self.start(Group::Own)?;
        process.detach();
        Ok(endpoint)
    }
}

fn data_folder(folder: &Path) -> PathBuf {
    folder.join("data")
}

impl Emulator {
    /// Starts an emulator and waits until it is ready.
    pub fn start(options: &EmulatorOptions) -> Result<Self, Error> {
        let (process, endpoint) = options.start(Group::Shared)?;
        Ok(Self {
            client: endpoint.client()?,
            endpoint,
            process,
        })
    }

    /// Returns the ready line.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the base URL, without `/api/v4`.
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// Returns an access token of the administrator.
    pub fn root_token(&self) -> &str {
        &self.endpoint.root_token
    }

    /// Returns the path of the log.
    pub fn log(&self) -> &Path {
        self.process.log()
    }

    /// Returns all received calls, except those of control endpoints.
    pub fn calls(&self) -> Result<Calls, Error> {
        self.calls_since(0)
    }

    /// Runs `step`, and returns its result and the calls that arrived during it.
    pub fn calls_during<T>(&self, step: impl FnOnce() -> T) -> Result<(T, Calls), Error> {
        let last = self.last_call()?;
        let result = step();
        Ok((result, self.calls_since(last)?))
    }

    /// Returns the number of the last call; 0 before the first.
    pub(crate) fn last_call(&self) -> Result<u64, Error> {
        let calls = self.calls()?;
        Ok(calls.as_slice().last().map_or(0, |call| call.number))
    }

    fn calls_since(&self, number: u64) -> Result<Calls, Error> {
        let calls: Vec<Call> = self.journal_since(number)?;
        Ok(Calls::new(calls))
    }

    /// Returns the journal after a number, deserialised as `T`.
    pub(crate) fn journal_since<T: DeserializeOwned>(&self, number: u64) -> Result<T, Error> {
        let path = format!("/-/emulator/journal?since={number}");
        let journal = self.request(Method::GET, &path, None)?;
        journal.json().map_err(emulator_failure(&path))
    }

    /// Injects a fault, in the format of the emulator.
    pub fn inject_fault(&self, fault: &Value) -> Result<(), Error> {
        self.request(Method::POST, "/-/emulator/faults", Some(fault))
            .map(|_| ())
    }

    /// Removes all faults.
    pub fn clear_faults(&self) -> Result<(), Error> {
        self.request(Method::DELETE, "/-/emulator/faults", None)
            .map(|_| ())
    }

    /// Sets switches of the emulator's behaviour; others keep their values.
    pub fn update_switches(&self, switches: &Value) -> Result<(), Error> {
        self.request(Method::PUT, "/-/emulator/switches", Some(switches))
            .map(|_| ())
    }

    /// Puts images into the container registry of a group, so that it keeps its path on deletion.
    pub fn put_registry_images(&self, group: u64) -> Result<(), Error> {
        let path = format!("/-/emulator/groups/{group}/registry_images");
        let images = serde_json::json!({ "has_images": true });
        self.request(Method::PUT, &path, Some(&images)).map(|_| ())
    }

    /// Advances the clock.
    pub fn advance_clock(&self, by: Duration) -> Result<(), Error> {
        let advance = serde_json::json!({ "advance_seconds": by.as_secs() });
        self.request(Method::POST, "/-/emulator/clock", Some(&advance))
            .map(|_| ())
    }

    /// Sets the clock back.
    pub fn rewind_clock(&self, by: Duration) -> Result<(), Error> {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        let advance = serde_json::json!({ "advance_seconds": -seconds });
        self.request(Method::POST, "/-/emulator/clock", Some(&advance))
            .map(|_| ())
    }

    /// Waits until all background work, such as deletions, is done.
    pub fn wait_until_idle(&self) -> Result<(), Error> {
        self.request(Method::POST, "/-/emulator/wait_until_idle", None)
            .map(|_| ())
    }

    /// Calls GitLab's API as the administrator; returns null for a response without a body.
    ///
    /// `path` begins after `/api/v4`.
    pub fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        self.api_as(&self.endpoint.root_token, method, path, body)
    }

    /// Calls GitLab's API with an access token, otherwise like [`Emulator::api`].
    pub fn api_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        self.endpoint.call(&self.client, token, method, path, body)
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
        self.endpoint.send(&self.client, token, method, path, body)
    }
}

fn emulator_failure(path: &str) -> impl FnOnce(reqwest::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Emulator { path, source }
}

impl Endpoint {
    /// Calls the API as the administrator; returns null for a response without a body.
    pub fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        self.call(&self.client()?, &self.root_token, method, path, body)
    }

    fn client(&self) -> Result<Client, Error> {
        // Fails if a provider is already installed, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            // The server may close an idle connection just when it is reused.
            .pool_max_idle_per_host(0)
            .timeout(REQUEST_LIMIT)
            .build();
        client.map_err(emulator_failure(&self.url))
    }

    fn call(
        &self,
        client: &Client,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let path = format!("/api/v4{path}");
        let response = self.send(client, token, method, &path, body)?;
        let text = response.text().map_err(emulator_failure(&path))?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn send(
        &self,
        client: &Client,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, Error> {
        let request = client
            .request(method, format!("{}{path}", self.url))
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

    /// Returns whether this emulator still runs, with its data in `folder`.
    pub fn is_running_in(&self, folder: &Path) -> bool {
        data_folder(folder)
            .to_str()
            .is_some_and(|data| is_running_with(self.pid, data))
    }

    /// Ends the emulator, if it still runs with its data in `folder`.
    pub fn stop(&self, folder: &Path) {
        if self.is_running_in(folder) {
            server_process::stop_detached(self.pid);
        }
    }

    /// Returns the address that it listens on, such as `127.0.0.1:4567`.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches('/')
    }
}
