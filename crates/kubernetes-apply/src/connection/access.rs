//! Where a cluster is, whom it trusts, and as whom it is called.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use kube::Config;
use kube::config::{AuthInfo, Kubeconfig};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};

use super::transport_error::Trust;

/// Where a cluster is, and as whom it is called.
///
/// It shows nothing in `Debug` but the address: the rest is secret.
#[derive(Clone)]
pub struct Access {
    config: Config,
}

/// Whether a kubeconfig may name commands that fetch a credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExecPlugins {
    /// They are refused: the command may not exist where the program runs, and would run as its user.
    Refused,
    /// They are run.
    Allowed,
}

/// Why a cluster cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The file cannot be read.
    #[error("the kubeconfig {path} cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a kubeconfig. The parser's message is left out, because it may quote a secret.
    #[error("the text is not a kubeconfig in YAML")]
    Syntax,
    /// The kubeconfig has no contexts.
    #[error("the kubeconfig has no contexts")]
    NoContexts,
    /// The kubeconfig names no context, and none was chosen.
    #[error("the kubeconfig has no current context; choose one of: {}", .contexts.join(", "))]
    NoContext {
        /// The contexts that it has.
        contexts: Vec<String>,
    },
    /// The kubeconfig lacks something that is referred to.
    #[error("the kubeconfig has no {kind} {name}")]
    Missing {
        /// `context`, `cluster` or `user`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The address of the API server is not one.
    #[error("the address of the API server is not a URL such as https://10.0.0.1:6443")]
    Address,
    /// The URL of the proxy is not one.
    #[error("the proxy-url of the kubeconfig is not a URL such as http://proxy.example.com:3128")]
    Proxy,
    /// The certificate authority is not in PEM.
    #[error(
        "the certificate authority of the kubeconfig is not a certificate in PEM, encoded in base64"
    )]
    CertificateAuthority,
    /// The credential comes from a command.
    #[error(
        "the kubeconfig gets its credential from the command {command}, which is not run here; use the token \
         of a service account or a client certificate instead"
    )]
    ExecPlugin {
        /// The command.
        command: String,
    },
    /// The credential comes from a provider that Kubernetes has removed.
    #[error(
        "the kubeconfig gets its credential from the auth-provider {name}, which Kubernetes has removed; use \
         the token of a service account or a client certificate instead"
    )]
    AuthProvider {
        /// Its name.
        name: String,
    },
    /// The credential cannot be had. The cause is left out, because it may quote the credential.
    #[error(
        "the credential of the kubeconfig cannot be had: run its command by hand, or look at the files that it \
         names"
    )]
    Credential,
    /// A kubeconfig that is given as text refers to a file.
    #[error(transparent)]
    File(#[from] ForbiddenFile),
    /// The connection cannot be set up.
    #[error("the connection to the API server cannot be set up")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A kubeconfig that is given as text refers to a file, which may not exist where the program runs.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{field} of the kubeconfig names a file; embed its content: kubectl config view --raw --flatten --minify"
)]
pub struct ForbiddenFile {
    /// The field, such as `client-key`.
    pub field: &'static str,
}

