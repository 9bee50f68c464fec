//! The marks of a group or project that is half-created or half-deleted: its description starts with
//! one until the last step.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use crate::claim::Claim;

/// The start of the description of a group or project whose creation is not finished. The next
/// creation resumes it.
const UNFINISHED: &str = "[terraform: unfinished] ";

/// The start of the description of a project whose deletion is not finished. Only the next deletion
/// continues it.
const DESTROYING: &str = "[terraform: destroying] ";

/// How many characters of a description the longest mark takes: that of a creation, with its claim
/// in brackets.
pub(crate) const ROOM: usize = UNFINISHED.len() + Claim::LENGTH + "[] ".len();

/// Returns a description with the mark of the creation for an instance in the state.
pub(crate) fn mark(description: &str, claim: &Claim) -> String {
    format!("{UNFINISHED}[{claim}] {}", without_mark(description))
}

/// Returns the description by which a creation takes over what another one has left unfinished;
/// `None` if there is no such mark.
pub(crate) fn take_over(description: &str, claim: &Claim) -> Option<String> {
    (is_marked(description) && !is_marked_by(description, claim)).then(|| mark(description, claim))
}

/// Refuses to finish a creation that another run has taken over: both would hold the object then.
/// `object` is its kind and path: `the GitLab group shop`.
pub(crate) fn check_still_ours(
    description: &str,
    claim: &Claim,
    object: &str,
) -> Result<(), Diagnostics> {
    if is_marked_by(description, claim) {
        return Ok(());
    }
    let what = if is_marked(description) {
        "taken over by another run"
    } else {
        "finished by another run, or its mark was removed by hand"
    };
    let detail = format!(
        "Its creation was {what} while this one went on. It is not in this state. If it is to be managed here and nowhere else, import it; otherwise remove the resource or choose another name."
    );
    Err(Diagnostic::error(format!("Another run has {object}"), detail).into())
}

/// Whether a description has the mark of the creation for an instance in the state.
fn is_marked_by(description: &str, claim: &Claim) -> bool {
    is_marked(description) && description.contains(&format!("[{claim}]"))
}

/// Returns a description with the mark of a deletion, cut to at most `limit` characters.
pub(crate) fn mark_destroying(description: &str, limit: usize) -> String {
    let marked = format!("{DESTROYING}{}", without_mark(description));
    marked.chars().take(limit).collect()
}

/// Whether a description has the mark of a creation.
pub(crate) fn is_marked(description: &str) -> bool {
    starts_with(description, UNFINISHED)
}

/// Whether a description has the mark of a deletion.
pub(crate) fn is_destroying(description: &str) -> bool {
    starts_with(description, DESTROYING)
}

/// Returns a description without a mark.
pub(crate) fn without_mark(description: &str) -> &str {
    let rest = [UNFINISHED, DESTROYING]
        .into_iter()
        .find_map(|mark| description.strip_prefix(mark.trim_end()));
    let Some(rest) = rest else {
        return description;
    };
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    without_claim(rest).unwrap_or(rest)
}

fn without_claim(rest: &str) -> Option<&str> {
    let (claim, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let is_claim =
        claim.len() == Claim::LENGTH && claim.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_claim.then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

/// GitLab may have trimmed the mark's last space.
fn starts_with(description: &str, mark: &str) -> bool {
    description.starts_with(mark.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_off_again() {
        for description in ["", "Shop", " Shop"] {
            let claim = Claim::new();
            let creation = mark(description, &claim);
            let deletion = mark_destroying(description, 2000);
            assert!(is_marked(&creation) && !is_destroying(&creation));
            assert!(is_destroying(&deletion) && !is_marked(&deletion));
            for marked in [creation, deletion] {
                assert_eq!(without_mark(&marked), description);
            }
            assert_eq!(without_mark(description), description);
            assert!(!is_marked(description) && !is_destroying(description));
        }
        assert!(is_marked(UNFINISHED.trim_end()), "as GitLab trims it");
        assert_eq!(without_mark(UNFINISHED.trim_end()), "");
    }

    #[test]
    fn a_description_of_maximum_length_is_cut_to_make_room_for_the_mark_of_a_deletion() {
        let marked = mark_destroying(&"é".repeat(2000), 2000);
        assert!(is_destroying(&marked));
        assert_eq!(marked.chars().count(), 2000);
    }

    #[test]
    fn the_mark_of_a_creation_names_its_claim_and_is_the_longest() {
        let (first, second) = (Claim::new(), Claim::new());
        let marked = mark("[EU] Shop", &first);
        assert_eq!(marked.len(), ROOM + "[EU] Shop".len());
        assert!(DESTROYING.len() < ROOM);
        assert_eq!(
            without_mark("[terraform: unfinished] [EU] Shop"),
            "[EU] Shop"
        );
        assert_eq!(take_over(&marked, &first), None);
        assert_eq!(take_over("[EU] Shop", &second), None);
        let taken = take_over(&marked, &second).unwrap();
        assert_eq!(taken, mark("[EU] Shop", &second));
        let check = |description, claim| check_still_ours(description, claim, "the group shop");
        assert!(check(&taken, &second).is_ok());
        assert!(check(&taken, &first).is_err());
        assert!(check("[EU] Shop", &first).is_err());
    }
}
