//! A reverse proxy before a real server, which counts calls, holds them back and makes them fail.
//!
//! A real server cannot be told to lose an answer; this can, and nothing else is changed on the way.

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

/// A running proxy. Dropping it ends it.
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

/// What the connections share with the one who asks.
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
    /// Starts a proxy on a free port of the loopback address. `upstream` is the server's address with
    /// its scheme; `prefix` is left out of the routes of calls, such as `/v1`.
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

    /// The address, with its scheme.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Refuses connections until [`Proxy::listen`] is called, and breaks those that there are.
    pub fn shut(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.shutdown.send(());
            let _ = running.thread.join();
        }
    }

    /// Accepts connections, at the same address as before.
    pub fn listen(&mut self) -> Result<(), Error> {
        self.shut();
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
        let (shutdown, asked_to_end) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, shared) => {}
                    _ = asked_to_end => {}
                }
            });
        });
        self.running = Some(Running { shutdown, thread });
        Ok(())
    }

    /// All calls that went through.
    pub fn calls(&self) -> Calls {
        Calls::new(self.shared.journal().calls.clone())
    }

    /// The result of `step`, and the calls that arrived while it ran.
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

    /// Makes calls fail.
    pub fn inject_fault(&self, fault: Fault) {
        self.shared.journal().faults.push(fault);
    }

    /// Takes back all faults. Calls that are held back stay so.
    pub fn clear_faults(&self) {
        self.shared.journal().faults.clear();
    }

    /// Holds back the answer of one call: after `passing` more, the next one.
    pub fn hold_call(&self, passing: usize, hold: Hold) -> HeldCall<'_> {
        let already_held = self.shared.journal().held.len();
        self.inject_fault(Fault {
            skip: passing,
            times: 1,
            ..Fault::of_all(Failure::Hold(hold))
        });
        HeldCall::new(move || Ok(self.shared.journal().held.len() > already_held))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shut();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| forward::answer(Arc::clone(&shared), request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}
