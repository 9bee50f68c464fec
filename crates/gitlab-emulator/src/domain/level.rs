//! Access levels of members and visibility levels of groups and projects.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A role of a member, with GitLab's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum AccessLevel {
    /// No access (0); on a protected branch: nobody.
    None = 0,
    /// Minimal access (5): listed as a member, but sees nothing.
    Minimal = 5,
    /// Guest (10).
    Guest = 10,
    /// Planner (15).
    Planner = 15,
    /// Reporter (20).
    Reporter = 20,
    /// Developer (30).
    Developer = 30,
    /// Maintainer (40).
    Maintainer = 40,
    /// Owner (50).
    Owner = 50,
    /// Administrator (60); for protected branches only.
    Admin = 60,
}

impl AccessLevel {
    /// The levels of members.
    pub const OF_MEMBERS: [Self; 7] = [
        Self::Minimal,
        Self::Guest,
        Self::Planner,
        Self::Reporter,
        Self::Developer,
        Self::Maintainer,
        Self::Owner,
    ];
    /// The levels of project and group access tokens.
    pub const OF_TOKENS: [Self; 6] = [
        Self::Guest,
        Self::Planner,
        Self::Reporter,
        Self::Developer,
        Self::Maintainer,
        Self::Owner,
    ];
    /// The levels that protect a branch.
    pub const OF_PROTECTION: [Self; 4] =
        [Self::None, Self::Developer, Self::Maintainer, Self::Admin];

    /// Returns GitLab's number of the level.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Finds a level by its number.
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::None, Self::Admin]
            .into_iter()
            .chain(Self::OF_MEMBERS)
            .find(|level| u64::from(level.number()) == number)
    }

    /// Returns the name of the role in messages.
    pub const fn role(self) -> &'static str {
        match self {
            Self::None => "No access",
            Self::Minimal => "Minimal Access",
            Self::Guest => "Guest",
            Self::Planner => "Planner",
            Self::Reporter => "Reporter",
            Self::Developer => "Developer",
            Self::Maintainer => "Maintainer",
            Self::Owner => "Owner",
            Self::Admin => "Admin",
        }
    }
}

impl Serialize for AccessLevel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for AccessLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Self::from_number(number).ok_or_else(|| serde::de::Error::custom("no such access level"))
    }
}

/// Who can see a group or project without a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Members only.
    Private,
    /// Everybody with an account.
    Internal,
    /// Everybody.
    Public,
}

impl Visibility {
    /// All values with their names in the API.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("private", Self::Private),
        ("internal", Self::Internal),
        ("public", Self::Public),
    ];

    /// Returns GitLab's number of the level.
    pub const fn number(self) -> u8 {
        match self {
            Self::Private => 0,
            Self::Internal => 10,
            Self::Public => 20,
        }
    }

    /// Returns the name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }
}
