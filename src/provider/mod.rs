//! The provider as Terraform sees it: the provider block, and the kinds of resources.

mod block;
mod settings;
mod unused;
mod validators;

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::provider::{ConfigureContext, Provider, Registry};

pub use self::block::ProviderBlock;
#[cfg(test)]
pub(crate) use self::block::{CommitBlock, GitLabBlock, TenantRepositoryBlock, VaultBlock};
pub use crate::client::Client;

use self::unused::warn_of_unused_arguments;
use crate::backends::gitlab::UserAgent;
use crate::client::Settings;
use crate::resources;

/// The provider.
#[derive(Debug, Clone, Copy)]
pub struct Nautes;

impl Provider for Nautes {
    type Config = ProviderBlock;
    type Client = Client;

    const ENVIRONMENT_PREFIX: Option<&'static str> = Some("NAUTES_");

    async fn configure(
        &self,
        block: ProviderBlock,
        context: &mut ConfigureContext,
    ) -> Result<Client, Diagnostics> {
        warn_of_unused_arguments(&block, context);
        let user_agent = UserAgent::new(context.terraform_version());
        Ok(Client::new(Settings::try_from(block)?, user_agent))
    }

    fn report(&self, client: &Client) -> Option<Diagnostic> {
        client.report()
    }

    fn register(&self, registry: &mut Registry<Client>) {
        resources::register(registry);
    }
}

#[cfg(test)]
mod tests {
    use terraform_plugin::testing::driver::Driver;
    use terraform_plugin::value::Value;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::backends::vault::{Limits, Login, Options, Vault};
    use crate::resources::tests::{config, text};

    /// Returns the next request that a server receives, which it refuses.
    async fn received(listener: &TcpListener) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        String::from_utf8(request).unwrap()
    }

    #[tokio::test]
    async fn servers_learn_the_versions_of_the_provider_and_of_terraform() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let expected = format!(
            "user-agent: terraform-provider-nautes/{} Terraform/{}\r\n",
            env!("CARGO_PKG_VERSION"),
            Driver::<Nautes>::TERRAFORM_VERSION
        );

        let gitlab = [("url", text(&address)), ("token", text("token"))];
        let block: Value =
            config::<ProviderBlock, 1>([("gitlab", config::<GitLabBlock, 2>(gitlab))]);
        let driver = Driver::configure(Nautes, block).await.unwrap();
        let import = driver.import("nautes_product", "shop");
        let (_, request) = tokio::join!(import, received(&listener));
        assert!(request.contains(&expected), "{request}");

        let options = Options {
            address,
            namespace: None,
            ca_pem: None,
            login: Login::Token("token".into()),
            manage_mounts: false,
            limits: Limits::default(),
        };
        let user_agent = UserAgent::new(Driver::<Nautes>::TERRAFORM_VERSION);
        let vault = Vault::with_user_agent(options, &user_agent).unwrap();
        let (_, request) = tokio::join!(vault.policies(), received(&listener));
        assert!(request.contains(&expected), "{request}");
    }
}
