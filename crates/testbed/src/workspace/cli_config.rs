//! The CLI configuration file, which determines where providers are installed from.

use std::fs;
use std::path::Path;

use crate::Error;

/// The text of a CLI configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliConfig(String);

impl CliConfig {
    /// Uses the provider in `folder` for any version constraint, without `init`.
    pub fn dev_override(source: &str, folder: &Path) -> Self {
        let folder = quoted(folder);
        Self(format!(
            "provider_installation {{\n  dev_overrides {{\n    \"{source}\" = {folder}\n  }}\n  \
             direct {{}}\n}}\n"
        ))
    }

    /// Installs all providers from a filesystem mirror, and from nowhere else.
    pub fn filesystem_mirror(root: &Path) -> Self {
        let root = quoted(root);
        Self(format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = {root}\n  }}\n}}\n"
        ))
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        fs::write(path, &self.0).map_err(Error::file("write", path))
    }
}

/// Renders a path as an HCL string, with template markers escaped.
fn quoted(path: &Path) -> String {
    let escaped = path
        .to_string_lossy()
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_as_hcl_strings() {
        assert_eq!(quoted(Path::new(r#"/a "b"/${c}"#)), r#""/a \"b\"/$${c}""#);
    }

    #[test]
    fn an_override_has_source_and_folder() {
        let config = CliConfig::dev_override("nautes/nautes", Path::new("/p"));
        assert!(
            config.0.contains("\"nautes/nautes\" = \"/p\""),
            "{}",
            config.0
        );
    }
}
