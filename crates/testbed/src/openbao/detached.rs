//! A server that outlives the process that starts it.

use std::fmt;
use std::path::Path;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::OpenBaoProgram;
use super::server::{Addresses, Keys, Server, configuration_argument};
use crate::Error;
use crate::server_process::{self, Group, ServerProcess, is_running_with};

/// The record of a detached server: everything needed to find, use, end and restart it.
#[derive(Clone, Serialize, Deserialize)]
pub struct DetachedOpenBao {
    addresses: Addresses,
    keys: Keys,
    pid: u32,
}

impl fmt::Debug for DetachedOpenBao {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DetachedOpenBao")
            .field("url", &self.url())
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

impl DetachedOpenBao {
    /// Starts a server with its data and log in `folder`, and mounts key-value engines of version
    /// 2.
    pub fn start(program: &OpenBaoProgram, folder: &Path, mounts: &[&str]) -> Result<Self, Error> {
        let mut server = Server::new(program, folder, Addresses::free()?, Keys::default())?;
        let process = server.start(Group::Own)?;
        server.initialise()?;
        server.unseal()?;
        for mount in mounts {
            server.enable_kv(mount)?;
        }
        Ok(Self::detach(server, process))
    }

    /// Restarts a server that has ended, at the same address and with the same data.
    pub fn restart(self, program: &OpenBaoProgram, folder: &Path) -> Result<Self, Error> {
        let server = Server::new(program, folder, self.addresses, self.keys)?;
        let process = server.start(Group::Own)?;
        server.unseal()?;
        Ok(Self::detach(server, process))
    }

    fn detach(server: Server, process: ServerProcess) -> Self {
        Self {
            addresses: server.addresses,
            keys: server.keys,
            pid: process.detach(),
        }
    }

    /// Returns the URL, without `/v1`.
    pub fn url(&self) -> &str {
        &self.addresses.api
    }

    /// Returns the root token.
    pub fn root_token(&self) -> &str {
        &self.keys.root_token
    }

    /// Writes a secret of a key-value engine of version 2.
    pub fn write_secret(
        &self,
        program: &OpenBaoProgram,
        (mount, path): (&str, &str),
        values: &Value,
    ) -> Result<(), Error> {
        let (addresses, keys) = (self.addresses.clone(), self.keys.clone());
        let server = Server::new(program, Path::new(""), addresses, keys)?;
        let (path, body) = (format!("{mount}/data/{path}"), json!({ "data": values }));
        server.api(Method::POST, &path, Some(&body))?;
        Ok(())
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns whether this server still runs, with its data in `folder`.
    pub fn is_running_in(&self, folder: &Path) -> bool {
        is_running_with(self.pid, &configuration_argument(folder))
    }

    /// Ends the server, if it still runs with its data in `folder`.
    pub fn stop(&self, folder: &Path) {
        if self.is_running_in(folder) {
            server_process::stop_detached(self.pid);
        }
    }
}
