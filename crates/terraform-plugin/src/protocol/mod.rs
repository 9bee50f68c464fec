//! Messages and services on the wire, generated from the files in `proto/` by `cargo xtask proto`.
//!
//! - [`tfplugin6`]: Terraform's provider protocol, major version 6, fields up to 6.11.
//! - [`plugin`]: the services that `hashicorp/go-plugin` expects besides it.
//!
//! RPCs that a service does not implement return `Unimplemented`, which lets older and newer clients detect features. The
//! clients exist only with feature `testing`.
//!
//! `Debug` of messages with users' values shows sizes instead of content: state and configuration contain secrets, and a
//! message may end up in a log line.

use std::fmt;

#[rustfmt::skip]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
pub mod plugin;

#[rustfmt::skip]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
pub mod tfplugin6;

impl fmt::Debug for tfplugin6::DynamicValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DynamicValue")
            .field("msgpack_bytes", &self.msgpack.len())
            .field("json_bytes", &self.json.len())
            .finish()
    }
}

impl fmt::Debug for tfplugin6::RawState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RawState")
            .field("json_bytes", &self.json.len())
            .field("flatmap_entries", &self.flatmap.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::tfplugin6::{DynamicValue, RawState};

    #[test]
    fn debug_output_of_values_shows_sizes_and_no_content() {
        let value = DynamicValue {
            msgpack: "secret".into(),
            json: "secret".into(),
        };
        let state = RawState {
            json: "secret".into(),
            flatmap: [("k".into(), "secret".into())].into(),
        };
        let shown = format!("{value:?} {state:?}");
        assert_eq!(
            shown,
            "DynamicValue { msgpack_bytes: 6, json_bytes: 6 } \
             RawState { json_bytes: 6, flatmap_entries: 1 }"
        );
    }
}
