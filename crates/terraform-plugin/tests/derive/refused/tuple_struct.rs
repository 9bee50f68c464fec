use terraform_plugin::model::Model;

/// A note.
#[derive(Model)]
struct Note(String);

fn main() {}
