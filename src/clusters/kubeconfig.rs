//! Kubeconfigs as users give them, and as the provider stores them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::secret::{ExposeSecret as _, Secret};

/// A kubeconfig cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum KubeconfigError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
}

/// Returns a kubeconfig as text; one in Base64 is decoded, as Nautes does.
pub(crate) fn decode(given: &Secret) -> Result<Secret, KubeconfigError> {
    let text = given.expose_secret().trim();
    if text.is_empty() {
        return Err(KubeconfigError::Empty);
    }
    let compact: String = text.split_whitespace().collect();
    let decoded = STANDARD.decode(compact).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(decoded.unwrap_or_else(|| text.to_owned()).into())
}

/// Returns a kubeconfig with one cluster, one user and one context.
///
/// `ca_pem` is empty if the certificates of public authorities are trusted.
pub(crate) fn build_kubeconfig(name: &str, server: &str, ca_pem: &str, token: &Secret) -> Secret {
    let mut cluster = json!({ "server": server });
    if let (Some(cluster), false) = (cluster.as_object_mut(), ca_pem.is_empty()) {
        let data = STANDARD.encode(ca_pem);
        cluster.insert("certificate-authority-data".to_owned(), data.into());
    }
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": name, "cluster": cluster }],
        "users": [{ "name": name, "user": { "token": token.expose_secret() } }],
        "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
        "current-context": name,
    });
    // JSON is YAML, too, and breaks no line in a long token.
    kubeconfig.to_string().into()
}

#[cfg(test)]
mod tests {
    use kubernetes_apply::connection::{Access, ExecPlugins};

    use super::*;

    #[test]
    fn a_kubeconfig_that_was_built_is_one_that_can_be_used() {
        let token = Secret::from("abc.def".to_owned());
        let built = build_kubeconfig("deploy-01", "https://10.1.1.1:6443", "", &token);
        let access = Access::parse(built.expose_secret(), None, ExecPlugins::Refused).unwrap();
        assert_eq!(access.server().to_string(), "https://10.1.1.1:6443/");
        assert!(!format!("{built:?}").contains("abc.def"));
    }

    #[test]
    fn base64_is_decoded_and_anything_else_is_kept() {
        let text = "apiVersion: v1\nkind: Config\n";
        let encoded = Secret::from(STANDARD.encode(text));
        assert_eq!(decode(&encoded).unwrap().expose_secret(), text);
        let plain = Secret::from(text.to_owned());
        assert_eq!(decode(&plain).unwrap().expose_secret(), text.trim());
        assert_eq!(
            decode(&Secret::from(" ".to_owned())).unwrap_err(),
            KubeconfigError::Empty
        );
    }
}
