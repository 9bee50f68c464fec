//! P7: what a refresh of 500 entities asks GitLab if the branch has moved.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::json;
use testbed::{Invocation, Method, git};

use super::bench_bed::{Bed, Bench};
use super::bodies;
use super::calls::kinds;
use super::figure::{Figure, Value};
use super::metric::Metric;

const ENTITIES: usize = 500;

/// How many entries GitLab lists at once.
const PAGE: usize = 100;

/// The head of the branch, the group and the project.
const LOOK: usize = 1 + 2;

pub(super) const METRIC: Metric = Metric {
    id: "P7",
    title: "GitLab calls to refresh 500 entities after the branch moved",
    conclusion: "After somebody else's commit, and right after the apply that created them, a plan asks for \
                 the list of files and reads only what differs from what the state knows, and the list of \
                 what is deployed. A GitLab that lists all files in one answer, as recent ones do, saves \
                 the further pages that the target allows.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let bed = bench.bed(&bodies::product_with_entities(ENTITIES))?;
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let clone = folder.path().join("clone");
    clone_configuration(&bed, &clone)?;
    let entries = count_entries(&clone)?;
    let limit = |differing: usize| LOOK + entries.div_ceil(PAGE) + differing;
    let created = bed.calls_of_refresh()?;
    bed.calls_of_apply(&[])?;
    change_one_by_hand(&bed, &clone)?;
    let moved = bed.calls_of_refresh()?;
    Ok(Figure::new(
        vec![
            // The kustomization is all that differs: each commit changed it.
            Value::count(created.count(), limit(1), " calls right after creation"),
            Value::count(
                moved.count(),
                limit(1),
                " calls after one was changed by hand",
            ),
        ],
        format!(
            "one refresh each, {entries} entries in the tree; after the change {}",
            kinds(&moved)
        ),
    ))
}

/// Clones the configuration repository.
fn clone_configuration(bed: &Bed, folder: &Path) -> anyhow::Result<()> {
    let url = format!(
        "{}/{}.git",
        bed.gitlab.url(),
        bodies::CONFIGURATION_REPOSITORY
    );
    Ok(git::clone(&url, bed.gitlab.root_token(), folder)?)
}

/// How many entries GitLab's listing of the tree has: files and folders.
fn count_entries(clone: &Path) -> anyhow::Result<usize> {
    let listing = Invocation::new("git")
        .args(["ls-tree", "-r", "-t", "--name-only", "HEAD"])
        .current_dir(clone)
        .finish()?
        .success()?;
    Ok(listing.stdout.lines().count())
}

fn change_one_by_hand(bed: &Bed, clone: &Path) -> anyhow::Result<()> {
    let file = bodies::FIRST_PROJECT_MANIFEST;
    let manifest =
        fs::read_to_string(clone.join(file)).with_context(|| format!("cannot read {file}"))?;
    let changed = manifest.replace("language: rust", "language: go");
    anyhow::ensure!(
        changed != manifest,
        "{file} does not say its language:\n{manifest}"
    );
    let commit = json!({
        "branch": "main",
        "commit_message": "By hand",
        "actions": [{ "action": "update", "file_path": file, "content": changed }],
    });
    let project = bodies::CONFIGURATION_REPOSITORY.replace('/', "%2F");
    let path = format!("/projects/{project}/repository/commits");
    bed.gitlab.api(Method::POST, &path, Some(&commit))?;
    Ok(())
}
