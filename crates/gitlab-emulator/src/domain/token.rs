//! Access tokens of users, and of the bots of project and group access tokens.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::table::Id;
use super::time::{Day, Moment};
use super::user::User;

/// A token that authenticates a user. Only its digest is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessToken {
    /// Numeric ID.
    pub id: Id<AccessToken>,
    /// The user that it authenticates.
    pub user: Id<User>,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// The kind, which decides the headers and endpoints that accept it.
    pub kind: TokenKind,
    /// Scopes.
    pub scopes: Vec<Scope>,
    /// Digest of the token.
    pub digest: TokenDigest,
    /// Time of creation.
    pub created_at: Moment,
    /// Expiry day, exclusive.
    pub expires_at: Option<Day>,
    /// Whether it was revoked.
    pub is_revoked: bool,
    /// Time of the last use.
    pub last_used_at: Option<Moment>,
    /// The token that it replaced by rotation.
    pub previous: Option<Id<AccessToken>>,
}

impl AccessToken {
    /// Returns whether it has expired.
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|day| day.start() <= now)
    }

    /// Returns whether it still authenticates.
    pub fn is_active(&self, now: Moment) -> bool {
        !self.is_revoked && !self.is_expired(now)
    }

    /// Returns whether it has one of the scopes.
    pub fn has_one_of(&self, accepted: &[Scope]) -> bool {
        self.scopes.iter().any(|scope| accepted.contains(scope))
    }
}

/// The kind of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A personal access token, or the token of a bot.
    Personal,
    /// A personal access token that an administrator created for another user.
    Impersonation,
    /// A token of an OAuth application.
    OAuth,
    /// The token of a running CI job.
    Job,
    /// A fine-grained personal access token with its permissions, such as `Project: Read`.
    Granular(Vec<String>),
}

/// SHA-256 of a token, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenDigest(String);

impl TokenDigest {
    /// Computes the digest of a token.
    pub fn new(token: &str) -> Self {
        Self(hex(&Sha256::digest(token.as_bytes())))
    }
}

/// Formats bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

macro_rules! scopes {
    ($($variant:ident = $name:literal,)*) => {
        /// The scope of a token (GitLab `lib/gitlab/auth.rb`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the variants are GitLab's scope names")]
        pub enum Scope {
            $(#[serde(rename = $name)] $variant,)*
        }

        impl Scope {
            /// All scopes with their names.
            pub const NAMES: &[(&'static str, Self)] = &[$(($name, Self::$variant),)*];

            /// Returns the name in the API.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

scopes! {
    Api = "api",
    ReadApi = "read_api",
    ReadUser = "read_user",
    CreateRunner = "create_runner",
    ManageRunner = "manage_runner",
    K8sProxy = "k8s_proxy",
    SelfRotate = "self_rotate",
    Mcp = "mcp",
    AiFeatures = "ai_features",
    AiWorkflows = "ai_workflows",
    OpenId = "openid",
    Profile = "profile",
    Email = "email",
    ReadRepository = "read_repository",
    WriteRepository = "write_repository",
    ReadRegistry = "read_registry",
    WriteRegistry = "write_registry",
    ReadVirtualRegistry = "read_virtual_registry",
    WriteVirtualRegistry = "write_virtual_registry",
    ReadObservability = "read_observability",
    WriteObservability = "write_observability",
    Sudo = "sudo",
    AdminMode = "admin_mode",
    ReadServicePing = "read_service_ping",
}

impl Scope {
    /// The scopes of project and group access tokens.
    pub const OF_RESOURCE_TOKENS: &[Self] = &[
        Self::Api,
        Self::ReadApi,
        Self::CreateRunner,
        Self::ManageRunner,
        Self::K8sProxy,
        Self::SelfRotate,
        Self::AiFeatures,
        Self::ReadRepository,
        Self::WriteRepository,
        Self::ReadRegistry,
        Self::WriteRegistry,
        Self::ReadVirtualRegistry,
        Self::WriteVirtualRegistry,
        Self::ReadObservability,
        Self::WriteObservability,
    ];
}
