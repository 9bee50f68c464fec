//! Generates the protocol code of `terraform-plugin` from the files in `proto/`.
//!
//! The output is committed, so that a build needs neither `protoc` nor this task; a test compares
//! it with a fresh run. `protox` compiles the descriptors, `tonic-prost-build` writes the Rust.

use std::path::{Path, PathBuf};

use tonic_prost_build::FileDescriptorSet;

#[cfg(test)]
mod tests;

/// Protocol files, relative to the `proto` folder.
const FILES: [&str; 2] = ["tfplugin6.proto", "goplugin.proto"];

/// Messages that carry users' values; their `Debug` is written by hand and shows sizes alone.
const REDACTED: [&str; 2] = [".tfplugin6.DynamicValue", ".tfplugin6.RawState"];

/// Why the protocol code could not be generated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file in `proto/` does not compile.
    #[error("compiling the protocol files in {}", folder.display())]
    Compile {
        /// Folder of the protocol files.
        folder: PathBuf,
        /// What the compiler reports.
        #[source]
        source: Box<protox::Error>,
    },
    /// The Rust files could not be written.
    #[error("writing the protocol code to {}", folder.display())]
    Write {
        /// Folder meant to hold the code.
        folder: PathBuf,
        /// What the file system reports.
        #[source]
        source: std::io::Error,
    },
}

/// Folder that holds the committed protocol code.
pub(crate) fn committed() -> PathBuf {
    workspace().join("crates/terraform-plugin/src/protocol")
}

/// Writes one Rust file per protobuf package into `folder`, replacing what is there.
pub(crate) fn generate(folder: &Path) -> Result<(), Error> {
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
        .map_err(|source| Error::Write {
            folder: folder.to_path_buf(),
            source,
        })
}

/// The compiled protocol files, with those that they import.
fn descriptors() -> Result<FileDescriptorSet, Error> {
    let folder = workspace().join("proto");
    protox::compile(FILES, [&folder]).map_err(|source| Error::Compile {
        folder,
        source: Box::new(source),
    })
}

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
