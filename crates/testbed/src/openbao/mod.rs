//! A real `OpenBao` server as a child process, behind a proxy that counts its calls.

mod inventory;
mod obtain;

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::proxy::Proxy;
use crate::server_process::{Group, ServerProcess};
use crate::{Error, isolated_environment, progress};

pub use inventory::Inventory;
pub use obtain::OpenBaoProgram;

/// What its files and messages are named after.
const NAME: &str = "openbao";

/// How long one of our own questions may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// How long a started server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(30);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A running server that stores what it holds in files, initialised and unsealed. Dropping it ends the process.
///
/// Nothing but what `OpenBao` itself brings is mounted in it.
pub struct OpenBao {
    program: PathBuf,
    folder: PathBuf,
    client: Client,
    server: Option<ServerProcess>,
    server_url: String,
    cluster_url: String,
    proxy: Proxy,
    root_token: String,
    unseal_key: String,
}

impl fmt::Debug for OpenBao {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OpenBao")
            .field("url", &self.url())
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl OpenBao {
    /// Starts a server with its data and its log in `folder`, and waits until it can be used.
    pub fn start(program: &OpenBaoProgram, folder: &Path) -> Result<Self, Error> {
        // A default that is already there is as good: only the first call installs one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (server_url, cluster_url) = (free_address()?, free_address()?);
        let client = Client::builder().no_proxy().timeout(REQUEST_LIMIT).build();
        let mut openbao = Self {
            program: program.path().to_owned(),
            folder: folder.to_owned(),
            client: client.map_err(failure(&server_url))?,
            server: None,
            proxy: Proxy::start(&server_url, "/v1")?,
            server_url,
            cluster_url,
            root_token: String::new(),
            unseal_key: String::new(),
        };
        openbao.start_process()?;
        openbao.initialise()?;
        openbao.unseal()?;
        Ok(openbao)
    }

    /// The address, without `/v1`. It leads through the proxy.
    pub fn url(&self) -> String {
        self.proxy.url()
    }

    /// What counts calls, holds them back and makes them fail.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// A token that may do everything.
    pub fn root_token(&self) -> &str {
        &self.root_token
    }

    /// Mounts a key-value engine of version 2.
    pub fn enable_kv(&self, mount: &str) -> Result<(), Error> {
        let engine = json!({ "type": "kv", "options": { "version": "2" } });
        self.api(Method::POST, &format!("sys/mounts/{mount}"), Some(&engine))?;
        // The new engine is not ready at once.
        let path = format!("{mount}/config");
        self.wait_for(|openbao| openbao.api(Method::GET, &path, None).map(|_| ()))
    }

    /// Makes a token with one policy of this text, which ends after `life` unless it is renewed.
    pub fn token_with_policy(&self, policy: &str, life: Duration) -> Result<String, Error> {
        let name = format!("test-{:x}", fingerprint(policy));
        let text = json!({ "policy": policy });
        self.api(
            Method::PUT,
            &format!("sys/policies/acl/{name}"),
            Some(&text),
        )?;
        let token = json!({ "policies": [name], "ttl": format!("{}s", life.as_secs()) });
        let issued = self.api(Method::POST, "auth/token/create", Some(&token))?;
        text_at(&issued, "/auth/client_token", "auth/token/create")
    }

    /// Seals it.
    pub fn seal(&self) -> Result<(), Error> {
        self.api(Method::PUT, "sys/seal", None).map(|_| ())
    }

    /// Unseals it, and waits until it can be used.
    pub fn unseal(&self) -> Result<(), Error> {
        let key = json!({ "key": self.unseal_key });
        self.api(Method::PUT, "sys/unseal", Some(&key))?;
        self.wait_for(|openbao| openbao.api(Method::GET, "sys/mounts", None).map(|_| ()))
    }

    /// Ends the server: connections to its address are refused.
    pub fn stop(&mut self) {
        self.proxy.shut();
        self.server = None;
    }

    /// Starts a stopped server at the same address with what it held, and unseals it.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.stop();
        self.start_process()?;
        self.unseal()?;
        self.proxy.listen()
    }

    /// All that can be told apart from outside, for comparing before with after.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        inventory::of(self)
    }

    /// Asks the API as root, past the proxy; the answer is null if it has no body.
    ///
    /// `path` begins after `/v1/`.
    pub fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let (status, text) = self.ask(method, path, body)?;
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

    /// The same, where nothing may be there: then the answer is none.
    fn api_if_any(&self, method: Method, path: &str) -> Result<Option<Value>, Error> {
        match self.api(method, path, None) {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, String), Error> {
        let request = self
            .client
            .request(method, format!("{}/v1/{path}", self.server_url))
            .header("X-Vault-Token", &self.root_token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().map_err(failure(path))?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().map_err(failure(path))?))
    }

    fn start_process(&mut self) -> Result<(), Error> {
        let data = self.folder.join("data");
        fs::create_dir_all(&data).map_err(Error::file("create", &data))?;
        let configuration = self.folder.join("openbao.json");
        let text = json!({
            "storage": { "raft": {
                "path": data,
                "node_id": "test",
                // The shortest times for an election, which nobody takes part in.
                "performance_multiplier": "1",
            } },
            "listener": [{ "tcp": {
                "address": self.server_url.trim_start_matches("http://"),
                "cluster_address": self.cluster_url.trim_start_matches("http://"),
                "tls_disable": true,
            } }],
            "api_addr": self.server_url,
            "cluster_addr": self.cluster_url,
            "ui": false,
        });
        fs::write(&configuration, text.to_string())
            .map_err(Error::file("write", &configuration))?;
        let mut command = Command::new(&self.program);
        command
            .arg("server")
            .arg(format!("-config={}", configuration.display()))
            .env_clear()
            .envs(isolated_environment(&self.folder));
        let (mut server, _) = ServerProcess::start(NAME, command, &self.folder, Group::Shared)?;
        progress::when_slow("waiting for OpenBao", || {
            server.wait_until(NAME, || Ok(self.api(Method::GET, "sys/init", None).ok()))
        })?;
        self.server = Some(server);
        Ok(())
    }

    fn initialise(&mut self) -> Result<(), Error> {
        let shares = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let keys = self.api(Method::PUT, "sys/init", Some(&shares))?;
        self.root_token = text_at(&keys, "/root_token", "sys/init")?;
        self.unseal_key = text_at(&keys, "/keys_base64/0", "sys/init")?;
        Ok(())
    }

    /// Repeats a question until it succeeds.
    fn wait_for(&self, question: impl Fn(&Self) -> Result<(), Error>) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            match question(self) {
                Ok(()) => return Ok(()),
                Err(error) if begun.elapsed() > START_LIMIT => return Err(error),
                Err(_) => std::thread::sleep(POLL_INTERVAL),
            }
        }
    }
}

/// An address on the loopback that nothing listens at in this moment.
fn free_address() -> Result<String, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| format!("http://{address}"))
        .map_err(|source| Error::Start {
            command: NAME.to_owned(),
            source,
        })
}

fn fingerprint(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn text_at(answer: &Value, pointer: &str, path: &str) -> Result<String, Error> {
    let text = answer.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Error::Output {
        command: format!("{NAME} {path}"),
        expected: "what its API describes",
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
