//! The endpoint of a provider, and connections to it.

use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::Channel;
use tower::service_fn;

use super::{ClientIdentity, Error};
use crate::server::tls::ring_provider;

/// The HTTP/2 flow-control window, large enough for large values.
const WINDOW: u32 = 4 << 20;

/// The content of a handshake line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `unix` or `tcp`.
    pub network: String,
    /// The path of a socket, or an address and port.
    pub address: String,
    /// The provider's certificate. Without it, the connection is not encrypted.
    pub certificate: Option<CertificateDer<'static>>,
}

impl FromStr for Endpoint {
    type Err = Error;

    /// Parses a handshake line, as go-plugin `client.go` does.
    fn from_str(line: &str) -> Result<Self, Error> {
        let unreadable = || Error::Handshake {
            line: line.to_owned(),
        };
        let mut fields = line.split('|');
        let mut next = || fields.next().ok_or_else(unreadable);
        let (core, protocol) = (next()?, next()?);
        let (network, address, kind) = (next()?, next()?, next()?);
        if (core, protocol, kind) != ("1", "6", "grpc") {
            return Err(unreadable());
        }
        let certificate = match fields.next().unwrap_or_default() {
            "" => None,
            text => Some(
                STANDARD_NO_PAD
                    .decode(text)
                    .map_err(|_| unreadable())?
                    .into(),
            ),
        };
        Ok(Self {
            network: network.to_owned(),
            address: address.to_owned(),
            certificate,
        })
    }
}

impl Endpoint {
    /// Opens a connection with the certificate of `identity`, if there is one. A provider may reject it here or at the
    /// first call.
    pub async fn connect(&self, identity: Option<&ClientIdentity>) -> Result<Channel, Error> {
        let tls = match &self.certificate {
            Some(certificate) => Some(Arc::new(client_config(certificate, identity)?)),
            None => None,
        };
        let dialled = self.clone();
        let connector = service_fn(move |_| {
            let (endpoint, tls) = (dialled.clone(), tls.clone());
            async move { endpoint.dial(tls).await.map(TokioIo::new) }
        });
        tonic::transport::Endpoint::from_static("http://localhost")
            .initial_connection_window_size(WINDOW)
            .initial_stream_window_size(WINDOW)
            .connect_with_connector(connector)
            .await
            .map_err(|source| Error::Connect {
                address: self.address.clone(),
                source,
            })
    }

    async fn dial(&self, tls: Option<Arc<ClientConfig>>) -> std::io::Result<Box<dyn Stream>> {
        let plain: Box<dyn Stream> = match self.network.as_str() {
            #[cfg(unix)]
            "unix" => Box::new(tokio::net::UnixStream::connect(&self.address).await?),
            _ => Box::new(TcpStream::connect(&self.address).await?),
        };
        let Some(tls) = tls else { return Ok(plain) };
        let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
        Ok(Box::new(
            TlsConnector::from(tls).connect(name, plain).await?,
        ))
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

fn client_config(
    server: &CertificateDer<'static>,
    identity: Option<&ClientIdentity>,
) -> Result<ClientConfig, Error> {
    let ring = ring_provider();
    let verifier = PinnedServer {
        certificate: server.clone(),
        algorithms: ring.signature_verification_algorithms,
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring))
        .with_safe_default_protocol_versions()
        .map_err(Error::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        Some(identity) => builder
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key()))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Accepts the server whose certificate is in the handshake line.
#[derive(Debug)]
struct PinnedServer {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
