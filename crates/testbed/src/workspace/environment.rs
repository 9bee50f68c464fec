//! The environment for child processes.

use std::ffi::OsString;
use std::path::Path;

/// The inherited variables: the locations of programs, temporary files and certificates.
const INHERITED: [&str; 5] = ["PATH", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Returns an environment that is independent of the user's own setup.
///
/// `home` replaces the home folder, and with it the user's CLI configuration, plug-ins and tokens.
/// Update checks and prompts are disabled.
pub fn isolated_environment(home: &Path) -> Vec<(OsString, OsString)> {
    let fixed = [
        ("HOME", home.as_os_str()),
        ("TF_CLI_CONFIG_FILE", "/dev/null".as_ref()),
        ("TF_IN_AUTOMATION", "1".as_ref()),
        ("TF_INPUT", "0".as_ref()),
        ("CHECKPOINT_DISABLE", "1".as_ref()),
    ];
    INHERITED
        .iter()
        .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
        .chain(fixed.map(|(name, value)| (name.into(), value.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_users_terraform_setup_is_inherited() {
        let environment = isolated_environment(Path::new("/nowhere"));
        let value_of = |name: &str| {
            environment
                .iter()
                .find(|(present, _)| present == name)
                .map(|(_, value)| value.clone())
        };
        assert_eq!(value_of("HOME"), Some("/nowhere".into()));
        assert_eq!(value_of("TF_CLI_CONFIG_FILE"), Some("/dev/null".into()));
        assert_eq!(value_of("PATH"), std::env::var_os("PATH"));
        assert_eq!(value_of("CARGO_MANIFEST_DIR"), None);
    }
}
