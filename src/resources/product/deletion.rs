//! The deletion of a product's group, which GitLab keeps until its recovery period is over.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::Diagnostics;

use crate::backends::gitlab::{GitLab, Group, Kind};
use crate::client::Client;
use crate::diagnostics::Context as _;

/// A group that GitLab keeps until its recovery period is over.
#[derive(Debug)]
pub(crate) struct PendingDeletion {
    /// The group as it is kept.
    group: Group,
    removal: Removal,
}

/// Whether a group was to be removed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Removal {
    NotWanted,
    /// GitLab's API does not do that for a top-level group (GitLab `lib/api/groups.rb`).
    OfTopLevel,
    /// The instance does not permit it.
    Refused,
}

/// Deletes a group with everything in it, at once if that is wanted and GitLab permits it. Returns
/// the group if GitLab keeps it.
pub(crate) async fn delete(
    client: &Client,
    group: &Group,
    at_once: bool,
) -> Result<Option<PendingDeletion>, Diagnostics> {
    let gitlab = client.gitlab()?;
    match gitlab.delete_group(group.id).await {
        Ok(()) => {}
        Err(error) if *error.kind() == Kind::AlreadyMarked => {}
        Err(error) if error.is_not_found() && is_gone(client, group).await? => {}
        Err(error) => {
            return Err(error)
                .with_context(|| format!("delete the GitLab group {}", group.full_path));
        }
    }
    client.products()?.record_deleted(ProductId::new(group.id));
    let kept = match gitlab.group(group.id).await {
        Ok(kept) => kept,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("read the GitLab group {}", group.id));
        }
    };
    let removal = match (at_once, kept.parent_id) {
        (false, _) => Removal::NotWanted,
        (true, None) => Removal::OfTopLevel,
        (true, Some(_)) if remove(gitlab, &kept).await? => return Ok(None),
        (true, Some(_)) => Removal::Refused,
    };
    Ok(Some(PendingDeletion {
        group: kept,
        removal,
    }))
}

/// Whether a group is gone that GitLab did not find when it was to be deleted: the owner of the token
/// may have lost the sight of it in the meantime, which is an error.
async fn is_gone(client: &Client, group: &Group) -> Result<bool, Diagnostics> {
    match client.gitlab()?.group(group.id).await {
        Ok(found) => Ok(found.is_marked_for_deletion()),
        Err(error) if error.is_not_found() => {
            let products = client.products()?;
            products.prove_gone(ProductId::new(group.id)).await?;
            Ok(true)
        }
        Err(error) => {
            Err(error).with_context(|| format!("read the GitLab group {}", group.full_path))
        }
    }
}

/// Removes a subgroup that is marked for deletion; `false` if GitLab does not permit it.
async fn remove(gitlab: &GitLab, marked: &Group) -> Result<bool, Diagnostics> {
    match gitlab.remove_group(marked.id, &marked.full_path).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_not_found() => Ok(true),
        Err(error) if *error.kind() == Kind::Invalid => Ok(false),
        Err(error) => {
            Err(error).with_context(|| format!("remove the GitLab group {}", marked.full_path))
        }
    }
}

impl PendingDeletion {
    /// Describes until when the group is kept, and whether its former path is free.
    pub(crate) fn detail(&self, former_path: &str) -> String {
        let path = &self.group.full_path;
        // How long the period is only administrators may ask.
        let kept = match &self.group.marked_for_deletion_on {
            Some(date) => format!(
                "Its group was marked for deletion on {date}, and goes when the instance's recovery period is over (30 days by default)."
            ),
            None => {
                "GitLab deletes its group now, or with a parent group that is marked for deletion."
                    .to_owned()
            }
        };
        let place = if path == former_path {
            format!("Until then it keeps its path {path}, which no other product can have.")
        } else {
            format!("Until then it is {path}; its former path is free.")
        };
        let removal = match self.removal {
            Removal::NotWanted => "",
            Removal::OfTopLevel => {
                " It is not removed at once, because GitLab's API does that for subgroups alone."
            }
            Removal::Refused => {
                " It is not removed at once, because this GitLab does not permit it."
            }
        };
        format!("{kept} {place}{removal}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::gitlab::Visibility;

    fn pending(path: &str, marked_on: Option<&str>, removal: Removal) -> PendingDeletion {
        let group = Group {
            id: 12,
            name: "shop".to_owned(),
            path: path.to_owned(),
            full_path: path.to_owned(),
            parent_id: None,
            description: None,
            visibility: Visibility::Private,
            web_url: String::new(),
            created_at: String::new(),
            marked_for_deletion_on: marked_on.map(str::to_owned),
        };
        PendingDeletion { group, removal }
    }

    #[test]
    fn what_remains_is_told_with_its_new_path_and_the_date_of_its_marking() {
        let renamed = "shop-deletion_scheduled-12";
        let detail = pending(renamed, Some("2026-11-24"), Removal::NotWanted).detail("shop");
        assert!(detail.contains("on 2026-11-24") && detail.contains(renamed));
        assert!(detail.ends_with("its former path is free."), "{detail}");
    }

    #[test]
    fn a_group_that_keeps_its_path_is_told_to_block_it() {
        let detail = pending("shop", Some("2026-11-24"), Removal::NotWanted).detail("shop");
        assert!(
            detail.ends_with("which no other product can have."),
            "{detail}"
        );
    }

    #[test]
    fn a_removal_that_was_wanted_in_vain_is_told_with_the_reason() {
        for (removal, reason) in [
            (Removal::OfTopLevel, "for subgroups alone."),
            (Removal::Refused, "does not permit it."),
        ] {
            let detail = pending("shop-x", Some("2026-11-24"), removal).detail("shop");
            assert!(detail.ends_with(reason), "{detail}");
        }
    }

    #[test]
    fn a_group_without_a_mark_is_deleted_now_or_with_its_parent() {
        let detail = pending("a-x/shop", None, Removal::NotWanted).detail("a-x/shop");
        assert!(detail.contains("with a parent group"), "{detail}");
    }
}
