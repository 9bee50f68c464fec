//! Finds the processes that a test has started.

use std::fs;
use std::path::Path;

use crate::Invocation;
use crate::server_process::arguments_of;

/// Returns the live processes whose program is below `folder`.
pub(crate) fn started_from(folder: &Path) -> Vec<u32> {
    let is_below = |pid: &u32| {
        arguments_of(*pid)
            .and_then(|arguments| arguments.into_iter().next())
            .is_some_and(|program| Path::new(&program).starts_with(folder))
    };
    all().into_iter().filter(is_below).collect()
}

/// Returns all process ids, from `/proc` where it exists, else from `ps`.
fn all() -> Vec<u32> {
    if let Ok(entries) = fs::read_dir("/proc") {
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        return names.filter_map(|name| name.parse().ok()).collect();
    }
    let listing = Invocation::new("ps").args(["-A", "-o", "pid="]).finish();
    listing.map_or_else(
        |_| Vec::new(),
        |listing| {
            let words = listing.stdout.split_whitespace();
            words.filter_map(|word| word.parse().ok()).collect()
        },
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn processes_are_found_by_the_folder_of_their_program() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        symlink("/bin/sleep", &program).unwrap();
        let mut child = Command::new(&program).arg("60").spawn().unwrap();
        // The child has the name of its program only after it has executed it.
        while started_from(folder.path()).is_empty() {
            assert!(child.try_wait().unwrap().is_none());
        }
        assert_eq!(started_from(folder.path()), [child.id()]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(started_from(folder.path()).is_empty());
    }
}
