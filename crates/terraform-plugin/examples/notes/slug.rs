//! A function that derives names from texts.

use terraform_plugin::function::{Arguments, Function, FunctionError, Variadic};

pub(crate) struct Slug;

#[derive(Arguments)]
pub(crate) struct SlugArguments {
    /// Any text.
    text: String,
    /// Words to omit.
    without: Variadic<String>,
}

impl Function for Slug {
    type Arguments = SlugArguments;
    type Output = String;
    const NAME: &'static str = "slug";
    const SUMMARY: &'static str = "Derives the name of a note from a text";
    const DESCRIPTION: &'static str =
        "Derives the name of a note from a text: lower case, with `-` between the words.";

    fn call(&self, arguments: SlugArguments) -> Result<String, FunctionError> {
        let text = arguments.text.to_ascii_lowercase();
        let words = text
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .filter(|word| !arguments.without.0.iter().any(|omitted| omitted == word));
        let slug = words.collect::<Vec<_>>().join("-");
        if slug.is_empty() {
            let text = format!("{text:?} contains no letters or digits");
            return Err(FunctionError::new(text).at("text"));
        }
        Ok(slug)
    }
}
