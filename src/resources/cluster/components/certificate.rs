//! The certificate of the gateway that the user provides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::{Kind, Object};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use terraform_plugin::diagnostics::Diagnostics;

use super::super::addresses::Addresses;
use super::Installer;
use crate::components::Component;
use crate::diagnostics::Context as _;

impl Installer<'_> {
    /// Returns a warning if the Secret with the gateway's certificate is missing or does not hold one for the host that
    /// webhooks call.
    ///
    /// It is checked after the installation, which makes the namespace of the Secret.
    pub(in super::super) async fn certificate_warning(
        &self,
        addresses: &Addresses,
    ) -> Result<Option<(String, String)>, Diagnostics> {
        let components = self.model.components.as_ref();
        let gateway = components.and_then(|components| components.gateway.as_ref());
        let secret = gateway.and_then(|gateway| gateway.tls_secret.as_deref());
        let Some((secret, host)) = secret.zip(self.webhook_host(addresses)) else {
            return Ok(None);
        };
        let namespace = self.namespace_of(Component::Traefik);
        let kind = Kind::new("v1", "Secret");
        let found = self
            .cluster
            .find(&kind, Some(&namespace), secret, Detail::Full);
        let found = found.await;
        let found = found.with_context(|| {
            format!(
                "read the Secret {namespace}/{secret} of the cluster {}",
                self.name
            )
        })?;
        let problem = match &found {
            None => format!(
                "There is no Secret {namespace}/{secret} in the cluster {}",
                self.name
            ),
            Some(found) if !covers(found, &host) => {
                format!("The Secret {namespace}/{secret} has no certificate for {host}")
            }
            Some(_) => return Ok(None),
        };
        let detail = format!(
            "{problem}, so GitLab cannot verify hooks. Write a certificate for it and its key there: kubectl create secret tls {secret} --namespace {namespace} --cert FILE --key FILE."
        );
        Ok(Some(("The gateway has no certificate".to_owned(), detail)))
    }
}

/// Whether the first certificate in a Secret is one for a host.
fn covers(secret: &Object, host: &str) -> bool {
    let encoded = secret
        .get("/data")
        .and_then(|data| data.get("tls.crt")?.as_str());
    let pem = encoded.and_then(|text| STANDARD.decode(text).ok());
    let der = pem.and_then(|pem| CertificateDer::from_pem_slice(&pem).ok());
    let parsed = der.as_ref().map(ParsedCertificate::try_from);
    let Some(Ok(certificate)) = parsed else {
        return false;
    };
    let name = ServerName::try_from(host.to_owned());
    name.is_ok_and(|name| verify_server_name(&certificate, &name).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_certificate_covers_its_hosts_and_no_others() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let hosts = vec!["*.build-01.example.com".to_owned()];
        let certificate = rcgen::generate_simple_self_signed(hosts).unwrap();
        let secret = |pem: &str| {
            Object::new(json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "tls", "namespace": "traefik"},
                "data": {"tls.crt": STANDARD.encode(pem)}
            }))
            .unwrap()
        };
        let der = STANDARD.encode(certificate.cert.der());
        let own = secret(&format!(
            "-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n"
        ));
        assert!(covers(&own, "webhook.build-01.example.com"));
        assert!(!covers(&own, "webhook.build-02.example.com"));
        assert!(!covers(
            &secret("no certificate"),
            "webhook.build-01.example.com"
        ));
    }
}
