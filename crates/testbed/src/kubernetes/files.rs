//! The files of a control plane: certificates, keys, kubeconfigs and logs.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::KeyPair;

use super::kubeconfig::{self, Credentials};
use super::service_range::ServiceRange;
use crate::Error;
use crate::certificates::CertificateAuthority;
use crate::server_process::write_private;

/// The folder of a control plane. Only the user can read its keys and tokens.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    /// Creates the folder with what does not depend on the API server's port.
    pub(super) fn create(
        folder: &Path,
        authority: &CertificateAuthority,
        range: &ServiceRange,
        admin_token: &str,
    ) -> Result<Self, Error> {
        let files = Self {
            folder: folder.to_owned(),
        };
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let service = "kubernetes.default.svc";
        let server = authority.server(&[
            "127.0.0.1".to_owned(),
            "localhost".to_owned(),
            range.first_address(),
            "kubernetes".to_owned(),
            "kubernetes.default".to_owned(),
            service.to_owned(),
            format!("{service}.cluster.local"),
        ])?;
        let key = KeyPair::generate().map_err(Error::Certificate)?;
        write_private(&files.authority(), &authority.pem())?;
        write_private(&files.server_certificate(), &server.certificate)?;
        write_private(&files.server_key(), &server.key)?;
        write_private(&files.service_account_key(), &key.serialize_pem())?;
        write_private(&files.service_account_public_key(), &key.public_key_pem())?;
        let tokens = format!("{admin_token},admin,admin,{ADMIN_GROUP}\n");
        write_private(&files.tokens(), &tokens)?;
        Ok(files)
    }

    /// Writes the kubeconfigs of the administrator and of the servers, for an API server at `url`.
    pub(super) fn write_kubeconfigs(
        &self,
        url: &str,
        authority: &CertificateAuthority,
    ) -> Result<(), Error> {
        for (path, user, group) in [
            (self.kubeconfig(), "admin", Some(ADMIN_GROUP)),
            (
                self.controller_manager_kubeconfig(),
                "system:kube-controller-manager",
                None,
            ),
            (self.scheduler_kubeconfig(), "system:kube-scheduler", None),
        ] {
            let identity = authority.client(user, group)?;
            let credentials = Credentials::Certificate(&identity);
            kubeconfig::write(path, url, &authority.pem(), &credentials)?;
        }
        Ok(())
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file, and returns its path.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let path = self.path(name);
        write_private(&path, text)?;
        Ok(path)
    }

    pub(super) fn authority(&self) -> PathBuf {
        self.path("ca.crt")
    }

    pub(super) fn server_certificate(&self) -> PathBuf {
        self.path("server.crt")
    }

    pub(super) fn server_key(&self) -> PathBuf {
        self.path("server.key")
    }

    pub(super) fn service_account_key(&self) -> PathBuf {
        self.path("service-account.key")
    }

    pub(super) fn service_account_public_key(&self) -> PathBuf {
        self.path("service-account.pub")
    }

    pub(super) fn tokens(&self) -> PathBuf {
        self.path("tokens.csv")
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    pub(super) fn controller_manager_kubeconfig(&self) -> PathBuf {
        self.path("controller-manager.kubeconfig")
    }

    pub(super) fn scheduler_kubeconfig(&self) -> PathBuf {
        self.path("scheduler.kubeconfig")
    }

    pub(super) fn audit_log(&self) -> PathBuf {
        self.path("audit.log")
    }
}

/// The group whose members may do anything.
const ADMIN_GROUP: &str = "system:masters";
