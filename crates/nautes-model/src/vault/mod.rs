//! Where secrets lie in Vault, and what the policies that open them say.
//!
//! Each secret is an entry of a key-value engine of version 2 and has a policy of its own, which
//! allows reading it. Mounts, paths, keys and names are those of Nautes
//! (`api/vaultproxy/v1/vaultproxy.pb.ex.go` of its `vault-proxy`), so that its operators find what
//! this provider stores, and the other way round.

mod git;
mod path;

pub use git::{ACCESS_TOKEN, DEPLOY_KEY, FINGERPRINT, GitSecret, ID};
pub use path::{SecretPath, SecretPathError};

/// The mount of the secrets of code repositories.
pub const GIT_MOUNT: &str = "git";
