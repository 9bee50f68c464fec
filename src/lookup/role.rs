//! What the owner of the token may do, asked before the first effect of what would otherwise stop
//! half-way.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::Products;
use crate::backends::gitlab::{AccessLevel, CurrentUser, Error, Group, Member, Project};
use crate::diagnostics::Context as _;

/// The summary and the detail of a warning: the owner of the token has a custom role, or none that
/// GitLab shows, so that only GitLab knows whether it is enough.
type UnknownRole = (String, String);

impl Products {
    /// Checks that the owner of the token has a role in a project. Fails if it has a lower one, and
    /// returns a warning if it may have one.
    pub(crate) async fn require_project_role(
        &self,
        project: &Project,
        needed: AccessLevel,
        attempt: &str,
    ) -> Result<Option<UnknownRole>, Diagnostics> {
        let member = async {
            self.gitlab
                .project_member(project.id, self.user().await?)
                .await
        };
        let of = ("project", project.path_with_namespace.as_str());
        self.check_role(member.await, needed, of, attempt).await
    }

    /// Checks that the owner of the token has a role in a group. Fails if it has a lower one, and
    /// returns a warning if it may have one.
    pub(crate) async fn require_group_role(
        &self,
        group: &Group,
        needed: AccessLevel,
        attempt: &str,
    ) -> Result<Option<UnknownRole>, Diagnostics> {
        let member = async { self.gitlab.group_member(group.id, self.user().await?).await };
        let of = ("group", group.full_path.as_str());
        self.check_role(member.await, needed, of, attempt).await
    }

    async fn check_role(
        &self,
        member: Result<Option<Member>, Error>,
        needed: AccessLevel,
        (noun, path): (&str, &str),
        attempt: &str,
    ) -> Result<Option<UnknownRole>, Diagnostics> {
        let asked = || format!("find out whether the provider may {attempt}");
        let member = member.with_context(asked)?;
        if member
            .as_ref()
            .is_some_and(|member| member.access_level >= needed)
        {
            return Ok(None);
        }
        let acts_as_administrator = || self.gitlab.acts_as_administrator();
        let is_administrator = self.is_administrator.get_or_try_init(acts_as_administrator);
        if *is_administrator.await.with_context(asked)? {
            return Ok(None);
        }
        match member {
            Some(member) if !member.has_custom_role() => {
                let role = member.access_level;
                let detail = format!(
                    "It needs the role {needed} on the GitLab {noun} {path}, and the owner of the provider argument gitlab.token has the role {role} there. Nothing was changed. Give that owner the role {needed}, or use the token of somebody who has it."
                );
                Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into())
            }
            Some(_) | None => Ok(Some((
                format!("The token may lack the right to {attempt}"),
                format!(
                    "GitLab shows no plain role of its owner on {path}. The role {needed} is needed."
                ),
            ))),
        }
    }

    async fn user(&self) -> Result<u64, Error> {
        Ok(self.current_user().await?.id)
    }

    /// Returns the owner of the token.
    pub(super) async fn current_user(&self) -> Result<&CurrentUser, Error> {
        let read = async || self.gitlab.current_user().await;
        self.user.get_or_try_init(read).await
    }
}
