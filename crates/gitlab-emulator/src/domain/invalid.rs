//! Validation errors of a record: messages by field, in the order found.

use super::switches::HashStyle;

/// The errors of a record that was not saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the record is invalid")]
pub struct Invalid {
    fields: Vec<(String, Vec<String>)>,
}

impl Invalid {
    /// Creates an error with one message.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let mut invalid = Self::default();
        invalid.add(field, message);
        invalid
    }

    /// Adds a message to a field.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        let message = message.into();
        match self.fields.iter_mut().find(|(name, _)| name == field) {
            Some((_, messages)) => messages.push(message),
            None => self.fields.push((field.to_owned(), vec![message])),
        }
    }

    /// Returns whether there is no error.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Returns `Ok` if there is no error.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Returns the messages by field.
    pub fn fields(&self) -> &[(String, Vec<String>)] {
        &self.fields
    }

    /// Formats the errors like Ruby's `Hash#inspect`.
    pub fn inspect(&self, style: HashStyle) -> String {
        let entries: Vec<String> = self
            .fields
            .iter()
            .map(|(field, messages)| {
                let messages: Vec<String> = messages
                    .iter()
                    .map(|message| format!("{message:?}"))
                    .collect();
                let messages = messages.join(", ");
                match style {
                    HashStyle::Arrow => format!(":{field}=>[{messages}]"),
                    HashStyle::Label => format!("{field}: [{messages}]"),
                }
            })
            .collect();
        format!("{{{}}}", entries.join(", "))
    }

    /// Formats the errors like Rails' `full_messages`: `Name can't be blank`.
    pub fn full_messages(&self) -> Vec<String> {
        self.fields
            .iter()
            .flat_map(|(field, messages)| {
                messages.iter().map(move |message| {
                    if field == "base" {
                        message.clone()
                    } else {
                        format!("{} {message}", humanize(field))
                    }
                })
            })
            .collect()
    }
}

/// Formats a field like Rails' `humanize`: `expires_at` becomes `Expires at`.
fn humanize(field: &str) -> String {
    let words = field.replace('_', " ");
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_formatted_like_ruby_hashes() {
        let mut invalid = Invalid::field("path", "has already been taken");
        invalid.add("name", "is \"odd\"");
        assert_eq!(
            invalid.inspect(HashStyle::Arrow),
            r#"{:path=>["has already been taken"], :name=>["is \"odd\""]}"#
        );
        assert_eq!(
            invalid.inspect(HashStyle::Label),
            r#"{path: ["has already been taken"], name: ["is \"odd\""]}"#
        );
        assert_eq!(
            invalid.full_messages(),
            ["Path has already been taken", "Name is \"odd\""]
        );
    }
}
