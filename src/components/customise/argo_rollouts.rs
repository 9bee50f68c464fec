//! Argo Rollouts: the version of its image.

use super::super::error::ComponentError;
use super::super::manifest::Manifest;
use super::super::version::Version;

/// Pins images that name no version: the install manifest in the project's repository does, unlike that of its
/// releases.
pub(in super::super) fn customise(
    manifest: &mut Manifest,
    version: &Version,
) -> Result<(), ComponentError> {
    manifest.require("Deployment", "argo-rollouts")?;
    for pod in manifest.pod_specs() {
        let containers = pod
            .get_mut("containers")
            .and_then(|list| list.as_array_mut());
        for container in containers.into_iter().flatten() {
            let Some(image) = container.get_mut("image") else {
                continue;
            };
            let unversioned = image
                .as_str()
                .and_then(|image| image.strip_suffix(":latest"));
            if let Some(repository) = unversioned {
                *image = format!("{repository}:{version}").into();
            }
        }
    }
    Ok(())
}
