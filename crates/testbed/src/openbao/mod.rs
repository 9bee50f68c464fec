//! A real `OpenBao` server as a child process, behind a proxy that counts its calls.

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

/// A running server that stores what it holds in files, initialised and unsealed. Dropping it ends the process.
///
/// Nothing but what `OpenBao` itself brings is mounted in it.
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
    /// Starts a server with its data and its log in `folder`, and waits until it can be used.
    pub fn start(program: &OpenBaoProgram, folder: &Path) -> Result<Self, Error> {
        let mut server = Server::new(program, folder, Addresses::free()?, Keys::default())?;
        let process = server.start(Group::Shared)?;
        server.initialise()?;
        server.unseal()?;
        Ok(Self {
            process: Some(process),
            proxy: Proxy::start(&server.addresses.api, "/v1")?,
            server,
        })
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
        &self.server.keys.root_token
    }

    /// Mounts a key-value engine of version 2, and waits until it can be used.
    pub fn enable_kv(&self, mount: &str) -> Result<(), Error> {
        self.server.enable_kv(mount)
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
        self.server.unseal()
    }

    /// Ends the server: connections to its address are refused.
    pub fn stop(&mut self) {
        self.proxy.shut();
        self.process = None;
    }

    /// Starts a stopped server at the same address with what it held, and unseals it.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.stop();
        self.process = Some(self.server.start(Group::Shared)?);
        self.server.unseal()?;
        self.proxy.listen()
    }

    /// All that can be told apart from outside, for comparing before with after.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        inventory::of(&self.server)
    }

    /// Asks the API as root, past the proxy; the answer is null if it has no body.
    ///
    /// `path` begins after `/v1/`.
    pub fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        self.server.api(method, path, body)
    }
}

fn fingerprint(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
