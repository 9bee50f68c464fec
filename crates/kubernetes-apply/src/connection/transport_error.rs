//! Why no usable answer came.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use rustls::{CertificateError, InvalidMessage};

/// Why no usable answer came.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// No connection was made; the call was not processed.
    #[error("no connection: {reason}")]
    Unreachable {
        /// Why.
        reason: ConnectFailure,
    },
    /// The server's certificate was refused; nothing was sent.
    #[error("the server's certificate is not trusted: {reason} ({trust})")]
    Untrusted {
        /// Why.
        reason: TrustFailure,
        /// Which authorities were trusted.
        trust: Trust,
    },
    /// The server does not speak TLS; nothing was sent.
    #[error("the server does not speak TLS")]
    NotTls,
    /// The server, or this client, ended the TLS handshake; the call was not processed.
    #[error("no TLS connection was agreed on: {reason}")]
    TlsRefused {
        /// The alert of the server, or what the two do not have in common.
        reason: String,
    },
    /// No credential could be had; nothing was sent.
    #[error("the credential of the kubeconfig cannot be used")]
    NoCredential,
    /// The connection broke, or time ran out, after the request was sent; whether it was processed is
    /// unknown.
    #[error("{}", if *timed_out { "no answer in time" } else { "the connection broke" })]
    Interrupted {
        /// Whether time ran out.
        timed_out: bool,
    },
    /// The server has not answered any call for a while, so calls fail at once.
    #[error(
        "the server has not answered since {}, so calls fail at once; a probe runs every few seconds",
        humantime::format_rfc3339_seconds(*since)
    )]
    CircuitOpen {
        /// When the first call went unanswered.
        since: SystemTime,
        /// Why calls fail: [`Self::Unreachable`] or [`Self::Interrupted`].
        cause: Arc<TransportError>,
    },
    /// The answer is not one of a Kubernetes API server, but of something in front of it or elsewhere.
    #[error("the answer with status {status} is not one of a Kubernetes API server")]
    NotTheApi {
        /// The HTTP status.
        status: StatusCode,
        /// How long the answer asks to wait, if it does.
        wait: Option<Duration>,
    },
    /// The answer is larger than any that is expected; it was not read to its end.
    #[error("the answer is too large")]
    TooLarge,
    /// The request could not be built; nothing was sent.
    #[error("the request could not be built")]
    Unsendable,
}

/// Why no connection was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConnectFailure {
    /// The name of the host does not exist, or has no address.
    #[error("the host name cannot be resolved")]
    Unresolved,
    /// No name server told whether the name of the host exists.
    #[error("the host name cannot be looked up")]
    NameServer,
    /// Nothing listens on the port.
    #[error("the connection was refused")]
    Refused,
    /// Time ran out.
    #[error("connecting took too long")]
    TimedOut,
    /// The network has no route to the host.
    #[error("the network has no route to the host")]
    NoRoute,
    /// The proxy did not let it through.
    #[error("the proxy made no connection")]
    Proxy,
    /// Anything else.
    #[error("the network failed")]
    Other,
}

/// Why a server's certificate was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TrustFailure {
    /// No trusted authority signed it.
    #[error("no trusted authority signed it")]
    UnknownAuthority,
    /// It is for another host.
    #[error("it is for another host name")]
    WrongHost,
    /// It is expired or not valid yet.
    #[error("it is expired or not valid yet")]
    Expired,
    /// Anything else.
    #[error("it was refused")]
    Other,
}

/// Which authorities are trusted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Trust {
    /// The one that was given.
    #[error("trusted is the given certificate authority")]
    Given,
    /// Those that browsers trust.
    #[error("no certificate authority was given, so those of Mozilla are trusted")]
    Public,
    /// All of them.
    #[error("certificates are not verified")]
    Any,
}

impl TransportError {
    /// Sorts the failure of an attempt.
    pub(super) fn classify(error: &(dyn Error + 'static), trust: Trust) -> Self {
        if let Some(tls) = find::<rustls::Error>(error) {
            return match tls {
                rustls::Error::InvalidCertificate(reason) => Self::Untrusted {
                    reason: trust_failure(reason),
                    trust,
                },
                rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
                rustls::Error::AlertReceived(_)
                | rustls::Error::PeerIncompatible(_)
                | rustls::Error::PeerMisbehaved(_) => Self::TlsRefused {
                    reason: tls.to_string(),
                },
                _ => Self::Interrupted { timed_out: false },
            };
        }
        if find::<kube::client::AuthError>(error).is_some() {
            return Self::NoCredential;
        }
        let text = chain_text(error);
        let io = find::<io::Error>(error).map(io::Error::kind);
        let is_connect = find::<hyper_util::client::legacy::Error>(error)
            .is_some_and(hyper_util::client::legacy::Error::is_connect);
        if !is_connect {
            let timed_out = io == Some(io::ErrorKind::TimedOut);
            return Self::Interrupted { timed_out };
        }
        let reason = match io {
            _ if text.contains("tunnel") || text.contains("socks") => ConnectFailure::Proxy,
            // The resolver of this crate says so.
            Some(io::ErrorKind::NotFound) if text.contains("dns error") => {
                ConnectFailure::Unresolved
            }
            _ if text.contains("dns error") => ConnectFailure::NameServer,
            Some(io::ErrorKind::ConnectionRefused) => ConnectFailure::Refused,
            Some(io::ErrorKind::TimedOut) => ConnectFailure::TimedOut,
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
                ConnectFailure::NoRoute
            }
            _ => ConnectFailure::Other,
        };
        Self::Unreachable { reason }
    }

    /// Returns the failure that opened the circuit, or this one.
    pub fn cause(&self) -> &Self {
        match self {
            Self::CircuitOpen { cause, .. } => cause,
            other => other,
        }
    }

    /// Whether no answer came: the name does not exist, no connection was made, or time ran out.
    pub(super) fn is_silence(&self) -> bool {
        match self.cause() {
            Self::Unreachable { reason } => matches!(
                reason,
                ConnectFailure::Unresolved
                    | ConnectFailure::Refused
                    | ConnectFailure::TimedOut
                    | ConnectFailure::NoRoute
            ),
            Self::Interrupted { timed_out } => *timed_out,
            _ => false,
        }
    }

    /// Whether the server has shown that it is there, although the attempt failed.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. } | Self::Interrupted { .. } | Self::CircuitOpen { .. }
        )
    }

    /// Whether the call may have taken effect.
    pub(super) fn may_have_happened(&self) -> bool {
        match self {
            Self::Interrupted { .. } | Self::TooLarge => true,
            Self::NotTheApi { status, .. } => status.is_server_error() || status.is_success(),
            _ => false,
        }
    }
}

/// Returns the first error of a type among an error and its causes. I/O errors do not show the error inside
/// them as their source.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    let next = match inner {
        Some(inner) => Some(inner as &(dyn Error + 'static)),
        None => error.source(),
    };
    find(next?)
}

fn chain_text(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.to_lowercase()
}

fn trust_failure(reason: &CertificateError) -> TrustFailure {
    match reason {
        CertificateError::UnknownIssuer => TrustFailure::UnknownAuthority,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TrustFailure::WrongHost
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => TrustFailure::Expired,
        _ => TrustFailure::Other,
    }
}
