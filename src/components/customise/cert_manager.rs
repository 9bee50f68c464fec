//! cert-manager: without the job that checks its own installation.

use super::super::error::ComponentError;
use super::super::manifest::{Manifest, label};

pub(in super::super) fn customise(manifest: &mut Manifest) -> Result<(), ComponentError> {
    manifest.require("Deployment", "cert-manager")?;
    manifest.require("Deployment", "cert-manager-webhook")?;
    // Jobs cannot be changed, so an upgrade would fail. The provider waits for the webhook itself.
    manifest
        .remove(|object| label(object, "app.kubernetes.io/component") == Some("startupapicheck"));
    Ok(())
}
