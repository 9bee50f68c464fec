//! Secrets in key-value engines of version 2.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nautes_model::vault::SecretPath;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::{ExposeSecret, Secret};

use super::error::{Error, Kind};
use super::request::{Request, Verb};
use super::transport::Answer;
use super::{Session, Vault};

/// The values of a secret: texts under keys. Debug output leaves out the texts.
#[derive(Clone, Debug, Default)]
pub struct SecretValues(BTreeMap<String, Secret>);

/// The latest version of a secret.
#[derive(Debug)]
pub struct StoredSecret {
    /// The version, counted from 1.
    pub version: u64,
    /// Its values. A value that is not text is there as JSON.
    pub values: SecretValues,
}

/// What a write assumes; if it is wrong, the write fails with [`Kind::Conflict`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected {
    /// There is no secret, or its latest version is deleted.
    Absent,
    /// The latest version.
    Version(u64),
}

/// What is at the path of a secret.
enum Found {
    Nothing,
    Deleted { version: u64 },
    Stored(StoredSecret),
}

impl SecretValues {
    /// Returns the text under a key.
    pub fn get(&self, key: &str) -> Option<&Secret> {
        self.0.get(key)
    }

    /// Returns the keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Sets the text under a key.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }

    fn exposed(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.0.iter();
        texts.map(|(key, text)| (key.as_str(), text.expose_secret()))
    }
}

impl PartialEq for SecretValues {
    fn eq(&self, other: &Self) -> bool {
        self.exposed().eq(other.exposed())
    }
}

/// A request body in clear text.
struct Exposed<'a>(&'a SecretValues);

impl Serialize for Exposed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.exposed())
    }
}

#[derive(Serialize)]
struct Write<'a> {
    data: Exposed<'a>,
    options: CheckAndSet,
}

#[derive(Serialize)]
struct CheckAndSet {
    cas: u64,
}

#[derive(Deserialize)]
struct Read {
    data: Version,
}

#[derive(Deserialize)]
struct Version {
    data: Option<SecretValues>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Written {
    data: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
}

#[derive(Deserialize)]
struct Listed {
    data: Keys,
}

#[derive(Deserialize)]
struct Keys {
    keys: BTreeSet<String>,
}

impl<'de> Deserialize<'de> for SecretValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = BTreeMap::<String, Box<serde_json::value::RawValue>>::deserialize(deserializer)?;
        let values = raw.into_iter().map(|(key, json)| {
            let text = serde_json::from_str::<String>(json.get());
            (
                key,
                Secret::from(text.unwrap_or_else(|_| json.get().to_owned())),
            )
        });
        Ok(Self(values.collect()))
    }
}

impl Vault {
    /// Reads the latest version of a secret; `None` if there is none or it is deleted.
    pub async fn read_secret(&self, path: &SecretPath) -> Result<Option<StoredSecret>, Error> {
        match self.find(path).await? {
            Found::Stored(secret) => Ok(Some(secret)),
            Found::Deleted { .. } | Found::Nothing => Ok(None),
        }
    }

    /// Writes a secret and returns its new version.
    ///
    /// The values replace all old ones. It fails with [`Kind::Conflict`] if the secret is not as
    /// expected, unless it is exactly what this write would have made of it.
    pub async fn write_secret(
        &self,
        path: &SecretPath,
        values: &SecretValues,
        expected: Expected,
    ) -> Result<u64, Error> {
        let version = match expected {
            Expected::Absent => 0,
            Expected::Version(version) => version,
        };
        let conflict = match self.write_version(path, values, version).await {
            Err(error) if *error.kind() == Kind::Conflict => error,
            Ok(version) => {
                tracing::info!(%path, version, "wrote a secret in Vault");
                return Ok(version);
            }
            other => return other,
        };
        match self.find(path).await? {
            Found::Deleted { version } if expected == Expected::Absent => {
                self.write_version(path, values, version).await
            }
            // The write had taken effect, and was repeated because its answer was lost.
            Found::Stored(stored) if stored.version == version + 1 && stored.values == *values => {
                Ok(stored.version)
            }
            _ => Err(conflict),
        }
    }

