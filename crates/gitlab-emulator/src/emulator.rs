//! Starts and stops an emulator in the current process.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::domain::level::AccessLevel;
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::switches::Switches;
use crate::domain::time::Moment;
use crate::domain::token::{Scope, TokenDigest, TokenKind};
use crate::domain::token_change::NewToken;
use crate::domain::user::Resource;
use crate::domain::user_change::{NewUser, UserTaken};
use crate::instance::Instance;
use crate::seed::{DeployKeyCredential, SeedAccessToken, SeedError, SeedToken, SeededToken};
use crate::web::fault::{Fault, FaultError};
use crate::web::journal::JournalEntry;
use crate::web::server;
use crate::{background, git_http, random, seed, store, webhook};

const ROOT_TOKEN: &str = "root-token";
const LOCK: &str = "lock";
/// Longest time that a stopped emulator takes to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// An error that kept an emulator from starting.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The data folder cannot be used.
    #[error("could not use the data folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Another emulator is using the data folder.
    #[error("the data folder {path} is in use by another emulator")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The state could not be read.
    #[error("could not open the state")]
    State(#[from] store::Error),
    /// No temporary data folder could be created.
    #[error("could not create a temporary data folder")]
    Temporary(#[source] std::io::Error),
}

/// Configures and starts an [`Emulator`].
pub struct Builder {
    address: SocketAddr,
    folder: Option<PathBuf>,
    root_token: Option<String>,
    url: Option<String>,
    latency_read: Option<Duration>,
    latency_commit: Option<Duration>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            folder: None,
            root_token: None,
            url: None,
            latency_read: None,
            latency_commit: None,
        }
    }
}

impl Builder {
    /// Sets the address to listen on; the default is a free port of the loopback interface.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Keeps all data in a folder, from which a later emulator can start again. The default is a
    /// temporary folder that is removed with the emulator.
    #[must_use]
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sets the token of the administrator `root`. The default is the token that the data folder
    /// has, or a new one.
    #[must_use]
    pub fn root_token(mut self, token: impl Into<String>) -> Self {
        self.root_token = Some(token.into());
        self
    }

    /// Sets the URL in responses, for clients behind a proxy; without a trailing slash.
    #[must_use]
    pub fn external_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Delays every GET and HEAD request to the API by this time.
    #[must_use]
    pub fn latency_read(mut self, latency: Duration) -> Self {
        self.latency_read = Some(latency);
        self
    }

    /// Delays commits by this time between reading the parent and moving the branch, where GitLab
    /// runs its hooks.
    #[must_use]
    pub fn latency_commit(mut self, latency: Duration) -> Self {
        self.latency_commit = Some(latency);
        self
    }

    /// Starts the emulator on the current runtime.
    pub async fn start(self) -> Result<Emulator, Error> {
        let (folder, temporary) = if let Some(folder) = self.folder {
            (folder, None)
        } else {
            let temporary = tempfile::tempdir().map_err(Error::Temporary)?;
            (temporary.path().to_owned(), Some(temporary))
        };
        // git runs in other working directories, so the path must be absolute.
        let folder = std::fs::create_dir_all(&folder)
            .and_then(|()| folder.canonicalize())
            .map_err(|source| Error::Folder {
                path: folder,
                source,
            })?;
        let lock = lock(&folder).await?;
        let (instance, requests) = Instance::open(&folder)?;
        let instance = Arc::new(instance);
        let folder_error = |source| Error::Folder {
            path: folder.clone(),
            source,
        };
        git_http::write_hooks(&instance.hooks).map_err(folder_error)?;
        let root_token = root_token(&folder, self.root_token).map_err(folder_error)?;
        prepare(&instance, &root_token);
        instance.store.change(|state| {
            let switches = state.switches.get_mut();
            if let Some(latency) = self.latency_read {
                switches.latency_read = millis(latency);
            }
            if let Some(latency) = self.latency_commit {
                switches.latency_commit = millis(latency);
            }
        });

        let listening = |source| Error::Listen {
            address: self.address,
            source,
        };
        let listener = TcpListener::bind(self.address).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        instance.set_url(self.url.unwrap_or_else(|| format!("http://{address}")));
        let (stop, stopped) = watch::channel(false);
        let router = server::router(&instance);
        let server = tokio::spawn(server::accept(listener, router, stopped.clone()));
        let worker = tokio::spawn(background::run(Arc::clone(&instance), stopped.clone()));
        let caller = tokio::spawn(webhook::run(Arc::clone(&instance), requests, stopped));
        Ok(Emulator {
            url: instance.url().to_owned(),
            root_token,
            instance,
            stop,
            tasks: vec![server, worker, caller],
            _lock: lock,
            _temporary: temporary,
        })
    }
}

