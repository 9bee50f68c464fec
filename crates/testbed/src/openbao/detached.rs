//! A server that outlives the process that starts it.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::OpenBaoProgram;
use super::server::{Addresses, Keys, Server, configuration_argument};
use crate::Error;
use crate::server_process::{self, Group, ServerProcess, is_running_with};

/// The record of a server that was left running: all that is needed to find, use and end it, or to start it again.
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
    /// Starts a server with its data and its log in `folder`, with key-value engines of version 2 mounted.
    pub fn start(program: &OpenBaoProgram, folder: &Path, mounts: &[&str]) -> Result<Self, Error> {
        let mut server = Server::new(program, folder, Addresses::free()?, Keys::default())?;
        let process = server.start(Group::Own)?;
        server.initialise()?;
        server.unseal()?;
        for mount in mounts {
            server.enable_kv(mount)?;
        }
        Ok(Self::leave(server, process))
    }

    /// Starts a server that has ended again, where it was and with what it held.
    pub fn start_again(self, program: &OpenBaoProgram, folder: &Path) -> Result<Self, Error> {
        let server = Server::new(program, folder, self.addresses, self.keys)?;
        let process = server.start(Group::Own)?;
        server.unseal()?;
        Ok(Self::leave(server, process))
    }

    fn leave(server: Server, process: ServerProcess) -> Self {
        Self {
            addresses: server.addresses,
            keys: server.keys,
            pid: process.leave_running(),
        }
    }

    /// The address, without `/v1`.
    pub fn url(&self) -> &str {
        &self.addresses.api
    }

    /// A token that may do everything.
    pub fn root_token(&self) -> &str {
        &self.keys.root_token
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether this very server still runs with the data below `folder`.
    pub fn is_running_in(&self, folder: &Path) -> bool {
        is_running_with(self.pid, &configuration_argument(folder))
    }

    /// Ends it, if it still runs with the data below `folder`.
    pub fn stop(&self, folder: &Path) {
        if self.is_running_in(folder) {
            server_process::stop_left_running(self.pid);
        }
    }
}
