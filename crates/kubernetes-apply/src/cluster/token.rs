//! Tokens of service accounts that end soon.

use std::time::Duration;

use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::discovery::escape;
use super::{ApiError, Cluster};
use crate::connection::ApiRequest;

impl Cluster {
    /// Requests a token of a service account for an audience. Nothing revokes it before it ends.
    ///
    /// The cluster may give it another lifetime; the shortest that it takes is ten minutes.
    pub async fn request_token(
        &self,
        namespace: &str,
        account: &str,
        audience: &str,
        lifetime: Duration,
    ) -> Result<SecretString, ApiError> {
        let path = format!(
            "/api/v1/namespaces/{}/serviceaccounts/{}/token",
            escape(namespace),
            escape(account)
        );
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": { "audiences": [audience], "expirationSeconds": lifetime.as_secs() },
        });
        // A token that is requested twice is one more that ends.
        let request = ApiRequest::new(Method::POST, path)
            .json(None, &body)
            .quoting_secrets(true)
            .repeatable();
        let call = request.call.to_string();
        let (_, answer) = self.connection.send(&request).await?;
        let token = answer.pointer("/status/token").and_then(Value::as_str);
        token
            .map(SecretString::from)
            .ok_or(ApiError::UnexpectedAnswer(call))
    }
}
