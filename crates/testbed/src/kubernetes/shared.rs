//! The control plane that the tests of one process share.

use std::process::Child;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{ControlPlane, ControlPlaneOptions};
use crate::Error;
use crate::server_process::remove_with_owner;

struct Shared {
    control_plane: ControlPlane,
    /// Removes the folder when this process ends.
    _cleanup: Child,
}

pub(super) fn get_or_start() -> Result<&'static ControlPlane, Error> {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    static START: Mutex<()> = Mutex::new(());
    // Concurrent callers share one start.
    let _start = START.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shared) = SHARED.get() {
        return Ok(&shared.control_plane);
    }
    let folder = std::env::temp_dir();
    let folder = tempfile::Builder::new()
        .prefix("nautes-kubernetes-")
        .tempdir_in(&folder)
        .map_err(Error::file("create a folder in", &folder))?;
    let control_plane = ControlPlane::start(folder.path(), &ControlPlaneOptions::default())?;
    let cleanup = remove_with_owner(&folder.keep())?;
    let shared = SHARED.get_or_init(|| Shared {
        control_plane,
        _cleanup: cleanup,
    });
    Ok(&shared.control_plane)
}
