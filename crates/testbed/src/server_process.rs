//! A server that runs as a child process and ends with its guard.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{Error, isolated_environment};

/// How long a server may take to report that it is ready.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(30);

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
    /// Its own group, which is killed when this process ends, however it ends.
    Bound,
}

/// Starts the program that the arguments name, with a process beside it that kills both when
/// standard input ends, which is when the owner has ended.
const BOUND: &str = r#"exec 3<&0 </dev/null
{ cat <&3 >/dev/null; kill -KILL 0; } &
exec "$@" 3<&-"#;

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
        command: Command,
        folder: &Path,
        group: Group,
    ) -> Result<(Self, String), Error> {
        Self::start_within(START_LIMIT, name, command, folder, group)
    }

    /// Does the same for a server that may take longer than others to become ready.
    pub(crate) fn start_within(
        limit: Duration,
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
        let line = server.wait_for_line(name, &ready, limit)?;
        Ok((server, line))
    }

    /// Starts a program that is killed when it is dropped or when this process ends, however it
    /// ends.
    ///
    /// Its output goes to `<folder>/<name>.log`, after what is there already.
    pub(crate) fn spawn_bound<A: AsRef<OsStr>>(
        name: &str,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        folder: &Path,
    ) -> Result<Self, Error> {
        let log = folder.join(format!("{name}.log"));
        let failure = Error::file("open", &log);
        let (stdout, stderr) = open_to_append(&log).map_err(failure)?;
        let child = Command::new("sh")
            .args(["-c", BOUND, "sh"])
            .arg(program)
            .args(arguments)
            .env_clear()
            .envs(isolated_environment(folder))
            // The child keeps the read end of this pipe; `Self` keeps the other end open.
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()
            .map_err(|source| Error::Start {
                command: name.to_owned(),
                source,
            })?;
        Ok(Self {
            child,
            group: Group::Bound,
            log,
        })
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

    fn wait_for_line(
        &mut self,
        name: &str,
        ready: &Path,
        limit: Duration,
    ) -> Result<String, Error> {
        self.wait_until(name, limit, || {
            let text = fs::read_to_string(ready).map_err(Error::file("read", ready))?;
            Ok(text.split_once('\n').map(|(line, _)| line.to_owned()))
        })
    }

    /// Fails if the server has ended.
    pub(crate) fn check_running(&mut self, name: &str) -> Result<(), Error> {
        if self.child.try_wait().ok().flatten().is_some() {
            return Err(self.not_ready(name, Duration::ZERO));
        }
        Ok(())
    }

    fn not_ready(&self, name: &str, waited: Duration) -> Error {
        Error::NotReady {
            server: name.to_owned(),
            seconds: waited.as_secs(),
            tail: last_lines(&self.log),
            log: self.log.clone(),
        }
    }

    /// Polls `ready` until it returns a value.
    ///
    /// Fails if the server ends, or after `limit`.
    pub(crate) fn wait_until<T>(
        &mut self,
        name: &str,
        limit: Duration,
        mut ready: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        loop {
            if let Some(value) = ready()? {
                return Ok(value);
            }
            let has_ended = self.child.try_wait().ok().flatten().is_some();
            if has_ended || started.elapsed() > limit {
                return Err(self.not_ready(name, started.elapsed()));
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

/// Starts a process that removes a folder after this process has ended.
pub(crate) fn remove_with_owner(folder: &Path) -> Result<Child, Error> {
    // The servers in the folder end at the same time and may still create files.
    let script = r#"cat >/dev/null; sleep 1; rm -rf "$1""#;
    Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(folder)
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|source| Error::Start {
            command: "rm".to_owned(),
            source,
        })
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
        Group::Own | Group::Bound => kill_process_group(pid, signal),
    };
    if group == Group::Bound {
        // Servers of a test hold nothing that is worth an orderly end.
        let _ = send(Signal::KILL);
        return;
    }
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

/// Writes a file that only the user can read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let mut file = create_private(path)?;
    file.write_all(text.as_bytes())
        .map_err(Error::file("write", path))
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

/// Opens a log for both outputs of a program.
fn open_to_append(path: &Path) -> io::Result<(File, File)> {
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    Ok((file.try_clone()?, file))
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
    fn a_bound_server_and_its_children_are_killed_when_the_owner_ends() {
        let folder = tempfile::tempdir().unwrap();
        let script = "trap '' TERM; sleep 60 & echo $!; wait";
        let mut server =
            ServerProcess::spawn_bound("test", "sh".as_ref(), ["-c", script], folder.path())
                .unwrap();
        let log = server.log().to_owned();
        let limit = Duration::from_secs(60);
        let child = server.wait_for_line("test", &log, limit).unwrap();
        let child: u32 = child.parse().unwrap();
        // The end of the owner closes its end of the pipe.
        drop(server.child.stdin.take());
        server.child.wait().unwrap();
        let started = Instant::now();
        while arguments_of(child).is_some() && started.elapsed() < STOP_LIMIT {
            std::thread::sleep(POLL_INTERVAL);
        }
        assert_eq!(arguments_of(child), None);
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
