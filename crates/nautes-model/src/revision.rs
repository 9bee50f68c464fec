//! The Git references that an event source listens to.
//!
//! Nautes stores them as an unanchored Lua pattern and pastes it between double quotes into a
//! script (`app/runtime-operator/internal/data/eventlistener/argoevent/sensor.go`). Users write a
//! branch, a tag or a pattern; branches and tags are escaped and anchored.

/// The Git references that an event source listens to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// One branch.
    Branch(String),
    /// One tag.
    Tag(String),
    /// All references that match a Lua pattern.
    Pattern(String),
}

/// A revision cannot be written into Nautes's filter script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error(
    "the revision `{revision}` has a double quote, a backslash or a line break, which the \
         filter script cannot contain"
)]
pub struct RevisionError {
    /// The revision.
    pub revision: String,
}

/// A pattern is valid but probably a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevisionWarning {
    /// It matches nothing.
    #[error("`*` matches no reference; leave the revision out to listen to all")]
    Star,
    /// A hyphen matches itself only after a percent sign.
    #[error("an unescaped `-` is a quantifier in a Lua pattern; write `%-`, or use `branch`")]
    Hyphen,
}

const BRANCHES: &str = "^refs/heads/";
const TAGS: &str = "^refs/tags/";

impl Revision {
    /// Parses the pattern of a manifest.
    pub fn from_pattern(pattern: &str) -> Self {
        let named = |prefix: &str| unescape(pattern.strip_prefix(prefix)?.strip_suffix('$')?);
        if let Some(branch) = named(BRANCHES) {
            Self::Branch(branch)
        } else if let Some(tag) = named(TAGS) {
            Self::Tag(tag)
        } else {
            Self::Pattern(pattern.to_owned())
        }
    }

    /// Returns the pattern for the manifest.
    pub fn to_pattern(&self) -> String {
        match self {
            Self::Branch(branch) => format!("{BRANCHES}{}$", escape(branch)),
            Self::Tag(tag) => format!("{TAGS}{}$", escape(tag)),
            Self::Pattern(pattern) => pattern.clone(),
        }
    }

    /// Checks that the filter script can contain the text.
    pub fn check(&self) -> Result<(), RevisionError> {
        let (Self::Branch(text) | Self::Tag(text) | Self::Pattern(text)) = self;
        if text.contains(['"', '\\', '\n', '\r']) {
            Err(RevisionError {
                revision: text.clone(),
            })
        } else {
            Ok(())
        }
    }

    /// Returns a probable mistake in the pattern.
    pub fn warning(&self) -> Option<RevisionWarning> {
        let Self::Pattern(pattern) = self else {
            return None;
        };
        if pattern == "*" {
            return Some(RevisionWarning::Star);
        }
        let mut escaped = false;
        for char in pattern.chars() {
            if char == '-' && !escaped {
                return Some(RevisionWarning::Hyphen);
            }
            escaped = char == '%' && !escaped;
        }
        None
    }
}

/// Returns whether a character is special in a Lua pattern (Lua 5.1 manual, 5.4.1).
fn is_magic(char: char) -> bool {
    matches!(
        char,
        '^' | '$' | '(' | ')' | '%' | '.' | '[' | ']' | '*' | '+' | '-' | '?'
    )
}

fn escape(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for char in text.chars() {
        if is_magic(char) {
            pattern.push('%');
        }
        pattern.push(char);
    }
    pattern
}

/// Reverses [`escape`]; returns `None` for any other pattern.
fn unescape(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(char) = rest.next() {
        match char {
            '%' => text.push(rest.next().filter(|char| is_magic(*char))?),
            char if is_magic(char) => return None,
            char => text.push(char),
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_branch_is_escaped_and_anchored() {
        let branch = Revision::Branch("feature-x/1.0".into());
        assert_eq!(branch.to_pattern(), "^refs/heads/feature%-x/1%.0$");
        assert_eq!(
            Revision::from_pattern("^refs/heads/feature%-x/1%.0$"),
            branch
        );
    }

    #[test]
    fn other_patterns_remain_patterns() {
        for pattern in [
            "main",
            "^refs/heads/a-b$",
            "^refs/heads/$",
            "^refs/heads/%a$",
            ".*",
        ] {
            assert_eq!(
                Revision::from_pattern(pattern),
                Revision::Pattern(pattern.into())
            );
        }
    }

    #[test]
    fn probable_mistakes_are_reported() {
        let warning = |pattern: &str| Revision::Pattern(pattern.into()).warning();
        assert_eq!(warning("*"), Some(RevisionWarning::Star));
        assert_eq!(warning("feature-x"), Some(RevisionWarning::Hyphen));
        assert_eq!(warning("feature%-x"), None);
        assert_eq!(warning("feature%%-x"), Some(RevisionWarning::Hyphen));
        assert_eq!(warning("main"), None);
    }

    #[test]
    fn text_that_breaks_the_filter_script_is_rejected() {
        for text in ["a\"b", "a\\b", "a\nb"] {
            assert!(Revision::Branch(text.into()).check().is_err());
        }
        assert!(Revision::Tag("v1.0".into()).check().is_ok());
    }

    proptest! {
        #[test]
        fn any_branch_or_tag_round_trips(name in ".+") {
            for revision in [Revision::Branch(name.clone()), Revision::Tag(name)] {
                prop_assert_eq!(Revision::from_pattern(&revision.to_pattern()), revision);
            }
        }
    }
}
