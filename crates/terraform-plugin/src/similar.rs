//! Suggestions for misspelt words.

/// Returns the candidate that a misspelt word most likely means, if one is similar enough.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most_errors = word.chars().count() / 3;
    let rated = candidates.into_iter().map(|candidate| {
        let (word, similar) = (word.to_lowercase(), candidate.to_lowercase());
        (strsim::osa_distance(&word, &similar), candidate)
    });
    rated
        .filter(|(errors, _)| *errors <= most_errors)
        .min_by_key(|(errors, _)| *errors)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_is_recognised_and_a_different_one_is_not() {
        let words = ["provider", "nautes"];
        assert_eq!(closest("nautess", words), Some("nautes"));
        assert_eq!(closest("Provider", words), Some("provider"));
        assert_eq!(closest("gitlab", words), None);
        assert_eq!(closest("", words), None);
    }
}
