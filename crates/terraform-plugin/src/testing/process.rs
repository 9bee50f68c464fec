//! Starts a provider's executable as Terraform does, and connects to it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use terraform_plugin::protocol::tfplugin6::get_provider_schema;
//! use terraform_plugin::testing::process::ProviderProcess;
//!
//! let provider = ProviderProcess::start("target/release/terraform-provider-cloud").await?;
//! let mut client = provider.client().await?;
//! let schema = client.get_provider_schema(get_provider_schema::Request {}).await?.into_inner();
//! println!("{} resources", schema.resource_schemas.len());
//! println!("{:?} to start, {:?} bytes", provider.start_time(), provider.resident_memory());
//! provider.shut_down().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The process gets the environment, handshake and mutual TLS of the real client, with a key on P-521. Dropping the
//! value kills it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::transport::Channel;

use crate::protocol::plugin::Empty;
use crate::protocol::plugin::grpc_controller_client::GrpcControllerClient;
use crate::protocol::tfplugin6::provider_client::ProviderClient;
use crate::server::environment::MAGIC_COOKIE;

pub use client_identity::ClientIdentity;
pub use endpoint::Endpoint;
pub use error::Error;

mod client_identity;
mod endpoint;
mod error;
mod memory;
mod p521_key;

/// The time limit of the real client for the handshake line.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(60);

/// The options for starting a provider.
#[derive(Debug)]
pub struct Launch {
    executable: PathBuf,
    command: Command,
    identity: Option<ClientIdentity>,
}

impl Launch {
    /// Returns a launch of `executable` without arguments, in an environment like Terraform's.
    pub fn new(executable: impl Into<PathBuf>) -> Result<Self, Error> {
        let executable = executable.into();
        let mut command = Command::new(&executable);
        command
            .env("TF_PLUGIN_MAGIC_COOKIE", MAGIC_COOKIE)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("PLUGIN_MIN_PORT", "10000")
            .env("PLUGIN_MAX_PORT", "25000")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Ok(Self {
            executable,
            command,
            identity: Some(ClientIdentity::p521()?),
        })
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the client certificate. `None` disables encryption, as `TF_DISABLE_PLUGIN_TLS` does.
    #[must_use]
    pub fn identity(mut self, identity: Option<ClientIdentity>) -> Self {
        self.identity = identity;
        self
    }

    /// Starts the process and waits for its handshake line.
    pub async fn start(mut self) -> Result<ProviderProcess, Error> {
        if let Some(identity) = &self.identity {
            self.command.env("PLUGIN_CLIENT_CERT", identity.pem());
        }
        let start = Instant::now();
        let mut child = self.command.spawn().map_err(|source| Error::Start {
            executable: self.executable.clone(),
            source,
        })?;
        let (stderr, end_of_stderr) = Output::collect(child.stderr.take());
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(|| Error::NoHandshake {
            executable: self.executable.clone(),
            stderr: String::new(),
        })?);
        let mut line = String::new();
        let read = timeout(HANDSHAKE_LIMIT, stdout.read_line(&mut line)).await;
        let start_time = start.elapsed();
        if !matches!(read, Ok(Ok(1..))) {
            // The reason may arrive late; whatever has arrived by then is reported.
            let _ = timeout(Duration::from_secs(5), end_of_stderr).await;
            return Err(Error::NoHandshake {
                executable: self.executable,
                stderr: stderr.text(),
            });
        }
        let endpoint = line.trim_end_matches('\n').parse()?;
        let (later_stdout, _) = Output::collect(Some(stdout));
        Ok(ProviderProcess {
            pid: child.id().unwrap_or_default(),
            child,
            endpoint,
            identity: self.identity,
            start_time,
            later_stdout,
            stderr,
        })
    }
}

/// A running provider. Dropping it kills the process.
#[derive(Debug)]
pub struct ProviderProcess {
    child: Child,
    pid: u32,
    endpoint: Endpoint,
    identity: Option<ClientIdentity>,
    start_time: Duration,
    later_stdout: Output,
    stderr: Output,
}

impl ProviderProcess {
    /// Starts `executable` as Terraform does, and waits for its handshake line.
    pub async fn start(executable: impl Into<PathBuf>) -> Result<Self, Error> {
        Launch::new(executable)?.start().await
    }

    /// Connects a new client to the provider, without limits on message sizes.
    pub async fn client(&self) -> Result<ProviderClient<Channel>, Error> {
        let channel = self.endpoint.connect(self.identity.as_ref()).await?;
        Ok(ProviderClient::new(channel)
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX))
    }

    /// Returns the endpoint that the provider listens on.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the time from the start of the process to its handshake line.
    pub fn start_time(&self) -> Duration {
        self.start_time
    }

    /// Returns the id of the process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns the resident memory of the process in bytes, or `None` on systems without `/proc`.
    pub fn resident_memory(&self) -> Option<u64> {
        memory::resident(self.pid)
    }

    /// Returns the peak resident memory of the process in bytes, or `None` on systems without `/proc`.
    pub fn peak_memory(&self) -> Option<u64> {
        memory::peak(self.pid)
    }

    /// Returns what the process has written to standard error.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Returns what the process has written to standard output after the handshake line.
    pub fn later_stdout(&self) -> String {
        self.later_stdout.text()
    }

    /// Returns `true` if the process has not exited.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks the process to exit, waits for it, and returns how long that took and its exit status.
    pub async fn shut_down(mut self) -> Result<(Duration, ExitStatus), Error> {
        let channel = self.endpoint.connect(self.identity.as_ref()).await?;
        let start = Instant::now();
        // The real client ignores the response too: the process may exit before it is read.
        let _ = GrpcControllerClient::new(channel).shutdown(Empty {}).await;
        let status = self.wait().await?;
        Ok((start.elapsed(), status))
    }

    /// Waits until the process exits by itself.
    pub async fn wait(&mut self) -> Result<ExitStatus, Error> {
        let pid = self.pid;
        self.child
            .wait()
            .await
            .map_err(|source| Error::Wait { pid, source })
    }
}

impl Drop for ProviderProcess {
    fn drop(&mut self) {
        // A killed process leaves its socket. One that exited has already removed it.
        if self.endpoint.network == "unix" {
            let _ = std::fs::remove_file(&self.endpoint.address);
        }
    }
}

/// The output of a process, collected in the background.
#[derive(Debug, Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// Starts to collect. The returned task ends with `source`.
    fn collect(source: Option<impl AsyncRead + Unpin + Send + 'static>) -> (Self, JoinHandle<()>) {
        let output = Self::default();
        let collected = output.clone();
        let task = tokio::spawn(async move {
            let Some(mut source) = source else { return };
            let mut chunk = [0; 4096];
            // After the end or a failure there is no more output.
            while let Ok(length @ 1..) = source.read(&mut chunk).await {
                collected.bytes().extend(chunk.iter().take(length));
            }
        });
        (output, task)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
