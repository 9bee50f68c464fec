//! Log lines as Terraform reads them.
//!
//! Terraform parses every line of a provider's standard error as one JSON object of hclog, filters
//! it by level and writes it to its own log. [`install`] makes `tracing` write that format:
//!
//! ```text
//! {"@level":"debug","@message":"served request","@timestamp":"2026-01-31T12:00:00.000000Z",
//!  "@module":"terraform_plugin.server.rpc","@caller":"src/server/rpc.rs:61","tf_rpc":"ReadResource"}
//! ```
//!
//! Fields of an event stand beside those of the spans around it; the inner one wins. Users choose
//! the level by `TF_LOG_PROVIDER_<NAME>`, `TF_LOG_PROVIDER` or `TF_LOG`, the first that is set.
//! Without any of them nothing is installed, and a `tracing` call costs one comparison.
//!
//! Only the targets named by the caller are written. HTTP libraries trace whole headers, with the
//! tokens in them, and these must never reach a log.
//!
//! Source: hashicorp/go-plugin `log_entry.go`, hashicorp/terraform-plugin-go `internal/logging`.

use std::io::Write;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use layer::HclogLayer;
pub use level::level_for;

mod fields;
mod layer;
mod level;
mod line;

/// Starts logging to standard error, if the environment asks for it.
///
/// `provider` is the last part of the provider's address; `targets` are the crates whose events
/// are written, beside those of this framework. A subscriber that is already installed stays.
pub fn install(provider: &str, targets: &'static [&'static str]) {
    let Some(level) = level_for(provider, |name| std::env::var(name).ok()) else {
        return;
    };
    let layer = HclogLayer::new(level, targets, |line| {
        // A log line that cannot be written has nowhere else to go.
        let _ = std::io::stderr().lock().write_all(line);
    });
    // An embedding program that has its own subscriber keeps it.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}
