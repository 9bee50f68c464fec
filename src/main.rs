//! Terraform and OpenTofu provider for the Nautes model.

use std::process::ExitCode;

use terraform_plugin::server::{ServeOptions, serve};
use terraform_plugin::service::ProviderService;
use terraform_provider_nautes::provider::Nautes;

fn main() -> ExitCode {
    let options = ServeOptions {
        address: "registry.terraform.io/nautes/nautes",
        version: env!("CARGO_PKG_VERSION"),
        log_targets: &["terraform_provider_nautes"],
        debug: std::env::args().any(|argument| argument == "--debug"),
    };
    serve(&options, ProviderService::new(Nautes))
}