    /// Deletes all versions of a secret and its metadata; it may be absent.
    pub async fn delete_secret(&self, path: &SecretPath) -> Result<(), Error> {
        let (_, request) = self.secret_deletion(path);
        self.session.send(&request).await?;
        tracing::info!(%path, "deleted a secret in Vault");
        Ok(())
    }

    /// Returns the path of a secret's metadata, and the call that deletes the secret.
    pub(super) fn secret_deletion(&self, path: &SecretPath) -> (String, Request) {
        let metadata = format!("{}/metadata/{}", path.mount(), path.path());
        (
            metadata,
            self.request_secret(Verb::Delete, path, "metadata"),
        )
    }

    /// Lists the contents of a folder: secrets, and folders with a slash at the end. A missing folder is
    /// empty; a missing mount is an error.
    pub async fn list_secrets(&self, mount: &str, folder: &str) -> Result<BTreeSet<String>, Error> {
        let path = format!("metadata/{folder}/");
        let request = self.session.request(Verb::List, mount, &path);
        let request = request.permitted_by(path_of_all(mount, "metadata", folder));
        list(&self.session, &request).await
    }

    async fn find(&self, path: &SecretPath) -> Result<Found, Error> {
        let request = self.request_secret(Verb::Read, path, "data");
        let answer = self.session.send(&request).await?;
        if !answer.is_found() {
            return Ok(deleted(&answer));
        }
        let Version { data, metadata } = answer.read::<Read>()?.data;
        let version = metadata.version;
        Ok(match data {
            Some(values) => Found::Stored(StoredSecret { version, values }),
            None => Found::Deleted { version },
        })
    }

    /// Writes on top of a version; 0 stands for none.
    async fn write_version(
        &self,
        path: &SecretPath,
        values: &SecretValues,
        version: u64,
    ) -> Result<u64, Error> {
        let body = Write {
            data: Exposed(values),
            options: CheckAndSet { cas: version },
        };
        let request = self.request_secret(Verb::Write, path, "data");
        let request = request.with_body(&body)?;
        let answer = self.session.send(&request).await?;
        if !answer.is_found() {
            return Err(answer.not_found());
        }
        Ok(answer.read::<Written>()?.data.version)
    }

    /// A call about a secret; a policy that allows it allows it for all secrets of the kind.
    pub(super) fn request_secret(&self, verb: Verb, path: &SecretPath, part: &str) -> Request {
        let (mount, path) = (path.mount(), path.path());
        let request = self.session.request(verb, mount, &format!("{part}/{path}"));
        request.permitted_by(path_of_all(mount, part, path))
    }
}

/// Vault answers a deleted version like an absent secret, but with its metadata.
fn deleted(answer: &Answer) -> Found {
    match answer.read::<Read>() {
        Ok(Read { data }) => Found::Deleted {
            version: data.metadata.version,
        },
        Err(_) => Found::Nothing,
    }
}

/// Returns the names of a listing, which may be empty.
pub(super) async fn list(
    session: &Arc<Session>,
    request: &Request,
) -> Result<BTreeSet<String>, Error> {
    let answer = session.send(request).await?;
    if !answer.is_found() {
        return Ok(BTreeSet::new());
    }
    Ok(answer.read::<Listed>()?.data.keys)
}

/// Returns the path of the policy line for the same secrets of all objects. A line for each object
/// would have to be added before its creation, when its number is unknown.
fn path_of_all(mount: &str, part: &str, path: &str) -> String {
    let number = path.find(|character: char| character.is_ascii_digit());
    let kind = number.and_then(|start| path.get(..start)).unwrap_or(path);
    format!("{mount}/{part}/{kind}*")
}
