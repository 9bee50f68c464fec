//! Log lines in Terraform's format.
//!
//! Terraform parses every line of a provider's standard error as one JSON object of hclog, filters it by level and writes
//! it to its own log. [`install`] makes `tracing` write that format:
//!
//! ```text
//! {"@level":"debug","@message":"served request","@timestamp":"2026-01-31T12:00:00.000000Z",
//!  "@module":"terraform_plugin.server.rpc","@caller":"src/server/rpc.rs:61","tf_rpc":"ReadResource"}
//! ```
//!
//! The fields of an event are merged with those of the spans around it; inner ones take precedence. Users set the level
//! with `TF_LOG_PROVIDER_<NAME>`, `TF_LOG_PROVIDER` or `TF_LOG`, the first that is set. Without any of them nothing is
//! installed, and a `tracing` call costs one comparison.
//!
//! Only the targets that the caller names are written. HTTP libraries log whole headers, including tokens, which must
//! never reach a log.
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

/// Starts logging to standard error if the environment enables it.
///
/// `provider` is the last part of the provider's address. `targets` are the crates whose events are written, in addition
/// to this framework. An existing subscriber stays installed.
pub fn install(provider: &str, targets: &'static [&'static str]) {
    let Some(level) = level_for(provider, |name| std::env::var(name).ok()) else {
        return;
    };
    let layer = HclogLayer::new(level, targets, |line| {
        // If standard error is closed, there is nowhere else to write the line.
        let _ = std::io::stderr().lock().write_all(line);
    });
    // An embedding program may have its own subscriber.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}
