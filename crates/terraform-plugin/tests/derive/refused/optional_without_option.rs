use terraform_plugin::model::Model;

/// A server.
#[derive(Model)]
struct Server {
    /// Name of the server.
    #[tf(optional)]
    name: String,
    /// Region of the server.
    #[tf(optional, default("eu"))]
    region: String,
    /// Zone of the server.
    #[tf(optional)]
    zone: Option<String>,
}

fn main() {}
