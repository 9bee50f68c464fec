//! Mounts of key-value engines.

use serde::{Deserialize, Serialize};

use super::Vault;
use super::error::{Error, Kind};
use super::request::{Request, Verb};

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
    /// Makes sure that a key-value engine of version 2 is mounted, once for all callers.
    ///
    /// A missing mount is made if the client was set up to, and is [`Kind::NoMount`] otherwise. When
    /// the token may not even know of the mount, nothing is said: the calls themselves will tell.
    pub async fn ensure_mount(&self, mount: &str) -> Result<(), Error> {
        let mut sound = self.sound_mounts.lock().await;
        if sound.contains(mount) {
            return Ok(());
        }
        if self.manage_mounts {
            self.make_mount_if_missing(mount).await?;
        } else {
            self.check_mount(mount).await?;
        }
        sound.insert(mount.to_owned());
        Ok(())
    }

    async fn make_mount_if_missing(&self, mount: &str) -> Result<(), Error> {
        let request = Request::new(Verb::Read, "sys/mounts", mount);
        let failure = match self.session.send(&request).await {
            Ok(answer) if answer.is_found() => {
                let engine = answer.read::<Read>()?.data;
                return self.judge(engine, &request, mount);
            }
            Ok(answer) => answer.not_found(),
            Err(failure) => failure,
        };
        match failure.kind() {
            Kind::NotFound | Kind::NoMount { .. } => self.make_mount(mount).await,
            _ => Err(failure),
        }
    }

    async fn make_mount(&self, mount: &str) -> Result<(), Error> {
        let engine = Mount {
            engine: "kv".to_owned(),
            options: Some(MountOptions {
                version: Some("2".to_owned()),
            }),
        };
        let request = Request::new(Verb::Write, "sys/mounts", mount)
            .with_body(&engine)
            .map_err(|unsendable| Error::new(self.session.call(&unsendable), Kind::Unsendable))?;
        let made = self.session.send(&request).await;
        match made {
            // Another run was faster, or our own call was repeated.
            Err(failure) if failure.says("path is already in use") => Ok(()),
            made => made.map(|_| ()),
        }
    }

    async fn check_mount(&self, mount: &str) -> Result<(), Error> {
        // Any token may ask this about a mount where it may do something.
        let request = Request::new(Verb::Read, "sys/internal/ui/mounts", mount);
        match self.session.send(&request).await {
            Ok(answer) if answer.is_found() => {
                let engine = answer.read::<Read>()?.data;
                self.judge(engine, &request, mount)
            }
            Ok(_) => Ok(()),
            Err(failure) if matches!(failure.kind(), Kind::Forbidden { .. }) => {
                self.check_listing(mount).await
            }
            Err(failure) => Err(failure),
        }
    }

    /// Tells a missing mount from one that the token may not know of, which are answered alike.
    async fn check_listing(&self, mount: &str) -> Result<(), Error> {
        let request = Request::new(Verb::List, mount, "metadata/");
        match self.session.send(&request).await {
            Err(failure) if matches!(failure.kind(), Kind::Forbidden { .. }) => Ok(()),
            answered => answered.map(|_| ()),
        }
    }

    fn judge(&self, engine: Mount, request: &Request, mount: &str) -> Result<(), Error> {
        let version = engine.options.and_then(|options| options.version);
        if engine.engine == "kv" && version.as_deref() == Some("2") {
            return Ok(());
        }
        let mount = mount.to_owned();
        Err(Error::new(
            self.session.call(request),
            Kind::NotVersioned { mount },
        ))
    }
}
