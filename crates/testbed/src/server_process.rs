//! A server that runs as a child process and ends with its guard.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::Error;

/// How long a server may take to report that it is ready.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a server may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(5);

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The process group of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// The group of this process, so that an interrupt at the terminal ends both.
    Shared,
    /// Its own group, so that it can outlive this process.
    Own,
}

/// A running server. Dropping it ends the server, and its process group if it has its own.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    group: Group,
    log: PathBuf,
}

impl ServerProcess {
    /// Starts `command`, waits for the first line on its standard output and returns that line.
    ///
    /// Standard output goes to `<folder>/<name>.ready`, standard error to `<folder>/<name>.log`.
    pub(crate) fn start(
        name: &str,
        mut command: Command,
        folder: &Path,
        group: Group,
    ) -> Result<(Self, String), Error> {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let ready = folder.join(format!("{name}.ready"));
        let log = folder.join(format!("{name}.log"));
        let ready_file = create_private(&ready)?;
        let log_file = File::create(&log).map_err(Error::file("create", &log))?;
        command
            .stdin(Stdio::null())
            .stdout(ready_file)
            .stderr(log_file);
        if group == Group::Own {
            command.process_group(0);
        }
        let start_failure = |source| Error::Start {
            command: name.to_owned(),
            source,
        };
        let child = command.spawn().map_err(start_failure)?;
        let mut server = Self { child, group, log };
        let line = server.wait_for_line(name, &ready)?;
        Ok((server, line))
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the path of the server's log.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Leaves the server running and returns its process id.
    pub(crate) fn detach(self) -> u32 {
        let pid = self.pid();
        // The process goes on without its guard.
        std::mem::forget(self);
        pid
    }

    fn wait_for_line(&mut self, name: &str, ready: &Path) -> Result<String, Error> {
        self.wait_until(name, || {
            let text = fs::read_to_string(ready).map_err(Error::file("read", ready))?;
            Ok(text.split_once('\n').map(|(line, _)| line.to_owned()))
        })
    }

    /// Polls `ready` until it returns a value.
    ///
    /// Fails if the server ends, or after [`START_LIMIT`].
    pub(crate) fn wait_until<T>(
        &mut self,
        name: &str,
        mut ready: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        loop {
            if let Some(value) = ready()? {
                return Ok(value);
            }
            let has_ended = self.child.try_wait().ok().flatten().is_some();
            if has_ended || started.elapsed() > START_LIMIT {
                return Err(Error::NotReady {
                    server: name.to_owned(),
                    seconds: started.elapsed().as_secs(),
                    tail: last_lines(&self.log),
                    log: self.log.clone(),
                });
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let (pid, group) = (self.child.id(), self.group);
        stop(pid, group, || {
            self.child.try_wait().ok().flatten().is_some()
        });
        let _ = self.child.wait();
    }
}

/// Returns whether a process with that id runs and has `wanted` among its arguments.
///
/// The process id is not enough: it may have been reused for another program.
pub(crate) fn is_running_with(pid: u32, wanted: &str) -> bool {
    arguments_of(pid).is_some_and(|arguments| arguments.iter().any(|argument| argument == wanted))
}

/// Ends a detached server, which has its own process group.
///
/// The caller must have checked that the process id is still that of the server.
pub(crate) fn stop_detached(pid: u32) {
    stop(pid, Group::Own, || arguments_of(pid).is_none());
}

/// Sends SIGTERM to a server, waits for its end, and kills it after [`STOP_LIMIT`].
fn stop(pid: u32, group: Group, mut has_ended: impl FnMut() -> bool) {
    let Some(pid) = to_pid(pid) else { return };
    let send = |signal| match group {
        Group::Shared => kill_process(pid, signal),
        Group::Own => kill_process_group(pid, signal),
    };
    let _ = send(Signal::TERM);
    let begun = Instant::now();
    while !has_ended() {
        if begun.elapsed() > STOP_LIMIT {
            let _ = send(Signal::KILL);
            return;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    if group == Group::Own {
        // Child processes of the server may still run.
        let _ = send(Signal::KILL);
    }
}

/// Creates a file that only the user can read, since a ready line may contain a token.
fn create_private(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::file("create", path))
}

pub(crate) fn to_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// Returns the command line of a live process, from `/proc` where it exists, else from `ps`.
pub(crate) fn arguments_of(pid: u32) -> Option<Vec<String>> {
    let arguments: Vec<String> = if Path::new("/proc/self/cmdline").exists() {
        // Empty for a zombie.
        let command_line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let text = String::from_utf8_lossy(&command_line).into_owned();
        text.split_terminator('\0').map(str::to_owned).collect()
    } else {
        let pid = pid.to_string();
        let listing = crate::Invocation::new("ps")
            .args(["-o", "args=", "-p", &pid])
            .finish()
            .ok()?;
        listing
            .stdout
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    (!arguments.is_empty()).then_some(arguments)
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines
        .iter()
        .skip(lines.len().saturating_sub(20))
        .copied()
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script, "argument-of-the-test"]);
        command
    }

    #[test]
    fn a_server_and_its_children_end_with_the_guard() {
        let folder = tempfile::tempdir().unwrap();
        let script = "sleep 60 & echo $!; wait";
        let (server, line) =
            ServerProcess::start("test", shell(script), folder.path(), Group::Own).unwrap();
        let child: u32 = line.parse().unwrap();
        assert!(is_running_with(server.pid(), "argument-of-the-test"));
        assert!(!is_running_with(server.pid(), "another-argument"));
        drop(server);
        let started = Instant::now();
        while arguments_of(child).is_some() && started.elapsed() < STOP_LIMIT {
            std::thread::sleep(POLL_INTERVAL);
        }
        assert_eq!(arguments_of(child), None);
    }

    #[test]
    fn a_server_that_ends_at_once_is_reported_with_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let result =
            ServerProcess::start("test", shell("echo no luck >&2"), folder.path(), Group::Own);
        let error = result.unwrap_err().to_string();
        assert!(error.contains("no luck"), "{error}");
    }

    #[test]
    fn a_detached_server_can_be_stopped_later() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo ready; sleep 60; true";
        let (server, _) =
            ServerProcess::start("test", shell(script), folder.path(), Group::Own).unwrap();
        let pid = server.detach();
        assert!(is_running_with(pid, "argument-of-the-test"));
        stop_detached(pid);
        assert!(!is_running_with(pid, "argument-of-the-test"));
    }
}
