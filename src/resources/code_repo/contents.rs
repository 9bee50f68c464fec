//! The contents of a code repository, which guard it against being destroyed by accident.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::model::CodeRepoModel;
use crate::backends::gitlab::Project;
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::resources::deletion_policy::DeletionPolicy;
use crate::resources::work::find_work;

/// Refuses to delete a repository that holds work, unless its attributes permit that or keep it.
pub(super) async fn check(
    client: &Client,
    state: &CodeRepoModel,
    project: &Project,
) -> Result<(), Diagnostics> {
    let keeps_work = state.deletion_policy() != DeletionPolicy::Delete;
    if state.force_destroy == Some(true) || keeps_work {
        return Ok(());
    }
    let path = &project.path_with_namespace;
    let found = find_work(client.gitlab()?, project).await;
    let Some(work) = found.with_context(|| format!("read the contents of {path}"))? else {
        return Ok(());
    };
    let archived = if project.archived { " (archived)" } else { "" };
    let detail = format!(
        "The GitLab project {path}{archived} has {work}. To destroy it with everything in it, set force_destroy = true and apply that before destroying; to keep it in GitLab, set deletion_policy = \"archive\" or \"abandon\" and apply that."
    );
    let summary = format!("The code repository {} holds work", state.name);
    Err(Diagnostic::error(summary, detail).into())
}
