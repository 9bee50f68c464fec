//! The mark of a group or project whose creation is not finished: how its description starts until the last step.

/// What the description of an unfinished group or project starts with.
pub(crate) const MARK: &str = "[terraform: unfinished] ";

/// Returns a description that marks what it describes as unfinished.
pub(crate) fn marked(description: &str) -> String {
    format!("{MARK}{description}")
}

/// Tells whether a description marks what it describes as unfinished.
///
/// GitLab may have trimmed the space at the end of the mark when nothing follows it.
pub(crate) fn is_marked(description: &str) -> bool {
    description.starts_with(MARK.trim_end())
}

/// Returns the description without the mark.
pub(crate) fn without_mark(description: &str) -> &str {
    let rest = description.strip_prefix(MARK.trim_end());
    rest.map_or(description, |rest| rest.strip_prefix(' ').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_off_again() {
        for description in ["", "Shop", " Shop"] {
            let marked = marked(description);
            assert!(is_marked(&marked));
            assert_eq!(without_mark(&marked), description);
            assert_eq!(without_mark(description), description);
            assert!(!is_marked(description));
        }
        assert!(is_marked(MARK.trim_end()), "as GitLab trims it");
        assert_eq!(without_mark(MARK.trim_end()), "");
    }
}