impl Access {
    /// Reads a kubeconfig that holds all that it needs.
    ///
    /// `context` is the current one if it is `None`. A kubeconfig that refers to files is refused.
    pub fn parse(
        kubeconfig: &str,
        context: Option<&str>,
        exec_plugins: ExecPlugins,
    ) -> Result<Self, AccessError> {
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig).map_err(|_| AccessError::Syntax)?;
        let access = Self::select(&kubeconfig, context, exec_plugins, Files::Forbidden)?;
        Ok(access)
    }

    /// Loads a kubeconfig file. The files to which it refers are relative to its folder.
    pub fn load(
        path: &Path,
        context: Option<&str>,
        exec_plugins: ExecPlugins,
    ) -> Result<Self, AccessError> {
        let kubeconfig = Kubeconfig::read_from(path).map_err(|error| match error {
            kube::config::KubeconfigError::ReadConfig(source, _) => AccessError::Unreadable {
                path: path.display().to_string(),
                source,
            },
            _ => AccessError::Syntax,
        })?;
        Self::select(&kubeconfig, context, exec_plugins, Files::Allowed)
    }

    /// Names a cluster by the address of its API server, without a credential.
    pub fn new(server: &str) -> Result<Self, AccessError> {
        let url: Uri = server.trim().parse().map_err(|_| AccessError::Address)?;
        let is_address = matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
        let has_userinfo = url.authority().is_some_and(|it| it.as_str().contains('@'));
        if !is_address || has_userinfo || url.query().is_some() {
            return Err(AccessError::Address);
        }
        let mut config = Config::new(url);
        config.default_retry = false;
        Ok(Self { config })
    }

    /// Trusts only these certificate authorities, in PEM.
    pub fn with_certificate_authority(mut self, pem: &[u8]) -> Result<Self, AccessError> {
        let certificates: Result<Vec<CertificateDer<'_>>, _> =
            CertificateDer::pem_slice_iter(pem).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => {
                let certificates = certificates.iter().map(|it| it.as_ref().to_vec());
                self.config.root_cert = Some(certificates.collect());
                Ok(self)
            }
            _ => Err(AccessError::CertificateAuthority),
        }
    }

    /// Authenticates with a bearer token.
    #[must_use]
    pub fn with_token(mut self, token: SecretString) -> Self {
        self.config.auth_info = AuthInfo {
            token: Some(token),
            ..AuthInfo::default()
        };
        self
    }

    /// Authenticates with a client certificate and its key, both in PEM.
    #[must_use]
    pub fn with_client_certificate(mut self, certificate: &str, key: &SecretString) -> Self {
        self.config.auth_info = AuthInfo {
            client_certificate_data: Some(STANDARD.encode(certificate)),
            client_key_data: Some(STANDARD.encode(key.expose_secret()).into()),
            ..AuthInfo::default()
        };
        self
    }

    /// Calls the cluster at another address, with the same authority and credential.
    pub fn with_server(mut self, server: &str) -> Result<Self, AccessError> {
        self.config.cluster_url = Self::new(server)?.config.cluster_url;
        Ok(self)
    }

    /// Returns the certificate authorities that are trusted, in PEM; empty if they are the public ones.
    pub fn certificate_authority(&self) -> String {
        let certificates = self.config.root_cert.iter().flatten();
        certificates.map(|der| pem(der)).collect()
    }

    /// Returns the address of the API server.
    pub fn server(&self) -> &Uri {
        &self.config.cluster_url
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn trust(&self) -> Trust {
        if self.config.accept_invalid_certs {
            Trust::Any
        } else if self.config.root_cert.is_some() {
            Trust::Given
        } else {
            Trust::Public
        }
    }

    fn select(
        kubeconfig: &Kubeconfig,
        context: Option<&str>,
        exec_plugins: ExecPlugins,
        files: Files,
    ) -> Result<Self, AccessError> {
        let missing = |kind, name: &str| AccessError::Missing {
            kind,
            name: name.to_owned(),
        };
        let chosen = context
            .or(kubeconfig.current_context.as_deref())
            .filter(|it| !it.is_empty());
        let Some(name) = chosen else {
            if kubeconfig.contexts.is_empty() {
                return Err(AccessError::NoContexts);
            }
            let contexts = kubeconfig
                .contexts
                .iter()
                .map(|context| context.name.clone());
            return Err(AccessError::NoContext {
                contexts: contexts.collect(),
            });
        };
        let mut contexts = kubeconfig.contexts.iter();
        let context = contexts.find(|context| context.name == name);
        let context = context.and_then(|context| context.context.as_ref());
        let context = context.ok_or_else(|| missing("context", name))?;

        let mut clusters = kubeconfig.clusters.iter();
        let cluster = clusters.find(|cluster| cluster.name == context.cluster);
        let cluster = cluster.and_then(|cluster| cluster.cluster.as_ref());
        let cluster = cluster.ok_or_else(|| missing("cluster", &context.cluster))?;

        let user = match context.user.as_deref().filter(|user| !user.is_empty()) {
            None => AuthInfo::default(),
            Some(name) => {
                let user = kubeconfig.auth_infos.iter().find(|user| user.name == name);
                let user = user.and_then(|user| user.auth_info.clone());
                user.ok_or_else(|| missing("user", name))?
            }
        };
        check_credential(&user, exec_plugins)?;
        if files == Files::Forbidden {
            let ca_file = cluster.certificate_authority.as_ref();
            let ca_file = ca_file.filter(|_| cluster.certificate_authority_data.is_none());
            check_no_files(ca_file, &user)?;
        }

        let mut access = Self::new(cluster.server.as_deref().ok_or(AccessError::Address)?)?;
        let pem = match (
            &cluster.certificate_authority_data,
            &cluster.certificate_authority,
        ) {
            (Some(data), _) => {
                let data: String = data.split_whitespace().collect();
                let pem = STANDARD.decode(data);
                Some(pem.map_err(|_| AccessError::CertificateAuthority)?)
            }
            (None, Some(path)) => {
                let pem = std::fs::read(path);
                Some(pem.map_err(|source| AccessError::Unreadable {
                    path: path.clone(),
                    source,
                })?)
            }
            (None, None) => None,
        };
        if let Some(pem) = pem.filter(|pem| !pem.is_empty()) {
            access = access.with_certificate_authority(&pem)?;
        }
        let config = &mut access.config;
        config.auth_info = user;
        config.tls_server_name.clone_from(&cluster.tls_server_name);
        if cluster.insecure_skip_tls_verify == Some(true) {
            tracing::warn!(server = %config.cluster_url, "the server's certificate is not verified");
            config.accept_invalid_certs = true;
        }
        if let Some(namespace) = &context.namespace {
            config.default_namespace.clone_from(namespace);
        }
        if let Some(proxy) = cluster.proxy_url.as_ref().filter(|proxy| !proxy.is_empty()) {
            config.proxy_url = Some(proxy.parse().map_err(|_| AccessError::Proxy)?);
        }
        Ok(access)
    }
}

