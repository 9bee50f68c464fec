//! Private state: what a provider keeps about an object beside its attributes.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Values by key, kept with an object and invisible to users; stored with its state, not encrypted.
///
/// Those of an ephemeral resource are stored nowhere.
///
/// Nothing that a deletion needs may be kept here alone: when an object is replaced, its deletion gets the private
/// state of its successor.
#[derive(Clone, Default)]
pub struct PrivateState {
    values: BTreeMap<String, Box<RawValue>>,
}

impl Debug for PrivateState {
    /// Shows the keys and never the values, so that no log can carry a secret.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.values.keys()).finish()
    }
}

impl PrivateState {
    /// Reads stored bytes; bytes that another program wrote count as empty.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        Self {
            values: serde_json::from_slice(bytes).unwrap_or_default(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.values.is_empty() {
            return Vec::new();
        }
        serde_json::to_vec(&self.values).unwrap_or_default()
    }

    /// Returns the value of a key; `None` when it is absent or of another shape.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.values.get(key)?.get()).ok()
    }

    /// Sets the value of a key.
    pub fn set<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), serde_json::Error> {
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
    fn values_survive_storage() {
        let mut private = PrivateState::default();
        private.set("head", &"abc").unwrap();
        private.set("count", &3).unwrap();
        private.remove("count");
        let stored = PrivateState::decode(&private.encode());
        assert_eq!(stored.get::<String>("head").as_deref(), Some("abc"));
        assert_eq!(stored.get::<u8>("count"), None);
    }

    #[test]
    fn debug_output_shows_keys_alone() {
        let mut private = PrivateState::default();
        private.set("token", &"secret").unwrap();
        assert_eq!(format!("{private:?}"), r#"{"token"}"#);
    }

    #[test]
    fn foreign_bytes_count_as_empty() {
        assert!(PrivateState::decode(b"\x00not json").encode().is_empty());
        assert!(PrivateState::decode(b"").encode().is_empty());
    }
}
