//! The framework as Terraform sees it, on a provider that keeps buckets in memory.

#[expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a provider that exists for tests alone"
)]
mod bucket;
mod failures;
mod lifecycle;
mod validation;
