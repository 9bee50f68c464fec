//! Mounts of the Kubernetes auth method.

use std::collections::BTreeSet;

use super::super::{KubernetesAuth, KubernetesRole, TokenLimits};
use super::server::{Server, run};
use crate::secret::Secret;

#[test]
fn a_mount_is_made_described_configured_and_removed() {
    let server = Server::start();
    let vault = server.root();
    run(async {
        assert_eq!(vault.auth_mount("pipe-01").await.unwrap(), None);
        let description = "nautes 1b4e28ba";
        vault
            .enable_kubernetes_auth("pipe-01", description)
            .await
            .unwrap();
        let mount = vault.auth_mount("pipe-01").await.unwrap().unwrap();
        assert_eq!(
            (mount.method.as_str(), mount.description.as_str()),
            ("kubernetes", description)
        );
        assert!(vault.enable_kubernetes_auth("pipe-01", "").await.is_err());
        vault.describe_auth("pipe-01", "nautes 9c21").await.unwrap();
        let mount = vault.auth_mount("pipe-01").await.unwrap().unwrap();
        assert_eq!(mount.description, "nautes 9c21");

        assert_eq!(vault.kubernetes_auth("pipe-01").await.unwrap(), None);
        let auth = KubernetesAuth {
            host: "https://10.1.1.1:6443".to_owned(),
            ca_pem: ca_pem(),
            reviewer_token: Secret::from("a.b.c".to_owned()),
        };
        vault
            .configure_kubernetes_auth("pipe-01", &auth)
            .await
            .unwrap();
        let stored = vault.kubernetes_auth("pipe-01").await.unwrap().unwrap();
        assert_eq!(stored.host, auth.host);
        assert_eq!(stored.ca_pem.trim(), auth.ca_pem.trim());

        assert_eq!(
            vault.kubernetes_role("pipe-01", "probe").await.unwrap(),
            None
        );
        let role = KubernetesRole {
            service_accounts: BTreeSet::from(["probe".to_owned()]),
            namespaces: BTreeSet::from(["nautes".to_owned()]),
            audience: "vault".to_owned(),
            token_policies: BTreeSet::new(),
            tokens: TokenLimits {
                seconds: 60,
                without_default_policy: true,
            },
        };
        vault
            .write_kubernetes_role("pipe-01", "probe", &role)
            .await
            .unwrap();
        let stored = vault.kubernetes_role("pipe-01", "probe").await.unwrap();
        assert_eq!(stored, Some(role));

        vault.disable_auth("pipe-01").await.unwrap();
        vault.disable_auth("pipe-01").await.unwrap();
        assert_eq!(vault.auth_mount("pipe-01").await.unwrap(), None);
    });
}

fn ca_pem() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.self_signed(&key).unwrap().pem()
}
