use terraform_plugin::protocol::tfplugin6::provider_client::ProviderClient;
use terraform_plugin::testing::process::{ClientIdentity, Endpoint};

use crate::support::{echo, floor, small_value};

/// Returns `true` if a client with `identity` gets a response.
async fn is_served(endpoint: &Endpoint, identity: Option<&ClientIdentity>) -> bool {
    let Ok(channel) = endpoint.connect(identity).await else {
        return false;
    };
    let mut client = ProviderClient::new(channel);
    echo(&mut client, &small_value()).await.is_ok()
}

#[tokio::test]
async fn client_certificates_on_all_nist_curves_are_accepted() {
    for identity in [
        ClientIdentity::p256,
        ClientIdentity::p384,
        ClientIdentity::p521,
    ] {
        let identity = identity().unwrap();
        let process = floor()
            .identity(Some(identity.clone()))
            .start()
            .await
            .unwrap();
        assert!(process.endpoint().certificate.is_some());
        assert!(
            is_served(process.endpoint(), Some(&identity)).await,
            "{identity:?}"
        );
    }
}

#[tokio::test]
async fn only_the_owner_of_the_certificate_is_served() {
    let owner = ClientIdentity::p256().unwrap();
    let process = floor().identity(Some(owner.clone())).start().await.unwrap();
    let endpoint = process.endpoint();

    assert!(!is_served(endpoint, None).await, "no certificate");
    for stranger in [
        ClientIdentity::p256,
        ClientIdentity::p384,
        ClientIdentity::p521,
    ] {
        assert!(
            !is_served(endpoint, Some(&stranger().unwrap())).await,
            "another certificate"
        );
    }
    let unencrypted = Endpoint {
        certificate: None,
        ..endpoint.clone()
    };
    assert!(!is_served(&unencrypted, None).await, "no encryption");

    assert!(is_served(endpoint, Some(&owner)).await, "the owner");
}

#[tokio::test]
async fn a_client_without_the_key_of_the_certificate_is_rejected() {
    let owner = ClientIdentity::p256().unwrap();
    let process = floor().identity(Some(owner.clone())).start().await.unwrap();
    let thief = ClientIdentity::p256()
        .unwrap()
        .showing_certificate_of(&owner);
    assert!(!is_served(process.endpoint(), Some(&thief)).await);
}

#[tokio::test]
async fn a_silent_client_does_not_block_others() {
    let process = floor().start().await.unwrap();
    let path = &process.endpoint().address;
    let _silent = tokio::net::UnixStream::connect(path).await.unwrap();
    echo(&mut process.client().await.unwrap(), &small_value())
        .await
        .unwrap();
}

#[tokio::test]
async fn without_a_certificate_the_connection_is_not_encrypted() {
    let process = floor().identity(None).start().await.unwrap();
    assert_eq!(process.endpoint().certificate, None);
    assert!(is_served(process.endpoint(), None).await);
}
