//! The characters that names may have.

use crate::entity_name::{is_dns_label, is_dns_subdomain};

/// Which characters a name may have, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The path of a GitLab group, without dots, which Nautes does not accept.
    GroupPath,
    /// The path of a GitLab project.
    ProjectPath,
    /// A DNS label (RFC 1123).
    Label,
    /// A DNS subdomain (RFC 1123).
    Subdomain,
}

impl Form {
    pub(super) fn allows(self, name: &str) -> bool {
        match self {
            Self::GroupPath => {
                !name.is_empty()
                    && !name.starts_with('-')
                    && name.bytes().all(|byte| is_word(byte) || byte == b'-')
            }
            Self::ProjectPath => {
                !name.is_empty()
                    && !name.starts_with('-')
                    && name
                        .bytes()
                        .all(|byte| is_word(byte) || matches!(byte, b'-' | b'.'))
                    && !name.bytes().all(|byte| byte == b'.')
                    && ![".git", ".atom"]
                        .iter()
                        .any(|suffix| name.ends_with(suffix))
            }
            Self::Label => is_dns_label(name),
            Self::Subdomain => is_dns_subdomain(name),
        }
    }

    /// Describes what GitLab demands of new paths in addition.
    pub(super) const fn new_path_description(self) -> &'static str {
        match self {
            Self::GroupPath => {
                "GitLab allows `_` and `-` only between letters and digits, one at a time"
            }
            Self::ProjectPath => {
                "GitLab allows `_`, `-` and `.` only between letters and digits, one at a time"
            }
            Self::Label | Self::Subdomain => "",
        }
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::GroupPath => {
                "letters, digits, `_` and `-` are allowed, and it does not begin with `-`"
            }
            Self::ProjectPath => {
                "letters, digits, `_`, `-` and `.` are allowed, it does not begin with `-`, and it \
                 does not end in `.git` or `.atom`"
            }
            Self::Label => {
                "lower-case letters, digits and `-` are allowed, and it begins and ends with a \
                 letter or digit"
            }
            Self::Subdomain => {
                "lower-case letters, digits, `-` and `.` are allowed, and each part between dots \
                 begins and ends with a letter or digit"
            }
        }
    }
}

/// Returns whether separators stand only between letters and digits, one at a time: GitLab's rule for new paths
/// (`app/models/project.rb`, `oci_repository_path_regex`).
pub(super) fn has_single_separators(name: &str) -> bool {
    name.split(['.', '_', '-'])
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
