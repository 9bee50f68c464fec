//! Decides whether a repository's access token is kept, created or rotated.

use std::time::SystemTime;

use super::token_policy::TokenPolicy;
use crate::backends::gitlab::AccessToken;

/// The name of the token in GitLab.
pub(crate) const NAME: &str = "accesstoken-api";

/// The scope of the token.
pub(super) const SCOPE: &str = "api";

/// The role of the token: Maintainer.
pub(super) const ACCESS_LEVEL: u64 = 40;

/// What to do about the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The token in Vault is usable.
    Keep,
    /// There is no usable token.
    Create,
    /// There is a usable one that expires soon; it stays valid until another one is in Vault.
    Rotate,
}

/// Decides by the policy, the number of the token in Vault, and the tokens that GitLab lists.
pub(super) fn decide(
    policy: &TokenPolicy,
    stored: Option<u64>,
    listed: &[AccessToken],
    now: SystemTime,
) -> Decision {
    let Some(token) = usable(stored, listed) else {
        return Decision::Create;
    };
    if is_due(policy, token, now) {
        Decision::Rotate
    } else {
        Decision::Keep
    }
}

/// Returns the token of a number, if it is active and has the scope and role that it needs.
fn usable(number: Option<u64>, listed: &[AccessToken]) -> Option<&AccessToken> {
    active(listed).find(|token| {
        Some(token.id) == number
            && token.scopes.iter().any(|scope| scope == SCOPE)
            && token.access_level.is_none_or(|level| level >= ACCESS_LEVEL)
    })
}

/// Returns whether the token is due for rotation; one that never expires is not.
pub(crate) fn is_due(policy: &TokenPolicy, token: &AccessToken, now: SystemTime) -> bool {
    let expires = token.expires_at.as_deref();
    expires.is_some_and(|expires| policy.is_due(token.created_at.as_deref(), expires, now))
}

/// Iterates over the active tokens of our name.
pub(crate) fn active(listed: &[AccessToken]) -> impl Iterator<Item = &AccessToken> {
    listed
        .iter()
        .filter(|token| token.name == NAME && token.active && !token.revoked)
}

/// Returns the active tokens of our name that are not in Vault, so that nobody knows them any more.
pub(super) fn surplus(stored: Option<u64>, listed: &[AccessToken]) -> Vec<u64> {
    active(listed)
        .map(|token| token.id)
        .filter(|id| Some(*id) != stored)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: u64) -> AccessToken {
        AccessToken {
            id,
            name: NAME.into(),
            revoked: false,
            active: true,
            scopes: vec!["api".into()],
            access_level: Some(40),
            created_at: Some("2026-01-01T00:00:00Z".into()),
            expires_at: Some("2026-12-31".into()),
            token: None,
        }
    }

    fn decision(stored: Option<u64>, listed: &[AccessToken], today: &str) -> Decision {
        let policy = TokenPolicy::parse("8736h", "720h").unwrap();
        let now = humantime::parse_rfc3339(&format!("{today}T12:00:00Z")).unwrap();
        decide(&policy, stored, listed, now)
    }

    #[test]
    fn the_token_that_vault_names_is_kept_until_its_time_is_nearly_over() {
        let listed = [token(7)];
        assert_eq!(decision(Some(7), &listed, "2026-06-01"), Decision::Keep);
        assert_eq!(decision(Some(7), &listed, "2026-12-02"), Decision::Rotate);
        assert_eq!(decision(Some(8), &listed, "2026-06-01"), Decision::Create);
        assert_eq!(decision(None, &listed, "2026-06-01"), Decision::Create);
    }

    #[test]
    fn a_token_that_does_not_work_is_none() {
        type Spoil = fn(&mut AccessToken);
        let spoils: [Spoil; 5] = [
            |token| token.revoked = true,
            |token| token.active = false,
            |token| token.name = "flux".into(),
            |token| token.scopes = vec!["read_api".into()],
            |token| token.access_level = Some(30),
        ];
        for spoil in spoils {
            let mut spoiled = token(7);
            spoil(&mut spoiled);
            let today = "2026-06-01";
            assert_eq!(
                decision(Some(7), std::slice::from_ref(&spoiled), today),
                Decision::Create,
                "{spoiled:?}"
            );
        }
    }

    #[test]
    fn a_token_without_an_end_is_kept() {
        let endless = AccessToken {
            expires_at: None,
            ..token(7)
        };
        assert_eq!(decision(Some(7), &[endless], "2099-01-01"), Decision::Keep);
    }

    #[test]
    fn live_tokens_of_the_name_that_vault_does_not_name_are_surplus() {
        let revoked = AccessToken {
            revoked: true,
            ..token(2)
        };
        let foreign = AccessToken {
            name: "flux".into(),
            ..token(3)
        };
        let listed = [token(1), revoked, foreign, token(4)];
        assert_eq!(surplus(Some(4), &listed), [1]);
        assert_eq!(surplus(None, &listed), [1, 4]);
    }
}
