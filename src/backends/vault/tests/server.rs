//! A real server with a client for it.

use std::future::Future;
use std::time::Duration;

use nautes_model::RepositoryId;
use nautes_model::vault::{GitSecret, SecretPath};
use serde_json::Value;
use tempfile::TempDir;
use testbed::{Method, OpenBao, OpenBaoProgram};

use super::super::{Limits, Login, Options, SecretValues, Vault};

pub(super) const SECRET_TEXT: &str = "-----BEGIN s3cr3t-----\n";

/// A server; it ends with the test.
pub(super) struct Server {
    pub(super) openbao: OpenBao,
    _folder: TempDir,
}

impl Server {
    /// Starts a server with nothing mounted.
    pub(super) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let openbao = OpenBao::start(OpenBaoProgram::obtain().unwrap(), folder.path()).unwrap();
        Self {
            openbao,
            _folder: folder,
        }
    }

    /// Starts a server with the mount of repositories' secrets.
    pub(super) fn start() -> Self {
        let server = Self::empty();
        server.openbao.enable_kv("git").unwrap();
        server
    }

    pub(super) fn options(&self, login: Login) -> Options {
        Options {
            address: self.openbao.url(),
            namespace: None,
            ca_pem: None,
            login,
            manage_mounts: false,
            limits: limits(),
        }
    }

    /// A client that may do everything.
    pub(super) fn root(&self) -> Vault {
        self.with_token(self.openbao.root_token())
    }

    pub(super) fn with_token(&self, token: &str) -> Vault {
        self.log_in(Login::Token(token.into()))
    }

    pub(super) fn log_in(&self, login: Login) -> Vault {
        Vault::new(self.options(login)).unwrap()
    }

    /// Asks the server as its administrator.
    pub(super) fn api(&self, method: Method, path: &str, body: &Value) -> Value {
        self.openbao.api(method, path, Some(body)).unwrap()
    }
}

/// Short ones, so that tests of failures end soon.
pub(super) fn limits() -> Limits {
    Limits {
        connect: Duration::from_millis(500),
        request: Duration::from_secs(2),
        call: Duration::from_secs(10),
        first_retry: Duration::from_millis(20),
        open_circuit_after: Duration::from_secs(3),
        probe_interval: Duration::from_millis(100),
    }
}

/// Runs calls. The test bed blocks, which it must not do inside.
pub(super) fn run<F: Future>(calls: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(calls)
}

pub(super) fn place() -> SecretPath {
    SecretPath::for_repository(RepositoryId::new(12), GitSecret::ReadonlyKey)
}

pub(super) fn values(id: &str) -> SecretValues {
    SecretValues::default()
        .with("deploykey", SECRET_TEXT)
        .with("id", id)
}
