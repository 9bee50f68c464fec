//! The framework as Terraform sees it, on a provider that keeps buckets in memory.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the provider and the helpers exist for tests alone"
)]

mod actions;
mod bucket;
mod docs;
mod ephemeral_resources;
mod failures;
mod functions;
mod kinds;
mod lifecycle;
mod lists;
mod metadata;
mod validation;
