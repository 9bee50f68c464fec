//! The framework as Terraform sees it, on a provider that keeps buckets in memory.

mod actions;
#[expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a provider that exists for tests alone"
)]
mod bucket;
mod ephemeral_resources;
mod failures;
mod functions;
#[expect(clippy::unwrap_used, reason = "a provider that exists for tests alone")]
mod kinds;
mod lifecycle;
mod lists;
mod metadata;
mod validation;
