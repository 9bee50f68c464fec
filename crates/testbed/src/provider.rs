//! A built provider, and how a command line is made to use it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::{Error, cargo, release};

/// A provider executable and the source address that configurations name it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The address without a host, such as `nautes/nautes`.
    pub source: String,
    /// The executable.
    pub executable: PathBuf,
}

impl Provider {
    /// The provider of this project.
    pub fn nautes(executable: impl Into<PathBuf>) -> Self {
        Self {
            source: "nautes/nautes".to_owned(),
            executable: executable.into(),
        }
    }

    /// The provider that does nothing.
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

    /// The last part of the source address.
    pub fn type_name(&self) -> &str {
        self.source.rsplit('/').next().unwrap_or(&self.source)
    }

    /// The `terraform` block that a configuration needs to use it.
    pub fn requirement(&self) -> String {
        format!(
            "terraform {{\n  required_providers {{\n    {} = {{\n      source = \"{}\"\n    }}\n  \
             }}\n}}\n",
            self.type_name(),
            self.source
        )
    }

    /// Puts the executable under its official name, alone, into `folder`.
    ///
    /// The command lines take the first file of a folder whose name fits, so that a build folder, with
    /// its by-products of similar names, must not be shown to them.
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

/// Lays out a filesystem mirror that holds one version of a provider.
///
/// The layout is `<host>/<namespace>/<type>/<version>/<platform>/` with the executable in it. The
/// hosts are those that the command line in use puts in front of a bare source address.
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
    fn a_mirror_is_laid_out_again_for_a_new_executable() {
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
