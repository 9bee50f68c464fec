//! A reverse proxy that counts calls, holds them and makes them fail, over HTTP or HTTPS.
//!
//! Apart from injected faults it changes nothing. Responses are passed on as they arrive, so that
//! a client can watch through it.

mod fault;
mod forward;

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

pub use fault::{Failure, Fault};
use forward::Forward;

use crate::certificates::CertificateAuthority;
use crate::{Call, Calls, Error, HeldCall, Hold};

/// How long an address may be in use before that is an error.
const BIND_LIMIT: Duration = Duration::from_secs(10);

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running proxy. Dropping it stops it.
pub struct Proxy {
    address: SocketAddr,
    tls: Option<Tls>,
    shared: Arc<Shared>,
    running: Option<Running>,
}

/// How a proxy speaks TLS with its clients.
struct Tls {
    acceptor: TlsAcceptor,
    /// The PEM text of the certificate authority.
    authority: String,
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
    is_black_hole: AtomicBool,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) calls: Vec<Call>,
    pub(crate) held: Vec<u64>,
    pub(crate) faults: Vec<Fault>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Proxy")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
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
        Self::start_with(Forward::new(upstream, prefix, None)?, None)
    }

    /// Starts a proxy that speaks TLS on both sides, towards clients with a certificate authority
    /// of its own.
    ///
    /// `upstream` is the URL of the server, `authority` the PEM text of the server's certificate
    /// authority. Client certificates do not reach the server.
    pub fn start_with_tls(upstream: &str, authority: &str) -> Result<Self, Error> {
        let own_authority = CertificateAuthority::new("proxy")?;
        let certificate = own_authority.server(&["127.0.0.1".to_owned()])?;
        let tls = Tls {
            acceptor: Arc::new(certificate.server_config()?).into(),
            authority: own_authority.pem(),
        };
        Self::start_with(Forward::new(upstream, "", Some(authority))?, Some(tls))
    }

    fn start_with(forward: Forward, tls: Option<Tls>) -> Result<Self, Error> {
        let mut proxy = Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            tls,
            shared: Arc::new(Shared {
                forward,
                journal: Mutex::default(),
                is_black_hole: AtomicBool::new(false),
            }),
            running: None,
        };
        proxy.listen()?;
        Ok(proxy)
    }

    /// Returns the URL.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns the PEM text of the certificate authority for clients; `None` without TLS.
    pub fn certificate_authority(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.authority.as_str())
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
        let listener = bind(self.address).map_err(failure)?;
        self.address = listener.local_addr().map_err(failure)?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener).map_err(failure)?
        };
        let (shutdown, is_shut_down) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let tls = self.tls.as_ref().map(|tls| tls.acceptor.clone());
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, tls, shared) => {}
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

    /// Makes the proxy accept connections and calls without ever answering, or ends that for new
    /// ones.
    pub fn set_black_hole(&self, is_black_hole: bool) {
        let flag = &self.shared.is_black_hole;
        flag.store(is_black_hole, Ordering::Relaxed);
    }

    /// Holds one call: the next one after `skip` others.
    pub fn hold_call(&self, skip: usize, hold: Hold) -> HeldCall<'_> {
        self.hold(Fault {
            skip,
            times: 1,
            ..Fault::always(Failure::Hold(hold))
        })
    }

    /// Holds the next call with a method and a path. `path` is a substring.
    pub fn hold_call_to(&self, method: &str, path: &str, hold: Hold) -> HeldCall<'_> {
        self.hold(Fault::once(method, path, Failure::Hold(hold)))
    }

    fn hold(&self, fault: Fault) -> HeldCall<'_> {
        let already_held = self.shared.journal().held.len();
        self.inject_fault(fault);
        HeldCall::new(move || Ok(self.shared.journal().held.len() > already_held))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.close();
    }
}

/// Binds an address. One that was just closed may still be open for a moment in a process that
/// this one has forked and that has not yet started its program.
fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let begun = Instant::now();
    loop {
        match std::net::TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && begun.elapsed() < BIND_LIMIT => {
                std::thread::sleep(POLL_INTERVAL);
            }
            Err(error) => return Err(error),
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                return Ok(listener);
            }
        }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        tokio::spawn(async move {
            if shared.is_black_hole.load(Ordering::Relaxed) {
                // The connection stays open.
                std::future::pending::<()>().await;
            }
            match tls {
                None => serve(stream, shared).await,
                Some(tls) => {
                    // Fails if the client does not trust the proxy, or is gone.
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, shared: Arc<Shared>) {
    let service = service_fn(move |request| forward::respond(Arc::clone(&shared), request));
    // A connection ends with an error where a fault says so.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
