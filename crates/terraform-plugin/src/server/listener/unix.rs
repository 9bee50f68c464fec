//! A Unix socket that only this user, or one group, can connect to.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, chown};
use tokio::net::UnixStream;

use super::super::error::Error;
use super::Address;

/// The number of names to try. A name is taken if a killed process with this id left its socket.
const ATTEMPTS: u32 = 64;

/// A listening socket. Dropping it removes the socket file.
pub(super) struct Bound {
    listener: tokio::net::UnixListener,
    file: SocketFile,
}

struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // The process is exiting, so a failure changes nothing.
        let _ = fs::remove_file(&self.0);
    }
}

impl Bound {
    /// Creates a socket in `folder` with mode 0600, or 0660 if `group` may connect too.
    pub(super) fn bind(folder: &Path, group: Option<&str>) -> Result<Self, Error> {
        let (listener, file) = listen(folder).map_err(|source| Error::Listen {
            address: folder.display().to_string(),
            source,
        })?;
        if let Some(group) = group {
            grant_group(&file.0, group).map_err(|source| Error::SocketGroup {
                path: file.0.clone(),
                group: group.to_owned(),
                source,
            })?;
        }
        Ok(Self { listener, file })
    }

    pub(super) fn address(&self) -> Address {
        Address::Unix(self.file.0.clone())
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept().await?;
        Ok(stream)
    }
}

/// Binds a new socket with a short name: macOS limits the path to 104 bytes, and its temporary directory takes half.
fn listen(folder: &Path) -> io::Result<(tokio::net::UnixListener, SocketFile)> {
    let process = std::process::id();
    let mut attempt = 0;
    let (listener, file) = loop {
        let path = folder.join(format!("tf{process}-{attempt}"));
        match UnixListener::bind(&path) {
            Ok(listener) => break (listener, SocketFile(path)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempt < ATTEMPTS => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    };
    fs::set_permissions(&file.0, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok((tokio::net::UnixListener::from_std(listener)?, file))
}

fn grant_group(path: &Path, group: &str) -> io::Result<()> {
    let id = match group.parse() {
        Ok(id) => id,
        Err(_) => group_id(&fs::read_to_string("/etc/group")?, group)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such group"))?,
    };
    chown(path, None, Some(Gid::from_raw(id)))?;
    fs::set_permissions(path, Permissions::from_mode(0o660))
}

/// Returns the id of the group `name` from the text of `/etc/group`: lines of `name:password:id:members`.
fn group_id(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn path(bound: &Bound) -> PathBuf {
        let Address::Unix(path) = bound.address() else {
            panic!("a socket")
        };
        path
    }

    #[tokio::test]
    async fn only_its_user_can_open_the_socket_and_dropping_the_listener_removes_it() {
        let folder = tempfile::tempdir().unwrap();
        let bound = Bound::bind(folder.path(), None).unwrap();
        let path = path(&bound);
        assert_eq!(mode(&path), 0o600);
        let _client = UnixStream::connect(&path).await.unwrap();
        bound.accept().await.unwrap();
        drop(bound);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_left_by_a_killed_process_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let first = Bound::bind(folder.path(), None).unwrap();
        let second = Bound::bind(folder.path(), None).unwrap();
        assert_ne!(path(&first), path(&second));
    }

    #[tokio::test]
    async fn a_group_can_be_given_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let own = rustix::process::getgid().as_raw().to_string();
        let bound = Bound::bind(folder.path(), Some(&own)).unwrap();
        assert_eq!(mode(&path(&bound)), 0o660);
    }

    #[tokio::test]
    async fn an_unknown_group_is_an_error_that_names_it_and_removes_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let Err(error) = Bound::bind(folder.path(), Some("no-such-group")) else {
            panic!("there is no such group")
        };
        assert!(
            error.to_string().ends_with("to the group no-such-group"),
            "{error}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn groups_are_found_by_their_whole_name() {
        let groups = "root:x:0:\nstaff-two:x:51:\nstaff:x:50:ann,ben\n";
        assert_eq!(group_id(groups, "staff"), Some(50));
        assert_eq!(group_id(groups, "sta"), None);
    }
}
