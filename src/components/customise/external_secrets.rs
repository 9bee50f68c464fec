//! External Secrets: in a namespace of its own.

use super::super::catalogue::Component;
use super::super::error::ComponentError;
use super::super::manifest::Manifest;

/// The namespace in which the release's manifest puts everything.
const NAMESPACE_OF_RELEASE: &str = "default";

pub(in super::super) fn customise(manifest: &mut Manifest) -> Result<(), ComponentError> {
    manifest.require("Deployment", "external-secrets")?;
    manifest.require("Deployment", "external-secrets-webhook")?;
    let namespace = Component::ExternalSecrets.namespace();
    manifest.move_namespace(NAMESPACE_OF_RELEASE, namespace);
    Ok(())
}
