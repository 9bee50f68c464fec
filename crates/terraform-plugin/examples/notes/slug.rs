//! A function that makes names of texts.

use terraform_plugin::function::{Arguments, Function, FunctionError, Variadic};

pub(crate) struct Slug;

#[derive(Arguments)]
pub(crate) struct SlugArguments {
    /// Any text.
    text: String,
    /// Words to leave out.
    without: Variadic<String>,
}

impl Function for Slug {
    type Arguments = SlugArguments;
    type Output = String;
    const NAME: &'static str = "slug";
    const SUMMARY: &'static str = "Makes the name of a note of a text";
    const DESCRIPTION: &'static str =
        "Makes the name of a note of a text: lower case, with `-` between the words.";

    fn call(&self, arguments: SlugArguments) -> Result<String, FunctionError> {
        let text = arguments.text.to_ascii_lowercase();
        let words = text
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .filter(|word| !arguments.without.0.iter().any(|omitted| omitted == word));
        let slug = words.collect::<Vec<_>>().join("-");
        if slug.is_empty() {
            let text = format!("{text:?} has no word that could be part of a name");
            return Err(FunctionError::new(text).at("text"));
        }
        Ok(slug)
    }
}
