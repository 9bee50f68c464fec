//! Why a TLS handshake failed.

use std::error::Error;

use rustls::{CertificateError, InvalidMessage};

use super::transport_error::TransportError;

/// Why a server's certificate was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TrustFailure {
    /// No trusted authority signed it.
    #[error("no trusted authority signed it")]
    UnknownAuthority {
        /// Whether the client was given certificates of private authorities.
        private_ca: bool,
    },
    /// It is a certificate of an authority (`CA:TRUE`), which a server must not use as its own. A
    /// self-signed certificate often is one.
    #[error("it is the certificate of an authority, not of a server")]
    AuthorityAsServer,
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

/// Returns the failure of the TLS handshake that caused an error, if one did.
pub(super) fn handshake_error(
    error: &(dyn Error + 'static),
    private_ca: bool,
) -> Option<TransportError> {
    match tls_error(error)? {
        rustls::Error::InvalidCertificate(reason) => Some(TransportError::Untrusted {
            reason: trust_failure(reason, private_ca),
        }),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some(TransportError::NotTls)
        }
        _ => None,
    }
}

/// I/O errors hold an error of the TLS library inside and do not show it as their source.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let inner = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref)
        .map(|inner| inner as &(dyn Error + 'static));
    inner
        .unwrap_or(error)
        .downcast_ref()
        .or_else(|| tls_error(inner.or_else(|| error.source())?))
}

fn trust_failure(reason: &CertificateError, private_ca: bool) -> TrustFailure {
    match reason {
        CertificateError::UnknownIssuer => TrustFailure::UnknownAuthority { private_ca },
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TrustFailure::WrongHost
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => TrustFailure::Expired,
        // An error of webpki, which rustls passes on without a variant of its own.
        CertificateError::Other(other) if other.0.to_string() == "CaUsedAsEndEntity" => {
            TrustFailure::AuthorityAsServer
        }
        _ => TrustFailure::Other,
    }
}
