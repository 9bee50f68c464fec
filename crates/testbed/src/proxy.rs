//! A reverse proxy that counts calls, holds them and makes them fail.
//!
//! Apart from injected faults it changes nothing.

mod fault;
mod forward;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use fault::{Failure, Fault};
use forward::Forward;

use crate::{Call, Calls, Error, HeldCall, Hold};

/// A running proxy. Dropping it stops it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    shutdown: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// The state shared between connections and [`Proxy`].
#[derive(Debug)]
pub(crate) struct Shared {
    forward: Forward,
    journal: Mutex<Journal>,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) calls: Vec<Call>,
    pub(crate) held: Vec<u64>,
    pub(crate) faults: Vec<Fault>,
}

impl Shared {
    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Starts a proxy on a free loopback port. `upstream` is the URL of the server; `prefix`, such
    /// as `/v1`, is stripped from the routes of calls.
    pub fn start(upstream: &str, prefix: &'static str) -> Result<Self, Error> {
        let mut proxy = Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            shared: Arc::new(Shared {
                forward: Forward::new(upstream, prefix)?,
                journal: Mutex::default(),
            }),
            running: None,
        };
        proxy.listen()?;
        Ok(proxy)
    }

    /// Returns the URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes all connections and refuses new ones, until [`Proxy::listen`] is called.
    pub fn close(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.shutdown.send(());
            let _ = running.thread.join();
        }
    }

    /// Accepts connections, at the same address as before.
    pub fn listen(&mut self) -> Result<(), Error> {
        self.close();
        let failure = |source| Error::Start {
            command: "proxy".to_owned(),
            source,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failure)?;
        let listener = runtime
            .block_on(TcpListener::bind(self.address))
            .map_err(failure)?;
        self.address = listener.local_addr().map_err(failure)?;
        let (shutdown, is_shut_down) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, shared) => {}
                    _ = is_shut_down => {}
                }
            });
        });
        self.running = Some(Running { shutdown, thread });
        Ok(())
    }

    /// Returns all calls.
    pub fn calls(&self) -> Calls {
        Calls::new(self.shared.journal().calls.clone())
    }

    /// Runs `step`, and returns its result and the calls that arrived during it.
    pub fn calls_during<T>(&self, step: impl FnOnce() -> T) -> (T, Calls) {
        let before = self.calls().count();
        let result = step();
        let calls = self
            .calls()
            .as_slice()
            .iter()
            .skip(before)
            .cloned()
            .collect();
        (result, Calls::new(calls))
    }

    /// Injects a fault.
    pub fn inject_fault(&self, fault: Fault) {
        self.shared.journal().faults.push(fault);
    }

    /// Removes all faults. Calls that are already held stay held.
    pub fn clear_faults(&self) {
        self.shared.journal().faults.clear();
    }

    /// Holds one call: the next one after `skip` others.
    pub fn hold_call(&self, skip: usize, hold: Hold) -> HeldCall<'_> {
        let already_held = self.shared.journal().held.len();
        self.inject_fault(Fault {
            skip,
            times: 1,
            ..Fault::always(Failure::Hold(hold))
        });
        HeldCall::new(move || Ok(self.shared.journal().held.len() > already_held))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.close();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| forward::respond(Arc::clone(&shared), request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}
