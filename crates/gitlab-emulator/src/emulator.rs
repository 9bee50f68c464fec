//! Starting and stopping an emulator inside a process.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::switches::Switches;
use crate::domain::time::Moment;
use crate::domain::token::{Scope, TokenDigest, TokenKind};
use crate::domain::token_change::NewToken;
use crate::domain::user_change::{NewUser, UserTaken};
use crate::instance::Instance;
use crate::seed::{SeedError, SeedToken};
use crate::web::fault::{Fault, FaultError};
use crate::web::journal::JournalEntry;
use crate::web::server;
use crate::{git_http, random, seed, store, webhook, work};

const ROOT_TOKEN: &str = "root-token";
const LOCK: &str = "lock";
/// An emulator that was told to stop does so within this time.
const LONGEST_STOP: Duration = Duration::from_secs(5);

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The data folder cannot be used.
    #[error("could not use the data folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another emulator uses the data folder.
    #[error("the data folder {path} is in use by another emulator")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The state cannot be read.
    #[error("could not open the state")]
    State(#[from] store::Error),
    /// A temporary data folder cannot be made.
    #[error("could not make a temporary data folder")]
    Temporary(#[source] std::io::Error),
}

/// What an emulator is started with.
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
    /// Listens on an address; a free port of the loopback interface by default.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Keeps everything in a folder, which a later emulator can be started with; by default a
    /// temporary one that ends with the emulator.
    #[must_use]
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sets the token of the administrator `root`; by default the one of the data folder, or a new one.
    #[must_use]
    pub fn root_token(mut self, token: impl Into<String>) -> Self {
        self.root_token = Some(token.into());
        self
    }

    /// Sets the URL that answers show, if clients come through something else; without a slash at the end.
    #[must_use]
    pub fn external_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Makes every GET and HEAD of the API take this long.
    #[must_use]
    pub fn latency_read(mut self, latency: Duration) -> Self {
        self.latency_read = Some(latency);
        self
    }

    /// Makes commits take this long, between the reading of the parent and the moving of the
    /// branch, where GitLab spends the time too.
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
        // Absolute, because git runs in other folders.
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
        let worker = tokio::spawn(work::run(Arc::clone(&instance), stopped.clone()));
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

/// A running emulator; it stops when it is dropped.
pub struct Emulator {
    /// The URL of the instance, such as `http://127.0.0.1:40123`.
    pub url: String,
    /// A token of the administrator `root` with all scopes.
    pub root_token: String,
    instance: Arc<Instance>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    /// Held while the emulator runs.
    _lock: File,
    _temporary: Option<tempfile::TempDir>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the token.
        formatter
            .debug_struct("Builder")
            .field("address", &self.address)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the token.
        formatter
            .debug_struct("Emulator")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// Begins the description of an emulator.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The calls of API and git since the start, or since [`Emulator::clear_journal`].
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.instance.journal.since(0)
    }

    /// The calls after a number of the journal.
    pub fn journal_since(&self, number: u64) -> Vec<JournalEntry> {
        self.instance.journal.since(number)
    }

    /// Forgets the calls so far.
    pub fn clear_journal(&self) {
        self.instance.journal.clear();
    }

    /// Injects a fault.
    pub fn inject(&self, fault: Fault) -> Result<(), FaultError> {
        self.instance.faults.add(fault)
    }

    /// The faults that still wait for a call.
    pub fn waiting_faults(&self) -> Vec<Fault> {
        self.instance.faults.waiting()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.instance.faults.clear();
    }

    /// Changes the switches of the emulator.
    pub fn change_switches(&self, change: impl FnOnce(&mut Switches)) {
        self.instance
            .store
            .change(|state| change(state.switches.get_mut()));
    }

    /// Changes the settings of the instance.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        self.instance
            .store
            .change(|state| change(state.settings.get_mut()));
    }

    /// Puts a token there that no request could make, and gives its secret.
    pub fn seed_token(&self, token: SeedToken) -> Result<String, SeedError> {
        seed::token(&self.instance, token)
    }

    /// Changes the state directly; what belongs to it on disk is the caller's business.
    pub fn seed<T>(&self, change: impl FnOnce(&mut State, Moment) -> T) -> T {
        let now = self.instance.now();
        self.instance.change(|state| change(state, now))
    }

    /// Says whether the container registry of a group holds images, which pin the group's path.
    pub fn seed_registry_images(&self, group: u64, are_there: bool) -> Result<(), SeedError> {
        seed::registry_images(&self.instance, group, are_there)
    }

    /// Forgets how often each limited endpoint was called.
    pub fn reset_limits(&self) {
        self.instance.counters.clear();
    }

    /// Moves the clock of the instance forward.
    pub fn advance_clock(&self, duration: Duration) {
        self.instance
            .advance_clock(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    }

    /// Waits until no background work is left and every webhook was called.
    pub async fn settle(&self) {
        while !self.instance.is_settled() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Stops the emulator after the running requests.
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

/// Makes sure that nobody else uses the folder; one who is just stopping is waited for.
async fn lock(folder: &Path) -> Result<File, Error> {
    let failed = |source| Error::Folder {
        path: folder.to_owned(),
        source,
    };
    let file = File::create(folder.join(LOCK)).map_err(failed)?;
    let until = Instant::now() + LONGEST_STOP;
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

/// Makes the administrator and the token when the data folder has none.
fn prepare(instance: &Instance, root_token: &str) {
    let now = instance.now();
    let digest = TokenDigest::of(root_token);
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
        tracing::error!(%error, "the administrator could not be made");
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
