use terraform_plugin::model::Model;

/// A password.
#[derive(Model)]
#[tf(sensitive)]
struct Password {
    /// Text of the password.
    text: String,
}

fn main() {}
