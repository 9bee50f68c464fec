//! Private state: data that a provider stores with an object besides its attributes.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Values by key that are stored with an object, hidden from users and not encrypted.
///
/// Those of an ephemeral resource are never stored.
///
/// The deletion of an object that is replaced receives the private state that the first plan of the replacement
/// returned. Nothing that a deletion needs may be kept here alone, since Terraform passes none of a tainted object.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrivateState {
    values: BTreeMap<String, Box<RawValue>>,
}

impl Debug for PrivateState {
    /// Shows only the keys, so that logs cannot reveal a secret.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.values.keys()).finish()
    }
}

impl PrivateState {
    /// Decodes stored bytes. Bytes that another program wrote decode as empty.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        Self {
            values: serde_json::from_slice(bytes).unwrap_or_default(),
        }
    }

    /// Removes and returns the value of a key that the framework sets itself.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.get(key);
        self.remove(key);
        value
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.values.is_empty() {
            return Vec::new();
        }
        serde_json::to_vec(&self.values).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the value of a key, or `None` if it is absent or has another type.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.values.get(key)?.get()).ok()
    }

    /// Sets the value of a key. Keys that start with a dot are reserved for the framework.
    pub fn set<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), serde_json::Error> {
        if key.starts_with('.') {
            let text = format!("the key {key} is reserved, because it starts with a dot");
            return Err(serde::ser::Error::custom(text));
        }
        self.set_reserved(key, value)
    }

    /// Sets the value of a key that the framework uses itself.
    pub(crate) fn set_reserved<T: Serialize>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        let value = serde_json::value::to_raw_value(value)?;
        self.values.insert(key.to_owned(), value);
        Ok(())
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) {
        self.values.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_round_trip_through_storage() {
        let mut private = PrivateState::default();
        private.set("head", &"abc").unwrap();
        private.set("count", &3).unwrap();
        private.remove("count");
        let stored = PrivateState::decode(&private.encode());
        assert_eq!(stored.get::<String>("head").as_deref(), Some("abc"));
        assert_eq!(stored.get::<u8>("count"), None);
    }

    #[test]
    fn keys_of_the_framework_are_reserved() {
        let mut private = PrivateState::default();
        assert!(private.set(".action", &"create").is_err());
        private.set_reserved(".action", &"create").unwrap();
        assert_eq!(private.take::<String>(".action").as_deref(), Some("create"));
        assert!(private.encode().is_empty());
    }

    #[test]
    fn debug_output_shows_only_keys() {
        let mut private = PrivateState::default();
        private.set("token", &"secret").unwrap();
        assert_eq!(format!("{private:?}"), r#"{"token"}"#);
    }

    #[test]
    fn foreign_bytes_decode_as_empty() {
        assert!(PrivateState::decode(b"\x00not json").encode().is_empty());
        assert!(PrivateState::decode(b"").encode().is_empty());
    }
}
