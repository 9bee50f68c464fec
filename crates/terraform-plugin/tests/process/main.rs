//! The provider process, started and stopped as Terraform does it.
//!
//! Cargo builds the examples `floor` and `faulty` before it runs these tests.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy takes the helpers of tests for code outside of tests"
)]

mod attached;
mod calls;
mod cookie;
mod encryption;
mod end;
mod handshake;
mod logging;
mod signals;
mod support;