fn pem(certificate: &[u8]) -> String {
    let encoded = STANDARD.encode(certificate);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

/// Whether a kubeconfig may refer to files.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Files {
    Allowed,
    Forbidden,
}

fn check_credential(user: &AuthInfo, exec_plugins: ExecPlugins) -> Result<(), AccessError> {
    if let Some(provider) = &user.auth_provider {
        let name = provider.name.clone();
        return Err(AccessError::AuthProvider { name });
    }
    match &user.exec {
        Some(exec) if exec_plugins == ExecPlugins::Refused => {
            let command = exec.command.clone().unwrap_or_default();
            Err(AccessError::ExecPlugin { command })
        }
        _ => Ok(()),
    }
}

fn check_no_files(ca_file: Option<&String>, user: &AuthInfo) -> Result<(), ForbiddenFile> {
    let files = [
        ("certificate-authority", ca_file.is_some()),
        (
            "tokenFile",
            user.token_file.is_some() && user.token.is_none(),
        ),
        (
            "client-certificate",
            user.client_certificate.is_some() && user.client_certificate_data.is_none(),
        ),
        (
            "client-key",
            user.client_key.is_some() && user.client_key_data.is_none(),
        ),
    ];
    match files.into_iter().find(|(_, names_file)| *names_file) {
        Some((field, _)) => Err(ForbiddenFile { field }),
        None => Ok(()),
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access({})", self.config.cluster_url)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Connection, Limits};
    use super::*;

    fn kubeconfig(cluster: &str, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: main\n\
             contexts: [{{name: main, context: {{cluster: c, user: u, namespace: shop}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'https://10.0.0.1:6443'{cluster}}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}]\n"
        )
    }

    fn parse(cluster: &str, user: &str) -> Result<Access, AccessError> {
        Access::parse(&kubeconfig(cluster, user), None, ExecPlugins::Refused)
    }

    #[test]
    fn a_kubeconfig_names_the_cluster_of_its_context() {
        let access = parse("", "token: s3cr3t").unwrap();
        assert_eq!(access.server().to_string(), "https://10.0.0.1:6443/");
        assert_eq!(format!("{access:?}"), "Access(https://10.0.0.1:6443/)");
        assert!(!access.config().default_retry);
        assert_eq!(access.trust(), Trust::Public);
    }

    #[test]
    fn a_command_is_run_only_where_that_is_allowed() {
        let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}";
        let error = parse("", exec).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the kubeconfig gets its credential from the command aws"),
            "{error}"
        );
        assert!(Access::parse(&kubeconfig("", exec), None, ExecPlugins::Allowed).is_ok());
    }

    #[test]
    fn what_a_command_says_when_it_fails_is_not_shown() {
        let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, \
                    args: ['-c', 'echo s3cr3t; echo s3cr3t >&2; exit 1'], interactiveMode: Never}";
        let access = Access::parse(&kubeconfig("", exec), None, ExecPlugins::Allowed).unwrap();
        let Err(error) = Connection::new(&access, Limits::default()) else {
            panic!("the command has failed")
        };
        assert!(matches!(error, AccessError::Credential), "{error}");
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_text_that_refers_to_files_is_refused() {
        for (cluster, user, field) in [
            (
                ", certificate-authority: ca.crt",
                "token: t",
                "certificate-authority",
            ),
            ("", "tokenFile: token", "tokenFile"),
            (
                "",
                "client-certificate: a.crt, client-key: a.key",
                "client-certificate",
            ),
        ] {
            let error = parse(cluster, user).unwrap_err();
            assert!(
                matches!(error, AccessError::File(ForbiddenFile { field: found }) if found == field),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_the_text() {
        let error = Access::parse("s3cr3t: [", None, ExecPlugins::Refused).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        assert!(matches!(
            Access::parse(&kubeconfig("", ""), Some("other"), ExecPlugins::Refused),
            Err(AccessError::Missing {
                kind: "context",
                ..
            })
        ));
        let text = kubeconfig("", "").replace("current-context: main\n", "");
        let error = Access::parse(&text, None, ExecPlugins::Refused).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the kubeconfig has no current context; choose one of: main"
        );
        let error = Access::parse("kind: Config", None, ExecPlugins::Refused).unwrap_err();
        assert_eq!(error.to_string(), "the kubeconfig has no contexts");
        assert!(matches!(
            parse(", certificate-authority-data: bm90IFBFTQ==", ""),
            Err(AccessError::CertificateAuthority)
        ));
    }

    #[test]
    fn only_the_address_of_a_server_is_an_address() {
        for server in [
            "10.0.0.1:6443",
            "ftp://a",
            "https://me:s3cr3t@a",
            "https://a?b",
            "",
        ] {
            assert!(
                matches!(Access::new(server), Err(AccessError::Address)),
                "{server}"
            );
        }
        assert!(Access::new("https://example.com/k8s/clusters/c-1").is_ok());
    }
}
