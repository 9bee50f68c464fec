//! YAML as Nautes writes it.
//!
//! Nautes writes with `sigs.k8s.io/yaml` v1.3.0, which converts to JSON and then uses
//! `gopkg.in/yaml.v2` v2.4.0. No Rust library produces the same bytes, so this module has its own
//! emitter: folding, quoting and key order follow that library, and `tests/golden/go_yaml.json`
//! holds its actual output.
//!
//! The emitter deviates in two cases, where other parsers misread the Go library's output: it
//! double-quotes strings with a line or paragraph separator (U+2028, U+2029), and strings that are
//! decimal numbers too large for 64-bit floating point. Parsing is left to serde-saphyr.

mod key_order;
mod read;
mod resolve;
mod scalar;
mod write;

pub use read::{ReadError, read};
pub use write::write;
