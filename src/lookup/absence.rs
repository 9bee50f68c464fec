//! Whether something that GitLab does not find is gone. It answers 404 also about what the owner of
//! the token may not see, and about what is on another GitLab.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::Products;
use crate::backends::gitlab::{Error, Group};
use crate::diagnostics::Context as _;

impl Products {
    /// Checks that what a state describes of a product is on this GitLab, by the web page in the state:
    /// a 404 of another GitLab proves nothing. `false` if no state has told a page.
    async fn is_on_this_gitlab(&self, id: ProductId, what: &str) -> Result<bool, Diagnostics> {
        let Some(web_url) = self.web_url(id) else {
            return Ok(false);
        };
        let user = self.current_user().await;
        let user = user.with_context(|| attempt(what))?;
        if user.is_beside(&web_url) {
            return Ok(true);
        }
        let own = user.web_url.as_deref().unwrap_or("no address");
        let detail = format!(
            "The state has the address {web_url}, and this GitLab gives {own} as the page of the owner of the provider argument gitlab.token. What this GitLab does not find is not gone from another one: nothing was deleted, and the state is kept. Check the provider argument gitlab.url. If this GitLab has got a new address and {what} is gone for certain, take it out of the state: terraform state rm <address>."
        );
        let summary = format!("The state has {what} on another GitLab");
        Err(Diagnostic::error(summary, detail).into())
    }

    /// Checks that something that GitLab does not find was on this GitLab, as far as a state tells it.
    /// `what` is the thing with its kind and number.
    pub(super) async fn require_this_gitlab(
        &self,
        id: ProductId,
        what: &str,
    ) -> Result<(), Diagnostics> {
        if self.is_on_this_gitlab(id, what).await? {
            return Ok(());
        }
        Err(unproven(
            what,
            "The state does not say on which GitLab it was, so this does not prove that it is gone.",
        ))
    }

    /// Checks that a product of which the state of something in it tells no more than the number is
    /// gone: this process has deleted it, or a state tells that it was on this GitLab.
    pub(crate) async fn require_gone_here(&self, id: ProductId) -> Result<(), Diagnostics> {
        if self.is_deleted(id) {
            return Ok(());
        }
        self.require_this_gitlab(id, &group_name(id)).await
    }

    /// Checks that something that was not found in a group is gone: the owner of the token sees
    /// everything in the group. `what` is the thing with its kind and number.
    pub(crate) async fn confirm_gone_from(
        &self,
        group: &Group,
        what: &str,
    ) -> Result<(), Diagnostics> {
        let sees_all = self.gitlab.sees_projects_of(group).await;
        if sees_all.with_context(|| attempt(what))? {
            return Ok(());
        }
        Err(hidden(what, &group.full_path))
    }

    /// Checks that a group that was not found is gone: the owner of the token sees everything in
    /// its parent group, or is an administrator, or it was a top-level group whose path is free.
    /// The last proves too little for deletions: see [`Self::prove_gone`].
    pub(super) async fn confirm_group_gone(&self, id: ProductId) -> Result<(), Diagnostics> {
        self.is_on_this_gitlab(id, &group_name(id)).await?;
        let Err(unproven) = self.prove_gone(id).await else {
            return Ok(());
        };
        let full_path = self.last_full_path(id);
        let Some(top_level) = full_path.filter(|path| !path.contains('/')) else {
            return Err(unproven);
        };
        let exists = self.gitlab.top_level_path_exists(&top_level).await;
        if exists.with_context(|| attempt(&group_name(id)))? {
            return Err(unproven);
        }
        Ok(())
    }

    /// Checks that a group that was not found is gone, beyond what a free path tells: it may have
    /// been renamed and be hidden.
    pub(crate) async fn prove_gone(&self, id: ProductId) -> Result<(), Diagnostics> {
        self.is_on_this_gitlab(id, &group_name(id)).await?;
        let parent = match self.last_full_path(id) {
            Some(path) => path.rsplit_once('/').map(|(parent, _)| parent.to_owned()),
            None => self.parent_path.clone(),
        };
        let is_proven = async {
            if let Some(parent) = parent.as_deref()
                && let Some(parent) = if_found(self.gitlab.group(parent).await)?
            {
                return self.gitlab.sees_contents_of(parent.id).await;
            }
            self.gitlab.acts_as_administrator().await
        };
        if is_proven.await.with_context(|| attempt(&group_name(id)))? {
            return Ok(());
        }
        Err(match parent {
            Some(parent) => hidden(&group_name(id), &parent),
            None => hidden_at_top_level(id),
        })
    }
}

fn if_found(group: Result<Group, Error>) -> Result<Option<Group>, Error> {
    match group {
        Err(error) if error.is_not_found() => Ok(None),
        answered => answered.map(Some),
    }
}

fn attempt(what: &str) -> String {
    format!("find out whether {what} is gone")
}

fn group_name(id: ProductId) -> String {
    format!("the GitLab group of {id}")
}

/// Returns the error of something that may only be hidden.
fn hidden(what: &str, group: &str) -> Diagnostics {
    unproven(
        what,
        &format!(
            "The owner is not a member of the group {group}, or GitLab shows it no private project of that group, so this does not prove that it is gone. Make the owner a member, with any role from Guest up, and wait a few minutes; where the group has no private project left, an administrator's token tells."
        ),
    )
}

fn hidden_at_top_level(id: ProductId) -> Diagnostics {
    unproven(
        &group_name(id),
        "It was a top-level group, and the owner is no administrator, so this does not prove that it is gone. Make the owner a member of the group if it still exists.",
    )
}

fn unproven(what: &str, reason: &str) -> Diagnostics {
    let detail = format!(
        "GitLab answered 404, as it also does about what the owner of the provider argument gitlab.token may not see. {reason} Nothing was deleted, and the state is kept. If it is gone for certain, take it out of the state: terraform state rm <address>."
    );
    Diagnostic::error(format!("Cannot see {what}"), detail).into()
}
