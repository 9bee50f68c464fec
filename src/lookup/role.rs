//! What the owner of the token may do, asked before the first effect of what would otherwise stop
//! half-way.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::Products;
use crate::backends::gitlab::{AccessLevel, Error, Group, Member, Project};
use crate::diagnostics::Context as _;

/// Whether a role is known to be enough.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is.
    Enough,
    /// The owner of the token has a custom role, or none that GitLab shows.
    Unknown,
}

impl Products {
    /// Checks that the owner of the token has a role in a project. Fails if it has a lower one.
    pub(crate) async fn require_project_role(
        &self,
        project: &Project,
        needed: AccessLevel,
        attempt: &str,
    ) -> Result<Role, Diagnostics> {
        let member = async {
            self.gitlab
                .project_member(project.id, self.user().await?)
                .await
        };
        let of = format!("the GitLab project {}", project.path_with_namespace);
        self.check_role(member.await, needed, &of, attempt).await
    }

    /// Checks that the owner of the token has a role in a group. Fails if it has a lower one.
    pub(crate) async fn require_group_role(
        &self,
        group: &Group,
        needed: AccessLevel,
        attempt: &str,
    ) -> Result<Role, Diagnostics> {
        let member = async { self.gitlab.group_member(group.id, self.user().await?).await };
        let of = format!("the GitLab group {}", group.full_path);
        self.check_role(member.await, needed, &of, attempt).await
    }

    async fn check_role(
        &self,
        member: Result<Option<Member>, Error>,
        needed: AccessLevel,
        of: &str,
        attempt: &str,
    ) -> Result<Role, Diagnostics> {
        let asked = || format!("find out whether the provider may {attempt}");
        let member = member.with_context(asked)?;
        if member
            .as_ref()
            .is_some_and(|member| member.access_level >= needed)
        {
            return Ok(Role::Enough);
        }
        let acts_as_administrator = || self.gitlab.acts_as_administrator();
        let is_administrator = self.is_administrator.get_or_try_init(acts_as_administrator);
        if *is_administrator.await.with_context(asked)? {
            return Ok(Role::Enough);
        }
        match member {
            Some(member) if !member.has_custom_role() => {
                let role = member.access_level;
                let detail = format!(
                    "It needs the role {needed} on {of}, and the owner of the provider argument gitlab.token has the role {role} there. Nothing was changed. Give that owner the role {needed}, or use the token of somebody who has it."
                );
                Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into())
            }
            Some(_) | None => Ok(Role::Unknown),
        }
    }

    async fn user(&self) -> Result<u64, Error> {
        let read = async || Ok(self.gitlab.current_user().await?.id);
        self.user.get_or_try_init(read).await.copied()
    }
}
