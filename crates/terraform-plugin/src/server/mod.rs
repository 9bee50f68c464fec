//! The provider process: everything between `main` and the RPCs.
//!
//! Terraform and OpenTofu start and stop a provider several times in one command, as a plugin of `hashicorp/go-plugin`.
//! [`serve`] implements that contract:
//!
//! | step | behaviour |
//! |---|---|
//! | cookie | without it, the process explains that it is a plugin and exits with code 1 |
//! | socket | a Unix socket that only this user can open (TCP on the loopback interface on Windows) |
//! | encryption | mutual TLS with one-time certificates; only the client that started the process can connect |
//! | handshake | one line on standard output, the only output there |
//! | calls | messages up to 256 MiB; calls run to completion even if the client disconnects |
//! | signals | ignored: Terraform stops providers through the protocol |
//! | exit | within two seconds after `Shutdown`; also if the parent process exits |
//!
//! With [`ServeOptions::debug`] a developer starts the process, for example in a debugger. It then prints the variable
//! `TF_REATTACH_PROVIDERS`, serves any number of commands without TLS, and exits on Ctrl-C.
//!
//! Environment variables read: `TF_PLUGIN_MAGIC_COOKIE`, `PLUGIN_PROTOCOL_VERSIONS`,
//! `PLUGIN_CLIENT_CERT`, `PLUGIN_UNIX_SOCKET_DIR`, `PLUGIN_UNIX_SOCKET_GROUP`, `PLUGIN_MIN_PORT`,
//! `PLUGIN_MAX_PORT`, `PLUGIN_MULTIPLEX_GRPC`, `TMPDIR`, and those of [`logging`].
//!
//! This module does not depend on schemas, values or resources.

use std::error::Error as _;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;

use crate::logging;
use crate::protocol::tfplugin6::provider_server::Provider;
use environment::Environment;
use lifecycle::{Parent, Signals};
use listener::Listener;
use session::Session;

pub use error::Error;

mod calls;
pub(crate) mod environment;
mod error;
mod handshake;
mod host;
mod incoming;
mod lifecycle;
mod listener;
mod panic;
mod session;
pub(crate) mod tls;

/// The options of [`serve`].
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The full address, for example `registry.terraform.io/acme/cloud`.
    pub address: &'static str,
    /// The version of the program, for error reports.
    pub version: &'static str,
    /// The crates whose log events are written; see [`logging`].
    pub log_targets: &'static [&'static str],
    /// Whether to serve commands that attach with `TF_REATTACH_PROVIDERS` instead of the client that started the process.
    pub debug: bool,
}

/// Serves `service` until the client ends the process, and returns the exit code.
///
/// Call it once, at the start of `main`. It installs a panic hook, `ring` as the default cryptography of the process,
/// and a log subscriber if logging is enabled. Errors go to standard error.
pub fn serve<S: Provider>(options: &ServeOptions, service: S) -> ExitCode {
    panic::report_panics(format!("{} {}", options.address, options.version));
    match run(options, service) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = format!("Error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            // If standard error is closed, there is nowhere else to report the error.
            let _ = writeln!(std::io::stderr(), "{text}\n\n{}", error.hint());
            ExitCode::FAILURE
        }
    }
}

fn run<S: Provider>(options: &ServeOptions, service: S) -> Result<(), Error> {
    let client = Parent::current();
    let environment = Environment::read(|name| std::env::var_os(name));
    if !environment.started_by_client && !options.debug {
        let provider = format!("the provider {} {}", options.address, options.version);
        return Err(Error::NotStartedByClient { provider });
    }
    let name = options.address.rsplit('/').next().unwrap_or_default();
    logging::install(name, options.log_targets);
    // It fails only if the program has already installed a default, which then stays.
    let _ = tls::ring_provider().install_default();

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4)))
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let outcome = runtime.block_on(async {
        let signals = Signals::new().map_err(Error::Signals)?;
        let listener = Listener::bind(&environment)?;
        let session = Session {
            options,
            service: Arc::new(service),
            listener,
        };
        if options.debug {
            session.serve_debug(signals).await
        } else {
            session.serve_client(&client, &environment).await
        }
    });
    // Calls that exceed the grace period are dropped.
    runtime.shutdown_background();
    outcome
}

/// Writes to standard output in one piece, since the reader may stop after the line that it expects. This is the only
/// output there.
fn write_stdout(text: &impl Display) -> Result<(), Error> {
    let text = format!("{text}\n");
    let mut output = std::io::stdout().lock();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(Error::Announce)
}
