//! The stack through which requests are sent: address, credential, proxy, TLS, connections.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use http::Uri;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use kube::{Client, Config};
use tokio::sync::OnceCell;
use tower::{BoxError, Service, ServiceBuilder};

/// Why the stack cannot be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServiceError {
    #[error("the TLS settings or the credential cannot be used")]
    Kube(#[source] Box<kube::Error>),
    #[error("the scheme of the proxy must be http or socks5")]
    ProxyScheme,
}

/// Builds the client of a cluster; nothing is sent.
///
/// A proxy that the configuration does not name is taken from the environment, as for every other server:
/// `NO_PROXY` is compared with the address of the cluster.
pub(super) fn client(config: &Config, connect: Duration) -> Result<Client, ServiceError> {
    let mut connector = HttpConnector::new_with_resolver(Resolver::default());
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(connect));
    let environment = Matcher::from_env();
    let from_environment = environment.intercept(&config.cluster_url);
    let proxy = match (&config.proxy_url, &from_environment) {
        (Some(proxy), _) => proxy,
        (None, Some(proxy)) => proxy.uri(),
        (None, None) => return stack(config, connector),
    };
    let auth = from_environment
        .as_ref()
        .filter(|_| config.proxy_url.is_none());
    match proxy.scheme_str() {
        Some("http") => {
            let mut tunnel = Tunnel::new(proxy.clone(), connector);
            if let Some(auth) = auth.and_then(|proxy| proxy.basic_auth()) {
                tunnel = tunnel.with_auth(auth.clone());
            }
            stack(config, tunnel)
        }
        Some("socks5" | "socks5h") => {
            let mut socks = SocksV5::new(proxy.clone(), connector);
            if let Some((user, password)) = auth.and_then(|proxy| proxy.raw_auth()) {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            stack(config, socks)
        }
        _ => Err(ServiceError::ProxyScheme),
    }
}

fn stack<C>(config: &Config, connector: C) -> Result<Client, ServiceError>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let failed = |error| ServiceError::Kube(Box::new(error));
    let connector = config
        .rustls_https_connector_with_connector(connector)
        .map_err(failed)?;
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer().map_err(failed)?)
        .layer(config.extra_headers_layer().map_err(failed)?)
        .map_err(BoxError::from)
        .service(http.build::<_, Body>(connector));
    Ok(Client::new(service, config.default_namespace.clone()))
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
            let make = async || TokioResolver::builder_tokio()?.build();
            let resolver = resolver
                .get_or_try_init(make)
                .await
                .map_err(io::Error::other)?;
            let found = resolver
                .lookup_ip(name.as_str())
                .await
                .map_err(io::Error::other)?;
            let addresses: Vec<SocketAddr> = found
                .iter()
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            Ok(addresses.into_iter())
        })
    }
}
