//! Certificate authorities of test servers, and the certificates that they issue.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

/// A certificate authority.
pub(crate) struct CertificateAuthority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its private key, as PEM.
pub(crate) struct KeyAndCertificate {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl CertificateAuthority {
    /// Makes an authority with a new key.
    pub(crate) fn new(name: &str) -> Result<Self, Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate().map_err(Error::Certificate)?;
        CertifiedIssuer::self_signed(params, key)
            .map(Self)
            .map_err(Error::Certificate)
    }

    /// Returns the authority's certificate as PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Issues a certificate for a server with these host names and IP addresses.
    pub(crate) fn server(&self, names: &[String]) -> Result<KeyAndCertificate, Error> {
        let mut params = CertificateParams::new(names).map_err(Error::Certificate)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params)
    }

    /// Issues a certificate for a client: a user, who may be in a group.
    pub(crate) fn client(
        &self,
        user: &str,
        group: Option<&str>,
    ) -> Result<KeyAndCertificate, Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        if let Some(group) = group {
            let organization = DnType::OrganizationName;
            params.distinguished_name.push(organization, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&params)
    }

    fn issue(&self, params: &CertificateParams) -> Result<KeyAndCertificate, Error> {
        let key = KeyPair::generate().map_err(Error::Certificate)?;
        let certificate = params
            .signed_by(&key, &self.0)
            .map_err(Error::Certificate)?;
        Ok(KeyAndCertificate {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

impl KeyAndCertificate {
    /// Returns the TLS settings of a server that shows this certificate and speaks HTTP/1.1.
    pub(crate) fn server_config(&self) -> Result<ServerConfig, Error> {
        // Fails if a provider is already installed, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes());
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.map_err(Error::Pem)?],
                key.map_err(Error::Pem)?,
            )
            .map_err(Error::Tls)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
