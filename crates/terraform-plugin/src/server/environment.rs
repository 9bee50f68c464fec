//! The environment variables that the client sets.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// The value of `TF_PLUGIN_MAGIC_COOKIE` (terraform `internal/plugin6/serve.go`). It is not a secret: it only detects
/// users who run the plugin by hand.
pub(crate) const MAGIC_COOKIE: &str =
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// The ports to try without Unix sockets if the client sets none.
const DEFAULT_PORTS: RangeInclusive<u16> = 10_000..=25_000;

/// The environment of a provider process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Environment {
    /// The magic cookie is set: a client started this process and reads its standard output.
    pub(super) started_by_client: bool,
    /// The major versions that the client supports, unparsed. Old clients send none.
    pub(super) client_versions: Option<String>,
    /// The only client certificate to accept, as PEM. Without it, the connection is not encrypted.
    pub(super) client_certificate: Option<String>,
    /// The directory for the socket.
    pub(super) socket_dir: PathBuf,
    /// The group that may connect to the socket, by name or number.
    pub(super) socket_group: Option<String>,
    /// The ports to try instead of a socket.
    pub(super) ports: RangeInclusive<u16>,
    /// The client understands the seventh field of the handshake.
    pub(super) understands_multiplexing: bool,
}

impl Environment {
    /// Reads the variables of go-plugin (`client.go`, `constants.go`) with `variable`. An empty variable is unset.
    pub(super) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let raw = |name| variable(name).filter(|value| !value.is_empty());
        let text = |name| raw(name).and_then(|value| value.into_string().ok());
        let port = |name| text(name).and_then(|value| value.parse().ok());
        Self {
            started_by_client: text("TF_PLUGIN_MAGIC_COOKIE").as_deref() == Some(MAGIC_COOKIE),
            client_versions: text("PLUGIN_PROTOCOL_VERSIONS"),
            client_certificate: text("PLUGIN_CLIENT_CERT"),
            socket_dir: raw("PLUGIN_UNIX_SOCKET_DIR")
                .map_or_else(std::env::temp_dir, PathBuf::from),
            socket_group: text("PLUGIN_UNIX_SOCKET_GROUP"),
            ports: port("PLUGIN_MIN_PORT")
                .zip(port("PLUGIN_MAX_PORT"))
                .map_or(DEFAULT_PORTS, |(first, last)| first..=last),
            understands_multiplexing: raw("PLUGIN_MULTIPLEX_GRPC").is_some(),
        }
    }

    /// Returns `true` if the client supports protocol `major`. Old clients do not say.
    pub(super) fn client_speaks(&self, major: u32) -> bool {
        self.client_versions.as_ref().is_none_or(|versions| {
            versions
                .split(',')
                .any(|version| version.trim().parse() == Ok(major))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::read(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn an_empty_environment_has_no_client_and_no_encryption() {
        let expected = Environment {
            started_by_client: false,
            client_versions: None,
            client_certificate: None,
            socket_dir: std::env::temp_dir(),
            socket_group: None,
            ports: 10_000..=25_000,
            understands_multiplexing: false,
        };
        assert_eq!(environment(&[]), expected);
        assert_eq!(environment(&[("PLUGIN_CLIENT_CERT", "")]), expected);
    }

    #[test]
    fn only_the_right_cookie_counts() {
        assert!(environment(&[("TF_PLUGIN_MAGIC_COOKIE", MAGIC_COOKIE)]).started_by_client);
        assert!(!environment(&[("TF_PLUGIN_MAGIC_COOKIE", "yes")]).started_by_client);
    }

    #[test]
    fn versions_are_an_unordered_list_and_unknown_entries_are_skipped() {
        let speaks_6 = |list| environment(&[("PLUGIN_PROTOCOL_VERSIONS", list)]).client_speaks(6);
        assert!(speaks_6("5,6"));
        assert!(speaks_6("6, 5"));
        assert!(speaks_6("next,6"));
        assert!(speaks_6(""));
        assert!(!speaks_6("5"));
        assert!(!speaks_6("4,5,66"));
    }

    #[test]
    fn ports_need_both_ends() {
        let both = environment(&[("PLUGIN_MIN_PORT", "20000"), ("PLUGIN_MAX_PORT", "20010")]);
        assert_eq!(both.ports, 20_000..=20_010);
        assert_eq!(
            environment(&[("PLUGIN_MIN_PORT", "20000")]).ports,
            DEFAULT_PORTS
        );
    }
}
