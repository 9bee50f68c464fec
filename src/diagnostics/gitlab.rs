//! What to do when a call to GitLab fails.

use terraform_plugin::diagnostics::SharedCause;

use super::transport::{self, BackEnd};
use crate::backends::gitlab::{Call, Error, ForbiddenReason, Kind};

const GITLAB: BackEnd = BackEnd {
    name: "GitLab",
    address: "gitlab.url",
    authority: "gitlab.ca_file or gitlab.ca_pem",
};

/// Says what to do next; empty when that depends on what was attempted.
pub(super) fn hint(error: &Error) -> String {
    hint_for(error.kind(), error.call())
}

/// Returns the cause of an error that all calls to GitLab have in common.
pub(super) fn shared_cause(error: &Error) -> Option<SharedCause> {
    let is_common = match error.kind() {
        Kind::Transport(_) => true,
        Kind::Unauthorized => !error.call().url.contains("/access_tokens"),
        _ => false,
    };
    is_common
        .then(|| transport::shared_cause(error.kind(), error.transport(), &GITLAB))
        .flatten()
}

fn hint_for(kind: &Kind, call: &Call) -> String {
    let text = match kind {
        Kind::Transport(error) => return transport::hint(error, &GITLAB),
        // GitLab answers 401, not 403, if the caller may not manage access tokens.
        Kind::Unauthorized if call.url.contains("/access_tokens") => {
            "The token may be unknown, expired or revoked. If other calls accept it, its owner may not manage access tokens: that takes the role Maintainer in the project, and a project or group access token cannot do it at all, so set the provider argument gitlab.token to a personal access token."
        }
        Kind::Unauthorized => {
            "Check the provider argument gitlab.token (environment: NAUTES_GITLAB_TOKEN, GITLAB_TOKEN): the token is unknown, expired or revoked."
        }
        Kind::Forbidden { reason } => forbidden(reason, call),
        Kind::NotFound => {
            "Check that it exists, and that the owner of the provider argument gitlab.token is a member: GitLab does not tell the two apart."
        }
        Kind::BeingDeleted => {
            "GitLab is still deleting what had this path before. Apply again in a few minutes."
        }
        Kind::Locked => "What was done so far is kept. Apply again to finish it.",
        Kind::ReferenceMoved | Kind::FileChanged => {
            "Something else keeps writing to the same repository. Apply again."
        }
        Kind::KeyTypeNotAllowed => {
            "The provider makes ECDSA keys on the curve P-256. Allow ECDSA keys in the admin area of the GitLab: Settings > General > Visibility and access controls."
        }
        Kind::Taken => {
            "Choose another name, or remove what has this one. It may be something that the owner of the provider argument gitlab.token does not see."
        }
        Kind::Invalid => {
            "Correct what GitLab complains about. An instance may have rules of its own, such as push rules and limits."
        }
        Kind::AlreadyMarked => "",
    };
    text.to_owned()
}

fn forbidden(reason: &ForbiddenReason, call: &Call) -> &'static str {
    match reason {
        ForbiddenReason::PushToBranch => {
            "Its owner may not push to the branch of the provider argument commit.branch. In the project, let the owner of gitlab.token push under Settings > Repository > Protected branches > Allowed to push and merge, or give that owner the role Maintainer."
        }
        ForbiddenReason::CreateGroup { top_level: true } if is_gitlab_com(call) => {
            "Nobody can create top-level groups over the API of GitLab.com. Create one there by hand, and name it in the provider argument gitlab.parent_group: products are then made below it."
        }
        ForbiddenReason::CreateGroup { top_level: true } => {
            "The owner of the provider argument gitlab.token may not create top-level groups. An administrator can allow it (\"Can create top-level group\"); otherwise name an existing group in the provider argument gitlab.parent_group: products are then made below it."
        }
        ForbiddenReason::CreateGroup { top_level: false } => {
            "The owner of the provider argument gitlab.token needs the right to create subgroups in the group of the provider argument gitlab.parent_group: the role Owner, or Maintainer if the group allows it (Settings > General > Permissions), and the token the scope \"api\"."
        }
        ForbiddenReason::MissingScope { .. } | ForbiddenReason::Other => {
            "The provider argument gitlab.token needs the scope \"api\", and its owner the role Owner in the product's group. Maintainer is enough for files, keys and tokens of its projects, but not to rename, archive, delete or show a project."
        }
    }
}

fn is_gitlab_com(call: &Call) -> bool {
    call.url.starts_with("https://gitlab.com/")
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn forbidden_at(url: &str, reason: ForbiddenReason) -> String {
        hint_for(&Kind::Forbidden { reason }, &call(url))
    }

    fn call(url: &str) -> Call {
        Call {
            method: Method::POST,
            url: url.to_owned(),
            request_id: None,
        }
    }

    #[test]
    fn a_forbidden_group_is_answered_by_the_parent_group_and_not_by_the_scope() {
        let gitlab_com = "https://gitlab.com/api/v4/groups";
        let own = "https://gitlab.example.com/api/v4/groups";
        for (url, top_level, expected) in [
            (
                gitlab_com,
                true,
                "top-level groups over the API of GitLab.com",
            ),
            (own, true, "An administrator can allow it"),
            (gitlab_com, false, "create subgroups"),
            (own, false, "create subgroups"),
        ] {
            let hint = forbidden_at(url, ForbiddenReason::CreateGroup { top_level });
            assert!(hint.contains(expected), "{hint}");
            assert!(hint.contains("gitlab.parent_group"), "{hint}");
        }
    }

    #[test]
    fn a_forbidden_push_is_answered_by_the_setting_of_the_branch() {
        let commits = "https://gitlab.example.com/api/v4/projects/7/repository/commits";
        let hint = forbidden_at(commits, ForbiddenReason::PushToBranch);
        assert!(hint.contains("Protected branches"), "{hint}");
        assert!(!hint.contains("scope"), "{hint}");
    }

    #[test]
    fn a_refused_token_creation_explains_that_bots_cannot_create_tokens() {
        let tokens = "https://gitlab.example.com/api/v4/projects/7/access_tokens";
        let hint = hint_for(&Kind::Unauthorized, &call(tokens));
        assert!(hint.contains("personal access token"), "{hint}");
    }
}
