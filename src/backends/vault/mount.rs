//! Mounts of key-value engines.

use serde::{Deserialize, Serialize};

use super::Vault;
use super::error::{Error, Kind};
use super::request::Verb;
use super::transport::Answer;

#[derive(Deserialize)]
struct Read {
    data: Mount,
}

#[derive(Serialize, Deserialize)]
struct Mount {
    #[serde(rename = "type")]
    engine: String,
    options: Option<MountOptions>,
}

#[derive(Serialize, Deserialize)]
struct MountOptions {
    version: Option<String>,
}

impl Vault {
    /// Ensures that a key-value engine of version 2 is mounted; concurrent callers share one check.
    ///
    /// A missing mount is created if the client was set up to, and is [`Kind::NoMount`] otherwise. When
    /// the token may not even know of the mount, this succeeds: the calls themselves will fail.
    pub async fn ensure_mount(&self, mount: &str) -> Result<(), Error> {
        let mut verified = self.verified_mounts.lock().await;
        if verified.contains(mount) {
            return Ok(());
        }
        if self.manage_mounts {
            self.create_mount_if_missing(mount).await?;
        } else {
            self.check_mount(mount).await?;
        }
        verified.insert(mount.to_owned());
        Ok(())
    }

    async fn create_mount_if_missing(&self, mount: &str) -> Result<(), Error> {
        let request = self.session.request(Verb::Read, "sys/mounts", mount);
        match self.session.send(&request).await {
            Ok(answer) if answer.is_found() => check_engine(&answer, mount),
            Ok(_) => self.create_mount(mount).await,
            Err(error) if matches!(error.kind(), Kind::NoMount { .. }) => {
                self.create_mount(mount).await
            }
            Err(error) => Err(error),
        }
    }

    async fn create_mount(&self, mount: &str) -> Result<(), Error> {
        let engine = Mount {
            engine: "kv".to_owned(),
            options: Some(MountOptions {
                version: Some("2".to_owned()),
            }),
        };
        let request = self.session.request(Verb::Write, "sys/mounts", mount);
        let request = request.with_body(&engine)?;
        let created = self.session.send(&request).await;
        match created {
            // Another run was faster, or our own call was repeated.
            Err(error) if error.mentions("path is already in use") => Ok(()),
            created => created.map(drop),
        }
    }

    pub(crate) async fn check_mount(&self, mount: &str) -> Result<(), Error> {
        // Any token may ask this about a mount where it may do something.
        let request = self
            .session
            .request(Verb::Read, "sys/internal/ui/mounts", mount);
        match self.session.send(&request).await {
            Ok(answer) if answer.is_found() => check_engine(&answer, mount),
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), Kind::Forbidden { .. }) => {
                self.check_listing(mount).await
            }
            Err(error) => Err(error),
        }
    }

    /// Tells a missing mount from one that the token may not know of, which Vault answers alike.
    async fn check_listing(&self, mount: &str) -> Result<(), Error> {
        let request = self.session.request(Verb::List, mount, "metadata/");
        match self.session.send(&request).await {
            Err(error) if matches!(error.kind(), Kind::Forbidden { .. }) => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}

fn check_engine(answer: &Answer, mount: &str) -> Result<(), Error> {
    let engine = answer.read::<Read>()?.data;
    let version = engine.options.and_then(|options| options.version);
    if engine.engine == "kv" && version.as_deref() == Some("2") {
        return Ok(());
    }
    let mount = mount.to_owned();
    Err(Error::new(
        answer.call.clone(),
        Kind::NotVersioned { mount },
    ))
}
