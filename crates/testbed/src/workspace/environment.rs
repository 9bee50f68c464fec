//! The environment that a command line runs with.

use std::ffi::OsString;
use std::path::Path;

/// What is taken over from this process: where programs, temporary files and certificates are.
const INHERITED: [&str; 5] = ["PATH", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Returns an environment that has nothing of the user's own set-up in it.
///
/// `home` takes the place of the home folder, so that neither a command-line configuration nor
/// plug-ins nor tokens kept there are found. No update check is made, and nothing is asked.
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
    fn nothing_of_the_users_terraform_set_up_is_inherited() {
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
