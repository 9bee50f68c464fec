//! Runs git like a user does.

use std::path::Path;

use crate::{Error, Invocation};

/// A credential helper that answers with the token in the variable that [`command`] sets.
const CREDENTIAL_HELPER: &str =
    r#"!answer() { echo username=oauth2; echo "password=$NAUTES_GIT_TOKEN"; }; answer"#;

/// Prepares a git command that authenticates with an access token and never prompts.
///
/// The token is passed in the environment, because other users can see arguments. Git reads neither
/// the user's nor the system's configuration.
pub fn command(token: &str) -> Invocation {
    Invocation::new("git")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "credential.helper")
        .env("GIT_CONFIG_VALUE_0", CREDENTIAL_HELPER)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("NAUTES_GIT_TOKEN", token)
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("GIT_DIR")
}

/// Clones a repository over HTTP into `folder`, which must not exist yet.
pub fn clone(url: &str, token: &str, folder: &Path) -> Result<(), Error> {
    command(token)
        .args(["clone", "--quiet", url])
        .arg(folder)
        .finish()?
        .success()?;
    Ok(())
}
