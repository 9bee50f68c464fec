//! Kubeconfig files.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Error;
use crate::certificates::KeyAndCertificate;
use crate::server_process::write_private;

/// How a client proves who it is.
pub(super) enum Credentials<'a> {
    Certificate(&'a KeyAndCertificate),
    Token(&'a str),
}

/// Writes a kubeconfig file, which only the user can read, and returns its path.
///
/// `authority` is the PEM text of the server's certificate authority.
pub(super) fn write(
    path: PathBuf,
    server: &str,
    authority: &str,
    credentials: &Credentials<'_>,
) -> Result<PathBuf, Error> {
    write_private(&path, &text(server, authority, credentials))?;
    Ok(path)
}

pub(super) fn text(server: &str, authority: &str, credentials: &Credentials<'_>) -> String {
    let user = match credentials {
        Credentials::Certificate(identity) => format!(
            "client-certificate-data: {}\n    client-key-data: {}",
            STANDARD.encode(&identity.certificate),
            STANDARD.encode(&identity.key),
        ),
        Credentials::Token(token) => format!("token: {token}"),
    };
    let authority = STANDARD.encode(authority);
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: test
  user:
    {user}
contexts:
- name: test
  context:
    cluster: test
    user: test
current-context: test
"
    )
}
