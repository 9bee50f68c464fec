//! Whether people have put work into a GitLab project.

use std::collections::BTreeSet;

use crate::backends::gitlab::{EntryType, Error, GitLab, Project};

/// The file with which GitLab initializes a repository.
pub(crate) const README: &str = "README.md";

/// Looks for more than the one commit of a README with which a repository begins, and describes what
/// it finds.
pub(crate) async fn find_work(
    gitlab: &GitLab,
    project: &Project,
) -> Result<Option<&'static str>, Error> {
    // GitLab calls a repository empty that has tags and no branch.
    if !project.empty_repo
        && let Some(work) = find_commits(gitlab, project.id).await?
    {
        return Ok(Some(work));
    }
    let tags = match gitlab.tags(project.id).await {
        // Nobody has pushed to it, so GitLab may not have made its repository.
        Err(error) if project.empty_repo && error.is_not_found() => return Ok(None),
        tags => tags?,
    };
    Ok(Some("tags").filter(|_| !tags.is_empty()))
}

async fn find_commits(gitlab: &GitLab, project: u64) -> Result<Option<&'static str>, Error> {
    let branches = gitlab.branches(project).await?;
    let heads: BTreeSet<&str> = branches.iter().map(|b| b.commit.id.as_str()).collect();
    let Some(head) = heads.first() else {
        return Ok(None);
    };
    if heads.len() > 1 {
        return Ok(Some("branches with different commits"));
    }
    if gitlab.commits(project, head, 1).await?.len() > 1 {
        return Ok(Some("more than one commit"));
    }
    let files = gitlab.tree(project, head).await?;
    let mut files = files
        .iter()
        .filter(|entry| entry.entry_type != EntryType::Tree);
    let has_others = files.any(|file| file.path != README);
    Ok(has_others.then_some("files besides its README"))
}
