//! The cache folder for obtained tools.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};

use crate::Error;

/// The environment variable with the cache folder.
pub const CACHE_VARIABLE: &str = "NAUTES_TEST_CACHE";

/// Returns the cache folder: `NAUTES_TEST_CACHE`, or a folder in the user's cache.
pub fn folder() -> PathBuf {
    std::env::var_os(CACHE_VARIABLE).map_or_else(
        || users_cache_folder().join("terraform-provider-nautes"),
        PathBuf::from,
    )
}

fn users_cache_folder() -> PathBuf {
    choose_base_strategy().map_or_else(|_| std::env::temp_dir(), |user| user.cache_dir())
}

/// Returns the cached file of that name, and makes it with `produce` if it does not exist.
///
/// `produce` writes to the path it is given. Concurrent processes wait for each other. The file
/// gets its final name only after `produce` succeeds, so it is always complete.
pub fn file_or_else(
    name: &str,
    produce: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    file_in_or_else(&folder(), name, produce)
}

fn file_in_or_else(
    folder: &Path,
    name: &str,
    produce: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let wanted = folder.join(name);
    if wanted.is_file() {
        return Ok(wanted);
    }
    fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    let lock_path = folder.join(format!("{name}.lock"));
    let lock = File::create(&lock_path).map_err(Error::file("create", &lock_path))?;
    lock.lock().map_err(Error::file("lock", &lock_path))?;
    if !wanted.is_file() {
        let unfinished = folder.join(format!("{name}.unfinished"));
        produce(&unfinished)?;
        fs::rename(&unfinished, &wanted).map_err(Error::file("rename to", &wanted))?;
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &'static str) -> impl FnOnce(&Path) -> Result<(), Error> {
        move |path| fs::write(path, text).map_err(Error::file("write", path))
    }

    #[test]
    fn a_cached_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = file_in_or_else(folder.path(), "tool", write("first")).unwrap();
        let second = file_in_or_else(folder.path(), "tool", write("second")).unwrap();
        assert_eq!(first, second);
        assert_eq!(fs::read_to_string(second).unwrap(), "first");
    }

    #[test]
    fn a_file_is_made_again_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let failure = file_in_or_else(folder.path(), "tool", |path| {
            fs::write(path, "half").map_err(Error::file("write", path))?;
            Err(Error::NoExecutable {
                name: "tool".to_owned(),
            })
        });
        assert!(failure.is_err());
        let tool = file_in_or_else(folder.path(), "tool", write("whole")).unwrap();
        assert_eq!(fs::read_to_string(tool).unwrap(), "whole");
    }
}
