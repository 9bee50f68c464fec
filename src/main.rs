//! Terraform and OpenTofu provider for the Nautes model.

use std::io::Write as _;
use std::process::ExitCode;

use terraform_plugin::server::{ServeOptions, serve};
use terraform_plugin::service::ProviderService;
use terraform_provider_nautes::provider::Nautes;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--version") {
        let version = concat!("terraform-provider-nautes ", env!("CARGO_PKG_VERSION"));
        return match writeln!(std::io::stdout(), "{version}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let options = ServeOptions {
        address: "registry.terraform.io/nautes/nautes",
        version: env!("CARGO_PKG_VERSION"),
        log_targets: &["terraform_provider_nautes"],
        debug: std::env::args().any(|argument| argument == "--debug"),
    };
    serve(&options, ProviderService::new(Nautes))
}
