//! The server: its process, and the test bed's own calls to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::blocking::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::OpenBaoProgram;
use crate::free_ports::free_ports;
use crate::server_process::{Group, ServerProcess};
use crate::{Error, isolated_environment, progress};

/// The name of the server in files and messages.
const NAME: &str = "openbao";

/// The timeout of the test bed's own calls.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// How long a started server may take to become ready.
const START_LIMIT: Duration = Duration::from_secs(30);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A server, running or not.
pub(super) struct Server {
    program: PathBuf,
    folder: PathBuf,
    client: Client,
    pub(super) addresses: Addresses,
    pub(super) keys: Keys,
}

/// The addresses that a server listens on.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Addresses {
    /// For clients.
    pub(super) api: String,
    /// For other servers of a cluster, of which there are none.
    cluster: String,
}

/// The keys of a server; empty before it is initialised.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Keys {
    pub(super) root_token: String,
    unseal_key: String,
}

impl Addresses {
    /// Returns two addresses that are currently unused.
    pub(super) fn free() -> Result<Self, Error> {
        let [api, cluster] = free_ports(NAME)?.map(|port| format!("http://127.0.0.1:{port}"));
        Ok(Self { api, cluster })
    }
}

impl Server {
    /// Makes a server with its data and log in `folder`, without starting it.
    pub(super) fn new(
        program: &OpenBaoProgram,
        folder: &Path,
        addresses: Addresses,
        keys: Keys,
    ) -> Result<Self, Error> {
        // Fails if a provider is already installed, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(REQUEST_LIMIT).build();
        Ok(Self {
            program: program.path().to_owned(),
            folder: folder.to_owned(),
            client: client.map_err(failure(&addresses.api))?,
            addresses,
            keys,
        })
    }

    /// Starts the process, and waits until it responds. The server is sealed.
    pub(super) fn start(&self, group: Group) -> Result<ServerProcess, Error> {
        let data = self.folder.join("data");
        fs::create_dir_all(&data).map_err(Error::file("create", &data))?;
        let configuration = configuration_file(&self.folder);
        let Addresses { api, cluster } = &self.addresses;
        let text = json!({
            "storage": { "raft": {
                "path": data,
                "node_id": "test",
                // The shortest election timeouts: there is no other server.
                "performance_multiplier": "1",
            } },
            "listener": [{ "tcp": {
                "address": api.trim_start_matches("http://"),
                "cluster_address": cluster.trim_start_matches("http://"),
                "tls_disable": true,
            } }],
            "api_addr": api,
            "cluster_addr": cluster,
            "ui": false,
        });
        fs::write(&configuration, text.to_string())
            .map_err(Error::file("write", &configuration))?;
        let mut command = Command::new(&self.program);
        command
            .arg("server")
            .arg(configuration_argument(&self.folder))
            .env_clear()
            .envs(isolated_environment(&self.folder));
        let (mut process, _) = ServerProcess::start(NAME, command, &self.folder, group)?;
        progress::when_slow("waiting for OpenBao", || {
            process.wait_until(NAME, START_LIMIT, || {
                Ok(self.api(Method::GET, "sys/init", None).ok())
            })
        })?;
        Ok(process)
    }

    /// Initialises the server, which creates its keys.
    pub(super) fn initialise(&mut self) -> Result<(), Error> {
        let shares = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let keys = self.api(Method::PUT, "sys/init", Some(&shares))?;
        self.keys = Keys {
            root_token: text_at(&keys, "/root_token", "sys/init")?,
            unseal_key: text_at(&keys, "/keys_base64/0", "sys/init")?,
        };
        Ok(())
    }

    /// Unseals the server, and waits until it is ready.
    pub(super) fn unseal(&self) -> Result<(), Error> {
        let key = json!({ "key": self.keys.unseal_key });
        self.api(Method::PUT, "sys/unseal", Some(&key))?;
        // The health check succeeds once the server is active and accepts writes.
        self.wait_for(|server| server.api(Method::GET, "sys/health", None).map(|_| ()))
    }

    /// Mounts a key-value engine of version 2, and waits until it is ready.
    pub(super) fn enable_kv(&self, mount: &str) -> Result<(), Error> {
        let engine = json!({ "type": "kv", "options": { "version": "2" } });
        self.api(Method::POST, &format!("sys/mounts/{mount}"), Some(&engine))?;
        let path = format!("{mount}/config");
        self.wait_for(|server| server.api(Method::GET, &path, None).map(|_| ()))
    }

    /// Calls the API as root; returns null for a response without a body.
    pub(super) fn api(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let (status, text) = self.request(method, path, body)?;
        if !(200..300).contains(&status) {
            return Err(Error::Refused {
                server: NAME,
                path: path.to_owned(),
                status,
                text,
            });
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Calls the API as root; returns `None` if the path does not exist.
    pub(super) fn api_if_found(&self, method: Method, path: &str) -> Result<Option<Value>, Error> {
        match self.api(method, path, None) {
            Ok(response) => Ok(Some(response)),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, String), Error> {
        let request = self
            .client
            .request(method, format!("{}/v1/{path}", self.addresses.api))
            .header("X-Vault-Token", &self.keys.root_token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = request.send().map_err(failure(path))?;
        let status = response.status().as_u16();
        Ok((status, response.text().map_err(failure(path))?))
    }

    /// Repeats a call until it succeeds.
    fn wait_for(&self, call: impl Fn(&Self) -> Result<(), Error>) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            match call(self) {
                Ok(()) => return Ok(()),
                Err(error) if begun.elapsed() > START_LIMIT => return Err(error),
                Err(_) => std::thread::sleep(POLL_INTERVAL),
            }
        }
    }
}

/// Returns the argument that identifies the server process of a folder.
pub(super) fn configuration_argument(folder: &Path) -> String {
    format!("-config={}", configuration_file(folder).display())
}

fn configuration_file(folder: &Path) -> PathBuf {
    folder.join("openbao.json")
}

/// Returns the string at a JSON pointer of a response.
pub(super) fn text_at(response: &Value, pointer: &str, path: &str) -> Result<String, Error> {
    let text = response.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Error::Output {
        command: format!("{NAME} {path}"),
        expected: "the documented response",
        source: None,
    })
}

fn failure(path: &str) -> impl FnOnce(reqwest::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Server {
        server: NAME,
        path,
        source,
    }
}
