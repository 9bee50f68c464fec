//! What the HTTP clients of all servers have in common.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder};

/// Certificates of a private authority that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// They cannot be read.
    #[error("the certificates of the private authority are not PEM")]
    NotPem(#[source] reqwest::Error),
    /// There are none in what should be PEM.
    #[error("the certificates of the private authority are empty")]
    Empty,
}

/// Begins a client that follows no redirection, and trusts the authorities in `ca_pem` besides the system's.
///
/// `connect` limits the making of a connection, `request` a whole exchange.
pub(super) fn http_client(
    connect: Duration,
    request: Duration,
    ca_pem: Option<&str>,
) -> Result<ClientBuilder, AuthorityError> {
    let client = Client::builder()
        .user_agent(concat!(
            "terraform-provider-nautes/",
            env!("CARGO_PKG_VERSION")
        ))
        .redirect(Policy::none())
        .connect_timeout(connect)
        .timeout(request)
        .tcp_nodelay(true);
    let Some(pem) = ca_pem else {
        return Ok(client);
    };
    let certificates =
        Certificate::from_pem_bundle(pem.as_bytes()).map_err(AuthorityError::NotPem)?;
    if certificates.is_empty() {
        return Err(AuthorityError::Empty);
    }
    Ok(client.tls_certs_merge(certificates))
}
