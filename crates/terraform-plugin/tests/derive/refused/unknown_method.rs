use terraform_plugin::model::Model;

/// A note.
#[derive(Model)]
struct Note {
    /// Text of the note.
    #[tf(immutable)]
    text: String,
}

fn main() {}
