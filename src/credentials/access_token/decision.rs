//! What is to be done about a repository's access token.

use std::time::SystemTime;

use super::terms::Terms;
use crate::backends::gitlab::AccessToken;

/// The name of the token in GitLab.
pub(crate) const NAME: &str = "accesstoken-api";

/// What the token may do.
pub(super) const SCOPE: &str = "api";

/// The role of the token: maintainer.
pub(super) const LEVEL: u64 = 40;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The token that Vault names is good.
    Keep,
    /// There is no token that could be used.
    Make,
    /// There is one, but its time is nearly over; it is used until there is another.
    Rotate,
}

/// Decides by what is wanted, the number of the token that Vault holds, and what GitLab lists.
pub(super) fn decide(
    terms: &Terms,
    stored: Option<u64>,
    listed: &[AccessToken],
    now: SystemTime,
) -> Decision {
    let Some(token) = usable(stored, listed) else {
        return Decision::Make;
    };
    if is_due(terms, token, now) {
        Decision::Rotate
    } else {
        Decision::Keep
    }
}

/// The token of a number, if it can be used for what it is made for.
fn usable(number: Option<u64>, listed: &[AccessToken]) -> Option<&AccessToken> {
    live(listed).find(|token| {
        Some(token.id) == number
            && token.scopes.iter().any(|scope| scope == SCOPE)
            && token.access_level.is_none_or(|level| level >= LEVEL)
    })
}

/// Whether the token is to be replaced; one without an end never is.
pub(crate) fn is_due(terms: &Terms, token: &AccessToken, now: SystemTime) -> bool {
    let expires = token.expires_at.as_deref();
    expires.is_some_and(|expires| terms.is_due(token.created_at.as_deref(), expires, now))
}

/// The tokens of our name that can be used at all.
pub(crate) fn live(listed: &[AccessToken]) -> impl Iterator<Item = &AccessToken> {
    listed
        .iter()
        .filter(|token| token.name == NAME && token.active && !token.revoked)
}

/// The tokens that nobody can know any more, because Vault names another one.
pub(super) fn surplus(kept: Option<u64>, listed: &[AccessToken]) -> Vec<u64> {
    live(listed)
        .map(|token| token.id)
        .filter(|id| Some(*id) != kept)
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
        let terms = Terms::parse("8736h", "720h").unwrap();
        let now = humantime::parse_rfc3339(&format!("{today}T12:00:00Z")).unwrap();
        decide(&terms, stored, listed, now)
    }

    #[test]
    fn the_token_that_vault_names_is_kept_until_its_time_is_nearly_over() {
        let listed = [token(7)];
        assert_eq!(decision(Some(7), &listed, "2026-06-01"), Decision::Keep);
        assert_eq!(decision(Some(7), &listed, "2026-12-02"), Decision::Rotate);
        assert_eq!(decision(Some(8), &listed, "2026-06-01"), Decision::Make);
        assert_eq!(decision(None, &listed, "2026-06-01"), Decision::Make);
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
                Decision::Make,
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
