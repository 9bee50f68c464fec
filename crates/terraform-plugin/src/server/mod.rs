//! The provider as a process: everything between `main` and the calls of the protocol.
//!
//! Terraform and OpenTofu start a provider as a plugin of `hashicorp/go-plugin` and stop it, several
//! times in one command. [`serve`] does what that contract asks:
//!
//! | step | what happens |
//! |---|---|
//! | cookie | a user who runs the program by hand is told what it is, with exit code 1 |
//! | socket | a Unix socket for this user alone (TCP on the loopback interface on Windows) |
//! | secrecy | mutual TLS with one-time certificates; only the starting client is admitted |
//! | handshake | one line on standard output, the only one ever written there |
//! | calls | messages up to 256 MiB; calls run to their end even if the client is gone |
//! | interrupt | ignored: Terraform stops providers through the protocol |
//! | end | on `Shutdown` in less than two seconds; also when the parent process is gone |
//!
//! With [`ServeOptions::debug`] the process is one that a person starts, for example in a debugger:
//! it prints the variable `TF_REATTACH_PROVIDERS`, serves any number of commands without TLS, and
//! ends by Ctrl-C.
//!
//! Environment variables read: `TF_PLUGIN_MAGIC_COOKIE`, `PLUGIN_PROTOCOL_VERSIONS`,
//! `PLUGIN_CLIENT_CERT`, `PLUGIN_UNIX_SOCKET_DIR`, `PLUGIN_UNIX_SOCKET_GROUP`, `PLUGIN_MIN_PORT`,
//! `PLUGIN_MAX_PORT`, `PLUGIN_MULTIPLEX_GRPC`, `TMPDIR`, and those of [`logging`].
//!
//! This module knows nothing of schemas, values or resources.

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

/// What a provider tells about itself.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Full address, for example `registry.terraform.io/acme/cloud`.
    pub address: &'static str,
    /// Version of the program, for reports of errors.
    pub version: &'static str,
    /// Crates whose log events are written; see [`logging`].
    pub log_targets: &'static [&'static str],
    /// Serve commands that attach by `TF_REATTACH_PROVIDERS` instead of the one that started the
    /// process.
    pub debug: bool,
}

/// Serves `service` until its client ends the process, and returns the code to exit with.
///
/// To be called at the start of `main`, from its thread, once. It installs a panic hook, the `ring`
/// cryptography as default of the process, and a log subscriber if logging is on. What goes wrong
/// is told on standard error.
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
            // An error that cannot be written has nowhere else to go.
            let _ = writeln!(std::io::stderr(), "{text}\n\n{}", error.hint());
            ExitCode::FAILURE
        }
    }
}

fn run<S: Provider>(options: &ServeOptions, service: S) -> Result<(), Error> {
    let client = Parent::of_this_process();
    let environment = Environment::read(|name| std::env::var_os(name));
    if !environment.started_by_client && !options.debug {
        let provider = format!("the provider {} {}", options.address, options.version);
        return Err(Error::NotStartedByClient { provider });
    }
    let name = options.address.rsplit('/').next().unwrap_or_default();
    logging::install(name, options.log_targets);
    // It fails only if the program has already chosen one, which then stays.
    let _ = tls::ring_provider().install_default();

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4)))
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let outcome = runtime.block_on(async {
        let signals = Signals::take().map_err(Error::Signals)?;
        let listener = Listener::bind(&environment)?;
        let session = Session {
            options,
            service: Arc::new(service),
            listener,
        };
        if options.debug {
            session.serve_by_hand(signals).await
        } else {
            session.serve_client(&client, &environment).await
        }
    });
    // Work that outlasted its grace is not waited for.
    runtime.shutdown_background();
    outcome
}

/// Writes to standard output, for the only time of the process, and in one piece: whoever reads may
/// stop after the line that it looks for.
fn announce(text: &impl Display) -> Result<(), Error> {
    let text = format!("{text}\n");
    let mut output = std::io::stdout().lock();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(Error::Announce)
}
