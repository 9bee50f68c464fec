//! A server that runs as a child process and is ended with its guard.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::Error;

/// How long a server may take until it says that it is ready.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a server may take to end after it was asked to.
const STOP_LIMIT: Duration = Duration::from_secs(5);

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// What a server belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// The process group of this process, so that an interrupt at the terminal ends both.
    Shared,
    /// A process group of its own, so that it can outlive this process.
    Own,
}

/// A running server. Dropping it ends it, and if it has a group of its own, the whole group.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    group: Group,
    log: PathBuf,
}

impl ServerProcess {
    /// Starts `command` and waits for the first line on its standard output, which it returns.
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

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where the server's messages are.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Leaves the server running and returns its process id.
    pub(crate) fn leave_running(self) -> u32 {
        let pid = self.pid();
        // Only the guard is given up; the operating system keeps the process.
        std::mem::forget(self);
        pid
    }

    fn wait_for_line(&mut self, name: &str, ready: &Path) -> Result<String, Error> {
        self.wait_until(name, || {
            let text = fs::read_to_string(ready).map_err(Error::file("read", ready))?;
            Ok(text.split_once('\n').map(|(line, _)| line.to_owned()))
        })
    }

    /// Asks `ready` until it returns something, but not for longer than a start may take, nor when the
    /// server has ended.
    pub(crate) fn wait_until<T>(
        &mut self,
        name: &str,
        mut ready: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        loop {
            if let Some(answer) = ready()? {
                return Ok(answer);
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

/// Whether a process of that id runs, and `mark` is one of its arguments.
///
/// A process id alone proves nothing: it may have been given to another program since.
pub(crate) fn is_running_with(pid: u32, mark: &str) -> bool {
    arguments_of(pid).is_some_and(|arguments| arguments.iter().any(|argument| argument == mark))
}

/// Ends a server that was left running in a group of its own. The caller has made sure that it is ours.
pub(crate) fn stop_left_running(pid: u32) {
    stop(pid, Group::Own, || arguments_of(pid).is_none());
}

/// Asks a server to end, waits for it, and forces it if it takes too long.
fn stop(pid: u32, group: Group, mut has_ended: impl FnMut() -> bool) {
    let Some(pid) = to_pid(pid) else { return };
    let send = |signal| match group {
        Group::Shared => kill_process(pid, signal),
        Group::Own => kill_process_group(pid, signal),
    };
    let _ = send(Signal::TERM);
    let asked = Instant::now();
    while !has_ended() {
        if asked.elapsed() > STOP_LIMIT {
            let _ = send(Signal::KILL);
            return;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    if group == Group::Own {
        // What the server started may have stayed behind.
        let _ = send(Signal::KILL);
    }
}

/// Creates a file for the user alone, since a ready line may hold a token.
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

/// The command line of a living process: from `/proc` where there is one, else from `ps`.
pub(crate) fn arguments_of(pid: u32) -> Option<Vec<String>> {
    let arguments: Vec<String> = if Path::new("/proc/self/cmdline").exists() {
        // Empty for a process that has ended and that its parent has not asked about yet.
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
        command.args(["-c", script, "mark-of-the-test"]);
        command
    }

    #[test]
    fn a_server_and_its_children_end_with_the_guard() {
        let folder = tempfile::tempdir().unwrap();
        let script = "sleep 60 & echo $!; wait";
        let (server, line) =
            ServerProcess::start("test", shell(script), folder.path(), Group::Own).unwrap();
        let child: u32 = line.parse().unwrap();
        assert!(is_running_with(server.pid(), "mark-of-the-test"));
        assert!(!is_running_with(server.pid(), "another-mark"));
        drop(server);
        let started = Instant::now();
        while arguments_of(child).is_some() && started.elapsed() < STOP_LIMIT {
            std::thread::sleep(POLL_INTERVAL);
        }
        assert_eq!(arguments_of(child), None);
    }

    #[test]
    fn a_server_that_ends_at_once_is_reported_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let result =
            ServerProcess::start("test", shell("echo no luck >&2"), folder.path(), Group::Own);
        let error = result.unwrap_err().to_string();
        assert!(error.contains("no luck"), "{error}");
    }

    #[test]
    fn a_server_left_running_can_be_stopped_later() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo ready; sleep 60; true";
        let (server, _) =
            ServerProcess::start("test", shell(script), folder.path(), Group::Own).unwrap();
        let pid = server.leave_running();
        assert!(is_running_with(pid, "mark-of-the-test"));
        stop_left_running(pid);
        assert!(!is_running_with(pid, "mark-of-the-test"));
    }
}
