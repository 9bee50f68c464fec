use terraform_plugin::model::Model;

/// A note.
#[derive(Model)]
enum Note {
    Short,
    Long,
}

fn main() {}
