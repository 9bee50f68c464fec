//! A built provider, and how Terraform is made to use it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::{Error, cargo, release};

/// A provider's executable and its source address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The source address without a host, such as `nautes/nautes`.
    pub source: String,
    /// The executable.
    pub executable: PathBuf,
}

impl Provider {
    /// Returns the provider of this project.
    pub fn nautes(executable: impl Into<PathBuf>) -> Self {
        Self {
            source: "nautes/nautes".to_owned(),
            executable: executable.into(),
        }
    }

    /// Returns the provider that does nothing, as a baseline for benchmarks.
    pub fn floor(executable: impl Into<PathBuf>) -> Self {
        Self {
            source: "nautes/floor".to_owned(),
            executable: executable.into(),
        }
    }

    /// Builds the provider of this project in the dev profile.
    pub fn build_nautes() -> Result<Self, Error> {
        cargo::build(cargo::Executable::PROVIDER, &[]).map(Self::nautes)
    }

    /// Returns the last part of the source address.
    pub fn type_name(&self) -> &str {
        self.source.rsplit('/').next().unwrap_or(&self.source)
    }

    /// Returns the `terraform` block that a configuration needs for this provider.
    pub fn requirement(&self) -> String {
        format!(
            "terraform {{\n  required_providers {{\n    {} = {{\n      source = \"{}\"\n    }}\n  \
             }}\n}}\n",
            self.type_name(),
            self.source
        )
    }

    /// Links the executable under its official name into `folder`.
    ///
    /// Terraform takes the first file of a folder with a matching name, so it must not be pointed
    /// at a build folder, which has other files of similar names.
    pub(crate) fn link_into(&self, folder: &Path) -> Result<(), Error> {
        self.link_as(folder, &format!("terraform-provider-{}", self.type_name()))
    }

    fn link_as(&self, folder: &Path, name: &str) -> Result<(), Error> {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let link = folder.join(name);
        if link.is_symlink() {
            fs::remove_file(&link).map_err(Error::file("remove", &link))?;
        }
        symlink(&self.executable, &link).map_err(Error::file("link", &link))
    }
}

/// Creates a filesystem mirror with one version of a provider.
///
/// The executable is in `<host>/<namespace>/<type>/<version>/<platform>/`. `host` is the default
/// registry of the command line in use.
pub fn mirror(root: &Path, host: &str, provider: &Provider, version: &str) -> Result<(), Error> {
    let folder = root
        .join(host)
        .join(&provider.source)
        .join(version)
        .join(release::platform());
    let name = format!("terraform-provider-{}_v{version}", provider.type_name());
    provider.link_as(&folder, &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_can_be_updated_with_a_new_executable() {
        let folder = tempfile::tempdir().unwrap();
        for executable in ["/bin/true", "/bin/false"] {
            let provider = Provider::nautes(executable);
            mirror(folder.path(), "registry.example", &provider, "0.1.0").unwrap();
            let link = folder
                .path()
                .join("registry.example/nautes/nautes/0.1.0")
                .join(release::platform())
                .join("terraform-provider-nautes_v0.1.0");
            assert_eq!(fs::read_link(link).unwrap(), Path::new(executable));
        }
    }
}
