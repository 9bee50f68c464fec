//! Generates the documentation pages in `docs/` from the schemas and `examples/`.
//!
//! The pages are committed; a test compares them with a fresh run.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use terraform_plugin::docs::{Example, pages};
use terraform_plugin::service::ProviderService;
use terraform_provider_nautes::provider::Nautes;

mod permissions;
#[cfg(test)]
mod tests;

/// The page about the way from a push to a deployment, which nothing is generated in.
const FROM_PUSH_TO_DEPLOYMENT: (&str, &str) = (
    "guides/from-push-to-deployment.md",
    include_str!("from_push_to_deployment.md"),
);

fn main() -> anyhow::Result<()> {
    let pages = render()?;
    let folder = docs();
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    for (name, text) in pages {
        write(&folder.join(name), &text)?;
    }
    Ok(())
}

/// Renders every page; the keys are paths in `docs/`.
fn render() -> anyhow::Result<BTreeMap<String, String>> {
    let service = ProviderService::new(Nautes);
    let failure = Cell::new(None);
    let examples = |folder: &str| {
        examples(folder).unwrap_or_else(|error| {
            failure.set(Some(error));
            Vec::new()
        })
    };
    let pages = pages(&service, "nautes", &examples);
    if let Some(error) = failure.into_inner() {
        return Err(error);
    }
    let schemas = pages.into_iter().map(|page| (page.path, page.text));
    let permissions = (permissions::PATH.to_owned(), permissions::render());
    let (path, text) = FROM_PUSH_TO_DEPLOYMENT;
    let deployment = (path.to_owned(), text.to_owned());
    Ok(schemas.chain([permissions, deployment]).collect())
}

/// Reads the example files in a folder of `examples/`, sorted by name; there are none if it does not exist.
fn examples(folder: &str) -> anyhow::Result<Vec<Example>> {
    let folder = workspace().join("examples").join(folder);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = entries(&folder)?;
    files.sort();
    files
        .iter()
        .map(|file| {
            Ok(Example {
                file_name: file
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                text: read(file)?,
            })
        })
        .collect()
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let failure = || format!("cannot list {}", folder.display());
    fs::read_dir(folder)
        .with_context(failure)?
        .map(|entry| Ok(entry.with_context(failure)?.path()))
        .collect()
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let failure = || format!("cannot write {}", file.display());
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(failure)?;
    }
    fs::write(file, text).with_context(failure)
}

fn docs() -> PathBuf {
    workspace().join("docs")
}

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
