//! Instance settings, changed by `PUT /application/settings`.

use serde::{Deserialize, Serialize};

use super::level::Visibility;
use super::ssh_key::KeyType;

/// The restriction of a type of keys that is not allowed.
const FORBIDDEN_KEY: i32 = -1;

/// GitLab's settings that the emulator supports.
#[expect(clippy::struct_excessive_bools, reason = "GitLab's settings are flags")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Retention period of deleted projects and groups, in days.
    pub deletion_adjourned_period: u32,
    /// Whether `permanently_remove` is permitted.
    pub allow_immediate_namespaces_deletion: bool,
    /// Name of the default branch of new projects.
    pub default_branch_name: String,
    /// Protection of the default branch of new projects.
    pub default_branch_protection_defaults: BranchProtectionDefaults,
    /// Whether access tokens must expire.
    pub require_personal_access_token_expiry: bool,
    /// Project limit of new users' personal namespaces.
    pub default_projects_limit: u64,
    /// Whether new users may create top-level groups.
    pub can_create_group: bool,
    /// Visibility levels reserved for administrators.
    pub restricted_visibility_levels: Vec<Visibility>,
    /// Default visibility of projects.
    pub default_project_visibility: Visibility,
    /// Default visibility of groups.
    pub default_group_visibility: Visibility,
    /// Whether webhooks may reach the local network.
    pub allow_local_requests_from_web_hooks_and_services: bool,
    /// Local hosts, addresses and ranges that webhooks may reach nevertheless.
    pub outbound_local_requests_whitelist: Vec<String>,
    /// Whether administrators need the scope `admin_mode`.
    pub admin_mode: bool,
    /// Minimum length of RSA keys in bits; 0 is any length, -1 forbids the type.
    pub rsa_key_restriction: i32,
    /// The same for ECDSA keys.
    pub ecdsa_key_restriction: i32,
    /// The same for Ed25519 keys.
    pub ed25519_key_restriction: i32,
    /// The same for ECDSA keys on security keys.
    pub ecdsa_sk_key_restriction: i32,
    /// The same for Ed25519 keys on security keys.
    pub ed25519_sk_key_restriction: i32,
    /// `GET /projects/:id` per minute and user; 0 means no limit.
    pub project_api_limit: u32,
    /// `GET /projects` per ten minutes and user.
    pub projects_api_limit: u32,
    /// `GET /projects` per ten minutes and address, without authentication.
    pub projects_api_rate_limit_unauthenticated: u32,
    /// `GET /groups/:id` per minute and user.
    pub group_api_limit: u32,
    /// `GET /groups` per minute and user.
    pub groups_api_limit: u32,
    /// `GET /groups/:id/projects` per minute and user.
    pub group_projects_api_limit: u32,
    /// Member lists of projects per minute and user.
    pub project_members_api_limit: u32,
    /// Whether authenticated API requests are throttled.
    pub throttle_authenticated_api_enabled: bool,
    /// Authenticated API requests per period.
    pub throttle_authenticated_api_requests_per_period: u32,
    /// Length of that period in seconds.
    pub throttle_authenticated_api_period_in_seconds: u32,
    /// Whether unauthenticated API requests are throttled.
    pub throttle_unauthenticated_api_enabled: bool,
    /// Unauthenticated API requests per period and address.
    pub throttle_unauthenticated_api_requests_per_period: u32,
    /// Length of that period in seconds.
    pub throttle_unauthenticated_api_period_in_seconds: u32,
    /// Whether git requests over HTTP are throttled.
    pub throttle_authenticated_git_http_enabled: bool,
    /// Git requests per period.
    pub throttle_authenticated_git_http_requests_per_period: u32,
    /// Length of that period in seconds.
    pub throttle_authenticated_git_http_period_in_seconds: u32,
    /// Body of the response to a throttled request.
    pub rate_limiting_response_text: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deletion_adjourned_period: 30,
            allow_immediate_namespaces_deletion: true,
            default_branch_name: "main".to_owned(),
            default_branch_protection_defaults: BranchProtectionDefaults::default(),
            require_personal_access_token_expiry: true,
            default_projects_limit: 100_000,
            can_create_group: true,
            restricted_visibility_levels: Vec::new(),
            default_project_visibility: Visibility::Private,
            default_group_visibility: Visibility::Private,
            allow_local_requests_from_web_hooks_and_services: false,
            outbound_local_requests_whitelist: Vec::new(),
            admin_mode: false,
            rsa_key_restriction: 0,
            ecdsa_key_restriction: 0,
            ed25519_key_restriction: 0,
            ecdsa_sk_key_restriction: 0,
            ed25519_sk_key_restriction: 0,
            project_api_limit: 400,
            projects_api_limit: 2000,
            projects_api_rate_limit_unauthenticated: 400,
            group_api_limit: 400,
            groups_api_limit: 200,
            group_projects_api_limit: 600,
            project_members_api_limit: 200,
            throttle_authenticated_api_enabled: false,
            throttle_authenticated_api_requests_per_period: 7200,
            throttle_authenticated_api_period_in_seconds: 3600,
            throttle_unauthenticated_api_enabled: false,
            throttle_unauthenticated_api_requests_per_period: 3600,
            throttle_unauthenticated_api_period_in_seconds: 3600,
            throttle_authenticated_git_http_enabled: false,
            throttle_authenticated_git_http_requests_per_period: 3600,
            throttle_authenticated_git_http_period_in_seconds: 3600,
            rate_limiting_response_text: None,
        }
    }
}

