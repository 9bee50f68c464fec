//! A real OpenBao server as a child process, behind a proxy that counts its calls.

mod detached;
mod inventory;
mod obtain;
mod server;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use self::server::{Addresses, Keys, Server, text_at};
use crate::Error;
use crate::proxy::Proxy;
use crate::server_process::{Group, ServerProcess};

pub use detached::DetachedOpenBao;
pub use inventory::Inventory;
pub use obtain::OpenBaoProgram;

/// A running server, initialised and unsealed, with file storage. Dropping it ends the process.
///
/// It has only OpenBao's default mounts.
pub struct OpenBao {
    server: Server,
    process: Option<ServerProcess>,
    proxy: Proxy,
}

impl fmt::Debug for OpenBao {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OpenBao")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl OpenBao {
    /// Starts a server with its data and log in `folder`, and waits until it is ready.
    pub fn start(program: &OpenBaoProgram, folder: &Path) -> Result<Self, Error> {
        let mut attempts = 3;
        let (mut server, process) = loop {
            let server = Server::new(program, folder, Addresses::free()?, Keys::default())?;
            match server.start(Group::Shared) {
                // Another process may have taken one of the ports in between.
                Err(Error::NotReady { .. }) if attempts > 1 => attempts -= 1,
                started => break (server, started?),
            }
        };
        server.initialise()?;
        server.unseal()?;
        Ok(Self {
            process: Some(process),
            proxy: Proxy::start(&server.addresses.api, "/v1")?,
            server,
        })
    }

    /// Returns the URL of the proxy, without `/v1`.
    pub fn url(&self) -> String {
        self.proxy.url()
    }

    /// Returns the proxy, which counts calls, holds them and makes them fail.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Returns the root token.
    pub fn root_token(&self) -> &str {
        &self.server.keys.root_token
    }

    /// Mounts a key-value engine of version 2, and waits until it is ready.
    pub fn enable_kv(&self, mount: &str) -> Result<(), Error> {
        self.server.enable_kv(mount)
    }

    /// Creates a token with the given policy text, which expires after `ttl` unless it is renewed.
    pub fn token_with_policy(&self, policy: &str, ttl: Duration) -> Result<String, Error> {
        let name = format!("test-{:x}", hash(policy));
        let text = json!({ "policy": policy });
        self.api(
            Method::PUT,
            &format!("sys/policies/acl/{name}"),
            Some(&text),
        )?;
        let token = json!({ "policies": [name], "ttl": format!("{}s", ttl.as_secs()) });
        let issued = self.api(Method::POST, "auth/token/create", Some(&token))?;
        text_at(&issued, "/auth/client_token", "auth/token/create")
    }

    /// Seals the server.
    pub fn seal(&self) -> Result<(), Error> {
        self.api(Method::PUT, "sys/seal", None).map(|_| ())
    }

    /// Unseals the server, and waits until it is ready.
    pub fn unseal(&self) -> Result<(), Error> {
        self.server.unseal()
    }

    /// Ends the server. Connections to its URL are then refused.
    pub fn stop(&mut self) {
        self.proxy.close();
        self.process = None;
    }

    /// Restarts a stopped server at the same URL with the same data, and unseals it.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.stop();
        self.process = Some(self.server.start(Group::Shared)?);
        self.server.unseal()?;
        self.proxy.listen()
    }

    /// Takes the inventory, to compare before and after.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        inventory::take(&self.server)
    }

    /// Calls the API as root, without the proxy; returns null for a response without a body.
    ///
    /// `path` begins after `/v1/`.
    pub fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        self.server.api(method, path, body)
    }
}

fn hash(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
