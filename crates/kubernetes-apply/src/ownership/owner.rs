//! Under which name objects are applied, and by which label they are known.

use crate::object::Object;

/// Who applies objects.
///
/// Every applied object carries the label; it is the proof that an object may be changed, and what objects
/// are listed by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The name under which the server records which fields are applied.
    pub field_manager: FieldManager,
    /// The label of every object.
    pub label: Label,
}

/// The name of a field manager: 1 to 128 printable characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldManager(String);

/// A label and its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    key: String,
    value: String,
}

/// Why a name or label cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidOwner {
    /// The name of the field manager is empty, too long or not printable.
    #[error("the name of a field manager has 1 to 128 printable characters")]
    FieldManager,
    /// The label is not one.
    #[error(
        "a label has a key such as example.com/part-of, and as value at most 63 letters, digits, hyphens, \
         underscores and dots that begin and end with a letter or digit"
    )]
    Label,
}

impl FieldManager {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, InvalidOwner> {
        let printable = name.chars().all(|character| !character.is_control());
        if name.is_empty() || name.len() > 128 || !printable {
            return Err(InvalidOwner::FieldManager);
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Label {
    /// Checks a label.
    pub fn new(key: &str, value: &str) -> Result<Self, InvalidOwner> {
        let (prefix, name) = match key.split_once('/') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, key),
        };
        let is_prefix = |prefix: &str| prefix.len() <= 253 && prefix.split('.').all(is_name);
        let valid =
            is_name(name) && prefix.is_none_or(is_prefix) && (value.is_empty() || is_name(value));
        valid.then_some(()).ok_or(InvalidOwner::Label)?;
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }

    /// Returns the key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns whether an object carries the label.
    pub fn is_on(&self, object: &Object) -> bool {
        object.label(&self.key) == Some(&self.value)
    }

    /// Puts the label on an object.
    pub(crate) fn put_on(&self, object: &mut Object) {
        object.set_label(&self.key, &self.value);
    }

    /// Returns the selector of objects with this label.
    pub(crate) fn selector(&self) -> String {
        format!("{}={}", self.key, self.value)
    }
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    text.len() <= 63
        && bytes.iter().all(is_inner)
        && ends
            .iter()
            .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_server_would_refuse_are_refused() {
        assert!(FieldManager::new("terraform-provider-nautes").is_ok());
        assert!(FieldManager::new("tf/deployment/shop/web").is_ok());
        for name in ["", "a\nb", &"a".repeat(129)] {
            assert_eq!(FieldManager::new(name), Err(InvalidOwner::FieldManager));
        }
        assert!(Label::new("app.kubernetes.io/managed-by", "tool").is_ok());
        assert!(Label::new("tier", "").is_ok());
        for (key, value) in [
            ("", "a"),
            ("a/b/c", "d"),
            ("/a", "b"),
            ("a", "-b"),
            ("a", "b c"),
            ("a", &"b".repeat(64)),
        ] {
            assert_eq!(
                Label::new(key, value),
                Err(InvalidOwner::Label),
                "{key}={value}"
            );
        }
    }
}
