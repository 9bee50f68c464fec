//! The marks of a group or project that is half-created or half-deleted: its description starts with
//! one until the last step.

/// The start of the description of a group or project whose creation is not finished. The next
/// creation resumes it.
pub(crate) const UNFINISHED: &str = "[terraform: unfinished] ";

/// The start of the description of a project whose deletion is not finished. Only the next deletion
/// continues it.
const DESTROYING: &str = "[terraform: destroying] ";

/// Returns a description with the mark of a creation.
pub(crate) fn mark(description: &str) -> String {
    format!("{UNFINISHED}{}", without_mark(description))
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
    rest.map_or(description, |rest| rest.strip_prefix(' ').unwrap_or(rest))
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
            let (creation, deletion) = (mark(description), mark_destroying(description, 2000));
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
    fn the_marks_need_the_same_room() {
        assert_eq!(UNFINISHED.len(), DESTROYING.len());
    }
}
