//! The tokens that GitLab sends with its calls. They are in a Secret of the cluster and in GitLab, and nowhere else.

use kubernetes_apply::object::{Object, ObjectError};
use nautes_model::RepositoryId;
use serde_json::json;

use super::inputs::PipelineInputs;
use crate::clusters::PRODUCT_LABEL;
use crate::components::{Component, Sha256};
use crate::secret::{ExposeSecret as _, Secret};

/// The key of the Secret.
pub(crate) const TOKEN_KEY: &str = "token";

/// The annotation of a pod with the hashes of the tokens with which it was started.
pub(super) const TOKEN_HASH: &str = "nautes.terraform/token-hash";

/// Returns the Secret with the token of a repository's hook.
pub(crate) fn hook_token_secret(
    inputs: &PipelineInputs<'_>,
    repository: RepositoryId,
    token: &Secret,
) -> Result<Object, ObjectError> {
    Object::new(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": inputs.names().hook_token(repository),
            "namespace": Component::ArgoEvents.namespace(),
            "labels": { PRODUCT_LABEL: inputs.product() },
        },
        "type": "Opaque",
        "stringData": { TOKEN_KEY: token.expose_secret() },
    }))
}

/// Returns 16 hexadecimal digits that tell one token from another.
pub(crate) fn token_hash(token: &Secret) -> String {
    let hash = Sha256::compute(token.expose_secret().as_bytes()).to_string();
    hash.chars().take(16).collect()
}
