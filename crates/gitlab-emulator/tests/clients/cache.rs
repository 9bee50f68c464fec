//! Caches clients from the package registries in the user's cache folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Overrides the cache folder.
const VARIABLE: &str = "NAUTES_TEST_CACHE";

fn folder() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    variable(VARIABLE)
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("gitlab-emulator")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/gitlab-emulator")))
        .unwrap_or_else(|| std::env::temp_dir().join("gitlab-emulator"))
}

/// Returns the cached folder of a name; `fill` fills it first if it is new. Concurrent processes
/// take turns.
pub(crate) fn cached_folder(name: &str, fill: impl FnOnce(&Path)) -> PathBuf {
    let wanted = folder().join(name);
    fs::create_dir_all(folder()).unwrap();
    let lock = File::create(folder().join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let is_filled = wanted.join("is-filled");
    if !is_filled.exists() {
        let _ = fs::remove_dir_all(&wanted);
        fs::create_dir_all(&wanted).unwrap();
        fill(&wanted);
        fs::write(is_filled, "").unwrap();
    }
    wanted
}
