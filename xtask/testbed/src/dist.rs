//! Packs the provider for one platform, with the file names and contents that registries require.
//!
//! The archives are reproducible: the same executable gives the same bytes. The owner of the key signs the
//! checksums.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};
use testbed::cargo::{self, Executable};
use testbed::progress::{say, step};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::static_target::{Profile, StaticTarget};

const NAME: &str = "terraform-provider-nautes";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Builds the release and packs it into `target/dist`.
pub(crate) fn run() -> anyhow::Result<()> {
    let target = StaticTarget::for_this_machine()?;
    say(&format!("Building for release, {}", target.linkage()));
    let executable = target.build(Executable::PROVIDER, Profile::Release)?;
    let folder = cargo::target_folder().join("dist");
    let packed = step("Packing", || pack(&executable, &folder))?;
    for file in packed {
        say(&format!("  {}", file.display()));
    }
    Ok(())
}

/// Packs an executable into a folder and returns the files: archive, manifest and checksums.
fn pack(executable: &Path, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let release = format!("{NAME}_{VERSION}");
    let archive = folder.join(format!("{release}_{}.zip", testbed::platform()));
    write_archive(executable, &archive)?;
    let manifest = folder.join(format!("{release}_manifest.json"));
    let source = cargo::workspace_root().join("terraform-registry-manifest.json");
    fs::copy(&source, &manifest).with_context(|| format!("cannot copy {}", source.display()))?;
    let mut sums = String::new();
    for file in [&archive, &manifest] {
        let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        for byte in Sha256::digest(content) {
            let _ = write!(sums, "{byte:02x}");
        }
        let _ = writeln!(sums, "  {name}");
    }
    let checksums = folder.join(format!("{release}_SHA256SUMS"));
    fs::write(&checksums, sums).with_context(|| format!("cannot write {}", checksums.display()))?;
    Ok(vec![archive, manifest, checksums])
}

/// Writes an archive that contains only the executable, under its released name and without a time stamp.
fn write_archive(executable: &Path, archive: &Path) -> anyhow::Result<()> {
    let content =
        fs::read(executable).with_context(|| format!("cannot read {}", executable.display()))?;
    let file =
        File::create(archive).with_context(|| format!("cannot create {}", archive.display()))?;
    let mut writer = ZipWriter::new(file);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o755);
    writer.start_file(format!("{NAME}_v{VERSION}"), options)?;
    writer.write_all(&content)?;
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use testbed::{CliConfig, Provider, Terraform, Workspace};

    use super::*;

    const LOCK_FILE: &str = ".terraform.lock.hcl";

    #[test]
    fn the_static_archive_installs_from_a_filesystem_mirror_and_keeps_the_lock_file() {
        let target = StaticTarget::for_this_machine().unwrap();
        let executable = target.build(Executable::PROVIDER, Profile::Dev).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let terraform = Terraform::obtain().unwrap();
        let mirror = folder.path().join("mirror");
        let packages = mirror.join(terraform.registry_host()).join("nautes/nautes");
        pack(&executable, &packages).unwrap();
        let provider = Provider::nautes(&executable);
        let workspace = Workspace::new(terraform, &provider).unwrap();
        let configuration = folder.path().join("mirror.tfrc");
        CliConfig::filesystem_mirror(&mirror)
            .write(&configuration)
            .unwrap();
        let workspace = workspace.env("TF_CLI_CONFIG_FILE", &configuration);
        let requirement = provider.requirement();
        workspace
            .write(
                "main.tf",
                &format!("{requirement}provider \"nautes\" {{}}\n"),
            )
            .unwrap();
        let lock = || {
            workspace.run(["init", "-input=false"]).unwrap();
            fs::read_to_string(workspace.path().join(LOCK_FILE)).unwrap()
        };
        let first = lock();
        assert!(
            first.contains(&format!("version = \"{VERSION}\"")),
            "{first}"
        );
        fs::remove_dir_all(workspace.path().join(".terraform")).unwrap();
        assert_eq!(lock(), first, "a second installation changes nothing");
        let shown = workspace.run(["providers", "schema", "-json"]).unwrap();
        assert!(
            shown.stdout().contains("nautes_product"),
            "the installed program runs"
        );
    }

    #[test]
    fn the_same_executable_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("program");
        fs::write(&executable, "content").unwrap();
        let packed = |name: &str| {
            let files = pack(&executable, &folder.path().join(name)).unwrap();
            files
                .iter()
                .map(|file| fs::read(file).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(packed("a"), packed("b"));
    }
}
