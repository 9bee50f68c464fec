use terraform_plugin::model::Model;

/// Attributes of every resource.
#[derive(Model)]
struct Common {
    /// Password.
    password: String,
}

/// A note.
#[derive(Model)]
struct Note {
    /// Attributes of every resource.
    #[tf(sensitive, flatten)]
    before: Common,
    /// Attributes of every resource.
    #[tf(flatten, replace, deprecated("Use another."))]
    after: Common,
    /// Attributes of every resource.
    #[tf(flatten)]
    #[tf(sensitive)]
    apart: Common,
    /// Attributes of every resource.
    #[tf(flatten("common"))]
    arguments: Common,
}

fn main() {}
