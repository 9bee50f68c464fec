use terraform_plugin::model::Model;

/// A note.
#[derive(Model)]
struct Note<T> {
    /// Text of the note.
    text: T,
}

fn main() {}
