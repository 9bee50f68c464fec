use terraform_plugin::model::Model;
use terraform_plugin::value::WriteOnly;

/// A server.
#[derive(Model)]
struct Server {
    /// Port of the server.
    #[tf(default("https"))]
    port: u64,
    /// Name of the server.
    #[tf(default(5))]
    name: Option<String>,
    /// Password of the server.
    #[tf(default("secret"))]
    password: WriteOnly<String>,
}

fn main() {}
