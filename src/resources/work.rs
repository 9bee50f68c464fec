//! Whether people have put work into a GitLab project.

use std::collections::BTreeSet;

use crate::backends::gitlab::{EntryType, Error, GitLab};

/// The file with which GitLab initializes a repository.
pub(crate) const README: &str = "README.md";

/// Looks for more than the one commit of a README with which a repository begins, and describes what
/// it finds.
pub(crate) async fn find_work(
    gitlab: &GitLab,
    project: u64,
) -> Result<Option<&'static str>, Error> {
    let branches = gitlab.branches(project).await?;
    let heads: BTreeSet<&str> = branches.iter().map(|b| b.commit.id.as_str()).collect();
    match (heads.len(), heads.first()) {
        (0, _) | (_, None) => {}
        (1, Some(head)) => {
            if gitlab.commits(project, head, 1).await?.len() > 1 {
                return Ok(Some("more than one commit"));
            }
            let files = gitlab.tree(project, head).await?;
            let is_other = |path: &str| path != README;
            let mut files = files
                .iter()
                .filter(|entry| entry.entry_type != EntryType::Tree);
            if files.any(|file| is_other(&file.path)) {
                return Ok(Some("files besides its README"));
            }
        }
        _ => return Ok(Some("branches with different commits")),
    }
    let tags = gitlab.tags(project).await?;
    Ok(Some("tags").filter(|_| !tags.is_empty()))
}
