//! Versions below which a component has a known security problem.

use std::fmt;

use super::catalogue::Component;
use super::version::Version;

/// A published security problem of a component.
struct Advisory {
    component: Component,
    /// Its identifiers, such as `CVE-2025-55190`.
    id: &'static str,
    /// What an attacker gains.
    problem: &'static str,
    /// The versions that first had the fix, in ascending order, at most one of a minor version.
    fixed: &'static [Version],
}

/// Advisories as published up to November 2026.
const ADVISORIES: &[Advisory] = &[
    Advisory {
        component: Component::ArgoCd,
        id: "CVE-2025-55190",
        problem: "a token with rights on a project reads the credentials of its repositories",
        fixed: &[Version::new(3, 1, 2)],
    },
    Advisory {
        component: Component::ArgoCd,
        id: "CVE-2026-45738",
        problem: "script in the link annotations of an object runs in the user interface",
        fixed: &[
            Version::new(3, 2, 12),
            Version::new(3, 3, 10),
            Version::new(3, 4, 2),
        ],
    },
    Advisory {
        component: Component::Traefik,
        id: "CVE-2026-112778",
        problem: "annotations of an Ingress reach across namespaces",
        fixed: &[
            Version::new(2, 11, 46),
            Version::new(3, 6, 17),
            Version::new(3, 7, 1),
        ],
    },
    Advisory {
        component: Component::Traefik,
        id: "CVE-2026-44774, CVE-2026-65602, CVE-2026-71325, CVE-2026-41174",
        problem: "several problems of earlier releases",
        fixed: &[Version::new(3, 7, 10)],
    },
    Advisory {
        component: Component::Traefik,
        id: "CVE-2026-85594",
        problem: "the list of namespaces that may refer to middlewares of others is bypassed",
        fixed: &[Version::new(3, 7, 13)],
    },
];

/// A version is below a security floor. Its display text is a sentence for users, without full stop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BelowFloor {
    /// The component.
    pub component: Component,
    /// The version that is or would be installed.
    pub version: Version,
    /// The identifiers of the advisory.
    pub advisory: &'static str,
    /// What an attacker gains.
    pub problem: &'static str,
    /// The first good version: of the same minor version if there is one.
    pub first_good: Version,
}

impl fmt::Display for BelowFloor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            component,
            version,
            advisory,
            problem,
            first_good,
        } = self;
        write!(
            f,
            "{component} {version} has a known security problem ({advisory}): {problem}; set `version` to {first_good} \
             or later"
        )
    }
}

/// Returns the security problems of a version of a component, oldest advisory first.
pub fn below_floors(component: Component, version: &Version) -> Vec<BelowFloor> {
    let advisories = ADVISORIES
        .iter()
        .filter(|advisory| advisory.component == component);
    advisories
        .filter_map(|advisory| {
            Some(BelowFloor {
                component,
                version: version.clone(),
                advisory: advisory.id,
                problem: advisory.problem,
                first_good: first_good(version, advisory.fixed)?.clone(),
            })
        })
        .collect()
}

/// Returns the version to take instead; `None` if this one has the fix.
fn first_good<'f>(version: &Version, fixed: &'f [Version]) -> Option<&'f Version> {
    let same_minor = fixed.iter().find(|fix| fix.is_same_minor(version));
    let candidate = same_minor.or_else(|| fixed.iter().find(|fix| *fix > version));
    candidate.filter(|fix| *fix > version)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn floors(component: Component, version: &str) -> Vec<String> {
        let found = below_floors(component, &Version::parse(version).unwrap());
        let found = found.iter();
        found
            .map(|floor| format!("{} < {}", floor.advisory, floor.first_good))
            .collect()
    }

    #[test]
    fn a_fix_of_the_same_minor_version_decides() {
        for version in ["v3.2.12", "v3.3.10", "v3.4.2", "v3.4.7", "v3.5.0", "v4.0.0"] {
            assert_eq!(floors(Component::ArgoCd, version), [""; 0], "{version}");
        }
        assert_eq!(
            floors(Component::ArgoCd, "v3.3.9"),
            ["CVE-2026-45738 < v3.3.10"]
        );
        assert_eq!(
            floors(Component::ArgoCd, "v2.14.0"),
            ["CVE-2025-55190 < v3.1.2", "CVE-2026-45738 < v3.2.12"]
        );
        assert_eq!(
            floors(Component::Traefik, "v3.7.11"),
            ["CVE-2026-85594 < v3.7.13"]
        );
    }

    #[test]
    fn no_default_version_is_below_a_floor() {
        for component in Component::ALL {
            let floors = below_floors(component, &component.default_version());
            assert_eq!(floors, [], "{component}");
        }
    }

    #[test]
    fn a_warning_names_the_advisory_and_the_version_to_take() {
        let floors = below_floors(Component::ArgoCd, &Version::new(3, 4, 1));
        assert_eq!(
            floors[0].to_string(),
            "Argo CD v3.4.1 has a known security problem (CVE-2026-45738): script in the link annotations of an \
             object runs in the user interface; set `version` to v3.4.2 or later"
        );
    }

    #[test]
    fn fixes_are_in_ascending_order_and_one_of_a_minor_version() {
        for advisory in ADVISORIES {
            for pair in advisory.fixed.windows(2) {
                assert!(pair[0] < pair[1] && !pair[0].is_same_minor(&pair[1]));
            }
        }
    }

    proptest! {
        #[test]
        fn the_version_that_a_warning_names_has_no_warning_for_the_same_advisory(
            major in 0_u64..5, minor in 0_u64..12, patch in 0_u64..60
        ) {
            for component in [Component::ArgoCd, Component::Traefik] {
                for floor in below_floors(component, &Version::new(major, minor, patch)) {
                    prop_assert!(floor.first_good > floor.version);
                    let after = below_floors(component, &floor.first_good);
                    prop_assert!(after.iter().all(|other| other.advisory != floor.advisory));
                }
            }
        }

        #[test]
        fn within_a_minor_version_a_later_patch_has_no_more_problems(
            major in 0_u64..5, minor in 0_u64..12, patch in 0_u64..60
        ) {
            for component in [Component::ArgoCd, Component::Traefik] {
                let before = below_floors(component, &Version::new(major, minor, patch));
                let after = below_floors(component, &Version::new(major, minor, patch + 1));
                prop_assert!(after.len() <= before.len());
            }
        }
    }
}
