//! Random secrets and names.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Creates a secret: a prefix such as `glpat-` and 20 random characters.
pub(crate) fn token(prefix: &str) -> String {
    let text = URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes());
    let more = URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes());
    let random: String = text
        .chars()
        .chain(more.chars())
        .filter(char::is_ascii_alphanumeric)
        .take(20)
        .collect();
    format!("{prefix}{random}")
}

/// Creates a random hexadecimal name of 32 characters.
pub(crate) fn hex_name() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
