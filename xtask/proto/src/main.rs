//! Generates the protocol code of `terraform-plugin` from the files in `proto/`.
//!
//! The output is committed, so that a build needs neither `protoc` nor this task; a test compares
//! it with a fresh run. `protox` compiles the descriptors, `tonic-prost-build` writes the Rust.

use std::path::{Path, PathBuf};

use anyhow::Context;
use tonic_prost_build::FileDescriptorSet;

#[cfg(test)]
mod tests;

/// Protocol files, relative to the `proto` folder.
const FILES: [&str; 2] = ["tfplugin6.proto", "goplugin.proto"];

/// Messages that carry users' values. Their `Debug` is written by hand and shows only sizes.
const REDACTED: [&str; 2] = [".tfplugin6.DynamicValue", ".tfplugin6.RawState"];

fn main() -> anyhow::Result<()> {
    generate(&committed())
}

/// Returns the folder of the committed protocol code.
fn committed() -> PathBuf {
    workspace().join("crates/terraform-plugin/src/protocol")
}

/// Writes one Rust file per protobuf package into `folder` and overwrites existing files.
fn generate(folder: &Path) -> anyhow::Result<()> {
    tonic_prost_build::configure()
        .out_dir(folder)
        .emit_rerun_if_changed(false)
        .build_transport(false)
        .generate_default_stubs(true)
        .client_mod_attribute(".", "#[cfg(feature = \"testing\")]")
        .btree_map(".")
        .bytes(".")
        .skip_debug(REDACTED)
        .compile_fds(descriptors()?)
        .with_context(|| format!("cannot write the protocol code to {}", folder.display()))
}

/// Compiles the protocol files and their imports.
fn descriptors() -> anyhow::Result<FileDescriptorSet> {
    let folder = workspace().join("proto");
    protox::compile(FILES, [&folder])
        .with_context(|| format!("cannot compile the protocol files in {}", folder.display()))
}

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
