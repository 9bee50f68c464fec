//! Secrets in key-value engines of version 2.

use std::collections::{BTreeMap, BTreeSet};

use nautes_model::vault::SecretPath;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::{ExposeSecret, Secret};

use super::error::{Error, Kind};
use super::request::{Request, Verb};
use super::transport::Answer;
use super::{Session, Vault};

/// What a secret holds: texts under keys. Texts are left out of debug output.
#[derive(Clone, Debug, Default)]
pub struct SecretValues(BTreeMap<String, Secret>);

/// The latest version of a secret.
#[derive(Debug)]
pub struct StoredSecret {
    /// The version, counted from 1.
    pub version: u64,
    /// What it holds. A value that is no text is there as JSON.
    pub values: SecretValues,
}

/// What a write assumes; if it is otherwise, the write fails with [`Kind::Conflict`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected {
    /// There is no secret, or its latest version is deleted.
    Absent,
    /// The latest version.
    Version(u64),
}

/// What is to be found at the path of a secret.
enum Found {
    Nothing,
    Deleted { version: u64 },
    Stored(StoredSecret),
}

impl SecretValues {
    /// The text under a key.
    pub fn get(&self, key: &str) -> Option<&Secret> {
        self.0.get(key)
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Puts a text under a key, in place of what was there.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }
}

impl PartialEq for SecretValues {
    fn eq(&self, other: &Self) -> bool {
        let texts = |values: &Self| -> Vec<_> { values.0.values().cloned().collect() };
        self.keys().eq(other.keys())
            && texts(self)
                .iter()
                .zip(texts(other))
                .all(|(one, other)| one.expose_secret() == other.expose_secret())
    }
}

/// A request body, in the clear.
struct Exposed<'a>(&'a SecretValues);

impl Serialize for Exposed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let texts = self.0.0.iter();
        serializer.collect_map(texts.map(|(key, secret)| (key, secret.expose_secret())))
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
    /// Reads the latest version of a secret; `None` if there is none, or if it is deleted.
    pub async fn read_secret(&self, path: &SecretPath) -> Result<Option<StoredSecret>, Error> {
        match self.find(path).await? {
            Found::Stored(secret) => Ok(Some(secret)),
            Found::Deleted { .. } | Found::Nothing => Ok(None),
        }
    }

    /// Writes a secret and returns its new version.
    ///
    /// The values replace all that were there. It fails with [`Kind::Conflict`] if the secret is not
    /// as expected, unless it is what this very write would have made of it.
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
            other => return other,
        };
        match self.find(path).await? {
            Found::Deleted { version } if expected == Expected::Absent => {
                self.write_version(path, values, version).await
            }
            // An answer that got lost made us repeat what had taken effect.
            Found::Stored(stored) if stored.version == version + 1 && stored.values == *values => {
                Ok(stored.version)
            }
            _ => Err(conflict),
        }
    }

    /// Removes all versions of a secret and everything known about it; it may be absent.
    pub async fn delete_secret(&self, path: &SecretPath) -> Result<(), Error> {
        let request = request(Verb::Delete, path, "metadata");
        self.session.send(&request).await.map(|_| ())
    }

    /// Lists what is in a folder: secrets, and folders with a slash at the end. A folder that does not
    /// exist is empty; a mount that does not exist is an error.
    pub async fn list_secrets(&self, mount: &str, folder: &str) -> Result<BTreeSet<String>, Error> {
        let request = Request::new(Verb::List, mount, &format!("metadata/{folder}/"))
            .permitted_by(all_of_a_kind(mount, "metadata", folder));
        list(&self.session, &request).await
    }

    async fn find(&self, path: &SecretPath) -> Result<Found, Error> {
        let answer = self
            .session
            .send(&request(Verb::Read, path, "data"))
            .await?;
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

    /// Writes on top of a version; 0 is for no version at all.
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
        let request = request(Verb::Write, path, "data")
            .with_body(&body)
            .map_err(|unsendable| Error::new(self.session.call(&unsendable), Kind::Unsendable))?;
        let answer = self.session.send(&request).await?;
        if !answer.is_found() {
            return Err(answer.not_found());
        }
        Ok(answer.read::<Written>()?.data.version)
    }
}

/// A deleted version is answered like an absent secret, but with what is known about it.
fn deleted(answer: &Answer) -> Found {
    match answer.read::<Read>() {
        Ok(Read { data }) => Found::Deleted {
            version: data.metadata.version,
        },
        Err(_) => Found::Nothing,
    }
}

/// The names that a listing returns; none if there is nothing to list.
pub(super) async fn list(session: &Session, request: &Request) -> Result<BTreeSet<String>, Error> {
    let answer = session.send(request).await?;
    if !answer.is_found() {
        return Ok(BTreeSet::new());
    }
    Ok(answer.read::<Listed>()?.data.keys)
}

/// A call about a secret. Who may make it may make it for all secrets of the kind.
fn request(verb: Verb, path: &SecretPath, part: &str) -> Request {
    let (mount, path) = (path.mount(), path.path());
    Request::new(verb, mount, &format!("{part}/{path}"))
        .permitted_by(all_of_a_kind(mount, part, path))
}

/// The path of the policy line for all secrets of a kind, which are those below the same top folder. A
/// line for each object would have to be added before each creation, when its number is not known.
fn all_of_a_kind(mount: &str, part: &str, path: &str) -> String {
    let folder = path.split_once('/').map_or("", |(folder, _)| folder);
    format!("{mount}/{part}/{folder}/*").replace("//", "/")
}
