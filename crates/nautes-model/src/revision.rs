//! Which Git references an event source listens to.
//!
//! Nautes keeps one text for it, an unanchored Lua pattern that is pasted between double quotes
//! into a script (`app/runtime-operator/internal/data/eventlistener/argoevent/sensor.go`). Users
//! write a branch, a tag or such a pattern; the first two are escaped and anchored.

/// Which Git references an event source listens to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// Exactly one branch.
    Branch(String),
    /// Exactly one tag.
    Tag(String),
    /// Whatever the pattern matches.
    Pattern(String),
}

/// A revision cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error(
    "the revision `{revision}` has a double quote, a backslash or a line break, which the \
         filter script cannot hold"
)]
pub struct RevisionError {
    /// The refused revision.
    pub revision: String,
}

/// A pattern that is allowed but probably does not mean what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevisionWarning {
    /// It matches nothing.
    #[error("`*` matches no reference; leave the revision out to listen to all")]
    Star,
    /// A hyphen stands for itself only behind a percent sign.
    #[error("an unescaped `-` is a quantifier in a Lua pattern; write `%-`, or use `branch`")]
    Hyphen,
}

const BRANCHES: &str = "^refs/heads/";
const TAGS: &str = "^refs/tags/";

impl Revision {
    /// Reads the text of a manifest.
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

    /// Returns the text for the manifest.
    pub fn to_pattern(&self) -> String {
        match self {
            Self::Branch(branch) => format!("{BRANCHES}{}$", escape(branch)),
            Self::Tag(tag) => format!("{TAGS}{}$", escape(tag)),
            Self::Pattern(pattern) => pattern.clone(),
        }
    }

    /// Checks that the script can hold the text.
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

    /// Finds what is probably a mistake.
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

/// Tells whether a character means something in a Lua pattern (Lua 5.1 manual, 5.4.1).
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

/// Reads what [`escape`] wrote, and nothing else.
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
    fn other_patterns_stay_patterns() {
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
    fn probable_mistakes_are_found() {
        let warning = |pattern: &str| Revision::Pattern(pattern.into()).warning();
        assert_eq!(warning("*"), Some(RevisionWarning::Star));
        assert_eq!(warning("feature-x"), Some(RevisionWarning::Hyphen));
        assert_eq!(warning("feature%-x"), None);
        assert_eq!(warning("feature%%-x"), Some(RevisionWarning::Hyphen));
        assert_eq!(warning("main"), None);
    }

    #[test]
    fn what_the_script_cannot_hold_is_refused() {
        for text in ["a\"b", "a\\b", "a\nb"] {
            assert!(Revision::Branch(text.into()).check().is_err());
        }
        assert!(Revision::Tag("v1.0".into()).check().is_ok());
    }

    proptest! {
        #[test]
        fn any_branch_or_tag_is_read_back(name in ".+") {
            for revision in [Revision::Branch(name.clone()), Revision::Tag(name)] {
                prop_assert_eq!(Revision::from_pattern(&revision.to_pattern()), revision);
            }
        }
    }
}
