//! `kubeconfig`: a kubeconfig from its parts, as other providers give them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terraform_plugin::function::{Arguments, Function, FunctionError};
use url::Url;

use crate::clusters::build_kubeconfig;
use crate::secret::{ExposeSecret as _, Secret};

/// How a certificate in PEM begins.
const PEM: &str = "-----BEGIN CERTIFICATE-----";

/// `provider::nautes::kubeconfig`.
pub(crate) struct KubeconfigFunction;

#[derive(Arguments)]
pub(crate) struct KubeconfigArguments {
    /// URL of the Kubernetes API, such as `https://10.1.1.1:6443`.
    host: String,
    /// Certificate of the API server's authority in PEM, or that in Base64; empty if it is a public one.
    ca: String,
    /// Token with which the cluster is called.
    token: String,
}

impl Function for KubeconfigFunction {
    type Arguments = KubeconfigArguments;
    type Output = String;
    const NAME: &'static str = "kubeconfig";
    const SUMMARY: &'static str = "Builds a kubeconfig from its parts";
    const DESCRIPTION: &'static str = "Returns a kubeconfig with one cluster, for the argument `kubeconfig_wo` of `nautes_cluster`. An ephemeral argument makes the result ephemeral, so that the token is in no state and no plan.";

    fn call(&self, arguments: KubeconfigArguments) -> Result<String, FunctionError> {
        let KubeconfigArguments { host, ca, token } = arguments;
        let url = Url::parse(&host).ok();
        if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            let text = "the API server needs a URL that begins with https://, such as https://10.1.1.1:6443";
            return Err(FunctionError::new(text).at("host"));
        }
        let ca = decode_ca(&ca).ok_or_else(|| {
            let text = "the authority is a certificate in PEM, that in Base64, or an empty text";
            FunctionError::new(text).at("ca")
        })?;
        if token.is_empty() {
            return Err(FunctionError::new("the token is empty").at("token"));
        }
        let token = Secret::from(token);
        let kubeconfig = build_kubeconfig("cluster", &host, &ca, &token);
        Ok(kubeconfig.expose_secret().to_owned())
    }
}

/// Returns the certificate in PEM, decoded if it is in Base64, as clouds give it.
fn decode_ca(text: &str) -> Option<String> {
    if text.trim().is_empty() || text.contains(PEM) {
        return Some(text.trim().to_owned());
    }
    let compact: String = text.split_whitespace().collect();
    let decoded = String::from_utf8(STANDARD.decode(compact).ok()?).ok()?;
    decoded.contains(PEM).then(|| decoded.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use kubernetes_apply::connection::{Access, ExecPlugins};

    use super::*;

    fn call(host: &str, ca: &str, token: &str) -> Result<String, FunctionError> {
        KubeconfigFunction.call(KubeconfigArguments {
            host: host.to_owned(),
            ca: ca.to_owned(),
            token: token.to_owned(),
        })
    }

    #[test]
    fn a_kubeconfig_is_built_from_what_clouds_give() {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        for ca in [pem.clone(), STANDARD.encode(&pem)] {
            let kubeconfig = call("https://10.1.1.1:6443", &ca, "t0ken").unwrap();
            let access = Access::parse(&kubeconfig, None, ExecPlugins::Refused).unwrap();
            assert_eq!(access.server().to_string(), "https://10.1.1.1:6443/");
            assert!(access.certificate_authority().contains(PEM));
        }
        assert!(call("https://10.1.1.1:6443", "", "t0ken").is_ok());
    }

    #[test]
    fn parts_that_are_wrong_are_named() {
        assert!(call("10.1.1.1:6443", "", "t0ken").is_err());
        assert!(call("https://10.1.1.1", "no certificate", "t0ken").is_err());
        assert!(call("https://10.1.1.1", "", "").is_err());
    }
}
