//! The stack through which requests are sent: address, credential, proxy, TLS, connections.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hickory_resolver::TokioResolver;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::ConfigExt;
use rustls::crypto::CryptoProvider;
use tokio::sync::OnceCell;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder};

/// The stack. Clones share the connections.
pub(super) type HttpService = BoxCloneSyncService<Request<Body>, Response<Incoming>, BoxError>;

type Body = Full<Bytes>;

/// Why the stack cannot be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServiceError {
    /// Its cause is left out: the output of a command that fetches a credential may quote it.
    #[error("the credential cannot be had")]
    Credential,
    #[error("the TLS settings cannot be used")]
    Tls(#[source] Box<kube::Error>),
    #[error("the scheme of the proxy must be http or socks5")]
    ProxyScheme,
}

/// A proxy, and how it is authenticated to.
#[derive(Debug, Eq, PartialEq)]
struct Proxy {
    url: Uri,
    basic_auth: Option<HeaderValue>,
    user: Option<(String, String)>,
}

/// Builds the stack of a cluster, and returns whether it leads through a proxy; nothing is sent.
pub(super) fn new(config: &Config, connect: Duration) -> Result<(HttpService, bool), ServiceError> {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have installed one in between, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut connector = HttpConnector::new_with_resolver(Resolver::default());
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(connect));
    let Some(proxy) = proxy(config, &Matcher::from_env()) else {
        return Ok((stack(config, connector)?, false));
    };
    let stack = match proxy.url.scheme_str() {
        Some("http") => {
            let mut tunnel = Tunnel::new(proxy.url, connector);
            if let Some(auth) = proxy.basic_auth {
                tunnel = tunnel.with_auth(auth);
            }
            stack(config, tunnel)
        }
        Some("socks5" | "socks5h") => {
            let mut socks = SocksV5::new(proxy.url, connector);
            if let Some((user, password)) = proxy.user {
                socks = socks.with_auth(user, password);
            }
            stack(config, socks)
        }
        _ => Err(ServiceError::ProxyScheme),
    };
    Ok((stack?, true))
}

/// Returns the proxy of a cluster. One that the configuration does not name is taken from the environment,
/// where `NO_PROXY` is compared with the address of the cluster.
fn proxy(config: &Config, environment: &Matcher) -> Option<Proxy> {
    let named = config.proxy_url.as_ref().map(|url| {
        // A matcher that sends everything there reads the user and the password in the URL.
        Matcher::builder().all(url.to_string()).build()
    });
    let proxy = named
        .as_ref()
        .unwrap_or(environment)
        .intercept(&config.cluster_url)?;
    let user = proxy.raw_auth();
    Some(Proxy {
        url: proxy.uri().clone(),
        basic_auth: proxy.basic_auth().cloned(),
        user: user.map(|(user, password)| (user.to_owned(), password.to_owned())),
    })
}

fn stack<C>(config: &Config, connector: C) -> Result<HttpService, ServiceError>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let failed = |error| match error {
        kube::Error::Auth(_) => ServiceError::Credential,
        error => ServiceError::Tls(Box::new(error)),
    };
    let connector = config
        .rustls_https_connector_with_connector(connector)
        .map_err(failed)?;
    let http = Client::builder(TokioExecutor::new());
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer().map_err(failed)?)
        .layer(config.extra_headers_layer().map_err(failed)?)
        .map_err(BoxError::from)
        .service(http.build::<_, Body>(connector));
    Ok(BoxCloneSyncService::new(service))
}

/// Resolves host names without the system's library, which a static binary cannot use everywhere.
#[derive(Clone, Default)]
struct Resolver {
    // It is made on first use, inside the runtime.
    resolver: Arc<OnceCell<TokioResolver>>,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.resolver.clone();
        Box::pin(async move {
            let make = || async { TokioResolver::builder_tokio()?.build() };
            let resolver = resolver
                .get_or_try_init(make)
                .await
                .map_err(io::Error::other)?;
            let found = resolver.lookup_ip(name.as_str()).await;
            let found = found.map_err(|error| {
                let kind = if error.is_no_records_found() {
                    io::ErrorKind::NotFound
                } else {
                    io::ErrorKind::Other
                };
                io::Error::new(kind, error)
            })?;
            let addresses: Vec<SocketAddr> = found
                .iter()
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            Ok(addresses.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy_of(server: &str, named: Option<&str>, environment: &Matcher) -> Option<Proxy> {
        let mut config = Config::new(server.parse().unwrap());
        config.proxy_url = named.map(|url| url.parse().unwrap());
        proxy(&config, environment)
    }

    fn url(proxy: Option<Proxy>) -> Option<String> {
        proxy.map(|proxy| proxy.url.to_string())
    }

    #[test]
    fn the_address_of_the_cluster_decides_whether_the_proxy_of_the_environment_is_used() {
        let environment = Matcher::builder()
            .https("http://proxy.example.com:3128")
            .no("10.0.0.0/8,.internal")
            .build();
        let proxy = |server| url(proxy_of(server, None, &environment));
        let used = Some("http://proxy.example.com:3128/".to_owned());
        assert_eq!(proxy("https://k8s.example.com:6443"), used);
        assert_eq!(proxy("https://10.1.2.3:6443"), None);
        assert_eq!(proxy("https://k8s.internal"), None);
    }

    #[test]
    fn the_proxy_that_is_named_wins_with_its_password() {
        let environment = Matcher::builder().all("http://other:1").build();
        let named = Some("http://me:p%40ss@proxy:3128");
        let proxy = proxy_of("https://10.1.2.3", named, &environment).unwrap();
        assert_eq!(proxy.url.authority().unwrap().host(), "proxy");
        // base64("me:p@ss")
        assert_eq!(proxy.basic_auth.unwrap(), "Basic bWU6cEBzcw==");

        let socks = Some("socks5://me:word@proxy:1080");
        let proxy = proxy_of("https://10.1.2.3", socks, &environment).unwrap();
        assert_eq!(proxy.user, Some(("me".to_owned(), "word".to_owned())));
    }
}
