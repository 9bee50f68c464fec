//! An error and its causes in one sentence.

use std::error::Error;

/// Joins an error and its causes into one sentence without a full stop.
pub(crate) fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.trim_end_matches('.').to_owned()
}

/// Returns an error and its causes as a sentence of their own.
pub(crate) fn sentence(error: &dyn Error) -> String {
    format!("{}.", capitalized(&error_chain(error)))
}

/// Returns a text with a capital first letter.
pub(crate) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}
