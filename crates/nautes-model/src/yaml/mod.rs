//! YAML as Nautes writes it.
//!
//! Nautes writes with `sigs.k8s.io/yaml` v1.3.0, which is `gopkg.in/yaml.v2` v2.4.0 behind a
//! detour over JSON. No Rust library makes the same bytes, so this module has an emitter of its
//! own; its folding, quoting and order of keys follow that library, and
//! `tests/golden/go_yaml.json` holds what the library really wrote.
//!
//! Two deviations, both where the Go library writes text that other readers take for something
//! else: strings with a line or paragraph separator (U+2028, U+2029) are double-quoted, and so are
//! decimal numbers too large for 64 bits of floating point. Reading is serde-saphyr's work.

mod key_order;
mod read;
mod resolve;
mod scalar;
mod write;

pub use read::{ReadError, read};
pub use write::write;
