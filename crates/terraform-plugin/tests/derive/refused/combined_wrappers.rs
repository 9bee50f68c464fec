use terraform_plugin::function::Arguments;
use terraform_plugin::model::Model;
use terraform_plugin::value::{Tf, WriteOnly};

/// A note.
#[derive(Model)]
struct Note {
    /// Text of the note.
    text: Option<Tf<String>>,
    /// Secrets of the note.
    secrets: Vec<WriteOnly<String>>,
}

#[derive(Arguments)]
struct SlugArguments {
    /// Text of the slug.
    text: Option<Option<String>>,
}

fn main() {}