impl Settings {
    const fn key_restriction(&self, kind: KeyType) -> i32 {
        match kind {
            KeyType::Rsa => self.rsa_key_restriction,
            KeyType::Ecdsa => self.ecdsa_key_restriction,
            KeyType::Ed25519 => self.ed25519_key_restriction,
            KeyType::EcdsaSk => self.ecdsa_sk_key_restriction,
            KeyType::Ed25519Sk => self.ed25519_sk_key_restriction,
        }
    }

    /// Checks type and length of a new SSH key (GitLab `app/validators/ssh_key_validator.rb`). The
    /// error is GitLab's text.
    pub fn check_key(&self, kind: KeyType, bits: i64) -> Result<(), String> {
        match self.key_restriction(kind) {
            FORBIDDEN_KEY => Err(self.forbidden_key_text()),
            least if bits < i64::from(least) => Err(format!("must be at least {least} bits")),
            _ => Ok(()),
        }
    }

    /// Returns GitLab's text for a key of a type that is not allowed.
    pub fn forbidden_key_text(&self) -> String {
        let allowed: Vec<&str> = KeyType::NAMES
            .iter()
            .filter(|(_, kind)| self.key_restriction(*kind) != FORBIDDEN_KEY)
            .map(|(name, _)| *name)
            .collect();
        let allowed = match allowed.as_slice() {
            [first, second] => format!("{first} or {second}"),
            [rest @ .., last] if !rest.is_empty() => format!("{}, or {last}", rest.join(", ")),
            _ => allowed.concat(),
        };
        format!("type is forbidden. Must be {allowed}")
    }
}

/// Protection of the default branch of new projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BranchProtectionDefaults {
    /// Who may push.
    pub allowed_to_push: Vec<Allowed>,
    /// Whether force pushes are allowed.
    pub allow_force_push: bool,
    /// Who may merge.
    pub allowed_to_merge: Vec<Allowed>,
    /// Whether developers may make the first push.
    pub developer_can_initial_push: bool,
}

impl Default for BranchProtectionDefaults {
    fn default() -> Self {
        let maintainers = Allowed {
            access_level: super::level::AccessLevel::Maintainer,
        };
        Self {
            allowed_to_push: vec![maintainers],
            allow_force_push: false,
            allowed_to_merge: vec![maintainers],
            developer_can_initial_push: false,
        }
    }
}

/// An entry of an access list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// Lowest level that has access.
    pub access_level: super::level::AccessLevel,
}