/// A running emulator; dropping it stops it.
pub struct Emulator {
    /// The URL of the instance, such as `http://127.0.0.1:40123`.
    pub url: String,
    /// A token of the administrator `root` with all scopes.
    pub root_token: String,
    instance: Arc<Instance>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    /// Locks the data folder while the emulator runs.
    _lock: File,
    _temporary: Option<tempfile::TempDir>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is secret.
        formatter
            .debug_struct("Builder")
            .field("address", &self.address)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is secret.
        formatter
            .debug_struct("Emulator")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// Returns a builder with the defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the API and git calls since the start or the last [`Emulator::clear_journal`].
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.instance.journal.since(0)
    }

    /// Returns the calls whose number is greater than `number`.
    pub fn journal_since(&self, number: u64) -> Vec<JournalEntry> {
        self.instance.journal.since(number)
    }

    /// Clears the journal.
    pub fn clear_journal(&self) {
        self.instance.journal.clear();
    }

    /// Adds a fault.
    pub fn inject_fault(&self, fault: Fault) -> Result<(), FaultError> {
        self.instance.faults.add(fault)
    }

    /// Returns the faults that can still hit a call.
    pub fn pending_faults(&self) -> Vec<Fault> {
        self.instance.faults.waiting()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.instance.faults.clear();
    }

    /// Changes the switches of the emulator.
    pub fn update_switches(&self, change: impl FnOnce(&mut Switches)) {
        self.instance
            .store
            .change(|state| change(state.switches.get_mut()));
    }

    /// Changes the settings of the instance.
    pub fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        self.instance
            .store
            .change(|state| change(state.settings.get_mut()));
    }

    /// Creates a token in a state that no request can produce, and returns its secret.
    pub fn seed_token(&self, token: SeedToken) -> Result<String, SeedError> {
        seed::token(&self.instance, token)
    }

    /// Creates an ordinary user with a personal access token of the scopes `api`, `read_repository`
    /// and `write_repository`.
    pub fn seed_user(&self, username: &str) -> Result<SeededToken, SeedError> {
        seed::user(&self.instance, username)
    }

    /// Makes a user a direct member of a project or group, or changes the level of the membership.
    pub fn seed_member(
        &self,
        resource: Resource,
        username: &str,
        level: AccessLevel,
    ) -> Result<(), SeedError> {
        seed::member(&self.instance, resource, username, level)
    }

    /// Creates a project or group access token.
    pub fn seed_access_token(&self, token: SeedAccessToken) -> Result<SeededToken, SeedError> {
        seed::access_token(&self.instance, token)
    }

    /// Moves a project to another group or personal namespace.
    pub fn transfer_project(&self, project: u64, namespace: u64) -> Result<(), SeedError> {
        seed::transfer_project(&self.instance, project, namespace)
    }

    /// Changes the state directly. The caller must keep repositories on disk in step.
    pub fn seed<T>(&self, change: impl FnOnce(&mut State, Moment) -> T) -> T {
        let now = self.instance.now();
        self.instance.change(|state| change(state, now))
    }

    /// Returns a credential with which a deploy key may use git over HTTP, in place of SSH.
    pub fn deploy_key_credential(&self, key: u64) -> Result<DeployKeyCredential, SeedError> {
        seed::deploy_key_credential(&self.instance, key)
    }

    /// Sets whether the container registry of a group holds images, which keep the group's path
    /// from changing.
    pub fn seed_registry_images(&self, group: u64, has_images: bool) -> Result<(), SeedError> {
        seed::registry_images(&self.instance, group, has_images)
    }

    /// Resets the counters of all rate limits.
    pub fn reset_limits(&self) {
        self.instance.counters.clear();
    }

    /// Moves the instance's clock forward.
    pub fn advance_clock(&self, duration: Duration) {
        self.instance
            .advance_clock(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    }

    /// Waits until no background job and no webhook delivery is left.
    pub async fn wait_until_idle(&self) {
        while !self.instance.is_idle() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Stops the emulator after the running requests have ended.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Locks a data folder; waits for an emulator that is still stopping.
async fn lock(folder: &Path) -> Result<File, Error> {
    let failed = |source| Error::Folder {
        path: folder.to_owned(),
        source,
    };
    let file = File::create(folder.join(LOCK)).map_err(failed)?;
    let until = Instant::now() + STOP_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse {
                    path: folder.to_owned(),
                });
            }
        }
    }
}

fn root_token(folder: &Path, given: Option<String>) -> std::io::Result<String> {
    let path = folder.join(ROOT_TOKEN);
    if let Some(token) = given {
        return Ok(token);
    }
    match std::fs::read_to_string(&path) {
        Ok(token) => Ok(token.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let token = random::token("glpat-");
            random::write_private(&path, &token)?;
            Ok(token)
        }
        Err(error) => Err(error),
    }
}

/// Creates the administrator and the token unless the data folder has them.
fn prepare(instance: &Instance, root_token: &str) {
    let now = instance.now();
    let digest = TokenDigest::new(root_token);
    let prepared = instance.store.change(|state| {
        let root = state
            .users
            .find(|user| user.username == "root")
            .map(|user| user.id);
        let root = match root {
            Some(root) => root,
            None => state.create_user(administrator(), now)?,
        };
        if state.token_by_digest(&digest).is_none() {
            let new = NewToken {
                user: root,
                name: "root".to_owned(),
                description: None,
                kind: TokenKind::Personal,
                scopes: Scope::NAMES.iter().map(|(_, scope)| *scope).collect(),
                expires_at: None,
                previous: None,
            };
            state.add_token(new, digest, now);
        }
        Ok::<(), UserTaken>(())
    });
    if let Err(error) = prepared {
        tracing::error!(%error, "could not create the administrator");
    }
}

fn administrator() -> NewUser {
    NewUser {
        username: "root".to_owned(),
        name: "Administrator".to_owned(),
        email: "admin@example.com".to_owned(),
        is_admin: true,
        can_create_group: Some(true),
        projects_limit: None,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
