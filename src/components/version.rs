//! Versions of components.

use std::fmt;

/// A version of a component, in semantic versioning.
///
/// It is parsed with or without a `v` in front, and displayed with it: `v3.5.1`, as most projects name
/// their releases.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version(semver::Version);

/// A text is not a version.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a version has three numbers, such as v3.5.1")]
pub struct InvalidVersion;

impl Version {
    /// Makes the version of a release.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// Parses `v3.5.1` or `3.5.1`.
    pub fn parse(text: &str) -> Result<Self, InvalidVersion> {
        let version = semver::Version::parse(text.strip_prefix('v').unwrap_or(text));
        version.map(Self).map_err(|_| InvalidVersion)
    }

    /// Returns whether both are of one minor version.
    pub fn is_same_minor(&self, other: &Self) -> bool {
        (self.0.major, self.0.minor) == (other.0.major, other.0.minor)
    }

    /// Returns the version without a `v` in front.
    pub fn number(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn the_v_in_front_makes_no_difference() {
        assert_eq!(version("3.5.1"), version("v3.5.1"));
        assert_eq!(version("3.5.1").to_string(), "v3.5.1");
        assert_eq!(version("v1.1.0-pfnet.3").to_string(), "v1.1.0-pfnet.3");
        for text in ["", "v", "3.5", "latest", "stable", "vv1.2.3", "v1.2.3 "] {
            assert_eq!(Version::parse(text), Err(InvalidVersion), "{text}");
        }
    }

    #[test]
    fn a_candidate_comes_before_its_release() {
        assert!(version("v3.5.0-rc2") < version("v3.5.0"));
        assert!(version("v3.5.0-rc.2") < version("v3.5.0-rc.10"));
    }

    proptest! {
        #[test]
        fn versions_are_ordered_by_their_numbers(
            one in (0_u64..20, 0_u64..20, 0_u64..20), other in (0_u64..20, 0_u64..20, 0_u64..20)
        ) {
            let new = |(major, minor, patch)| Version::new(major, minor, patch);
            prop_assert_eq!(new(one).cmp(&new(other)), one.cmp(&other));
            prop_assert_eq!(new(one).is_same_minor(&new(other)), (one.0, one.1) == (other.0, other.1));
        }

        #[test]
        fn a_displayed_version_is_parsed_to_itself(
            numbers in (any::<u64>(), any::<u64>(), any::<u64>()), candidate in "(-rc\\.[1-9])?"
        ) {
            let text = format!("v{}.{}.{}{candidate}", numbers.0, numbers.1, numbers.2);
            prop_assert_eq!(version(&text).to_string(), text);
        }
    }
}
