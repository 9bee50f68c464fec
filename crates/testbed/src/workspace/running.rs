//! A command that runs in the background, so that a test can interrupt it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Signal, kill_process, kill_process_group};
use tempfile::NamedTempFile;

use super::Outcome;
use crate::interruptible::let_programs_be_interrupted;
use crate::server_process::to_pid;
use crate::{Error, Finished, Invocation, processes};

/// A running Terraform or OpenTofu command, in its own process group.
///
/// Dropping it before its end kills it and the providers that it started.
#[derive(Debug)]
pub struct Running {
    command: String,
    child: Child,
    end: Option<ExitStatus>,
    providers: PathBuf,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
}

impl Running {
    pub(super) fn start(invocation: Invocation, providers: PathBuf) -> Result<Self, Error> {
        let_programs_be_interrupted();
        let command = invocation.to_string();
        let start_failure = |source| Error::Start {
            command: command.clone(),
            source,
        };
        let output = || NamedTempFile::new().map_err(start_failure);
        let (stdout, stderr) = (output()?, output()?);
        let child = Command::from(invocation)
            .process_group(0)
            .stdout(stdout.reopen().map_err(start_failure)?)
            .stderr(stderr.reopen().map_err(start_failure)?)
            .spawn()
            .map_err(start_failure)?;
        Ok(Self {
            command,
            child,
            end: None,
            providers,
            stdout,
            stderr,
        })
    }

    /// Returns whether the command has ended.
    pub fn has_ended(&mut self) -> bool {
        if self.end.is_none() {
            self.end = self.child.try_wait().ok().flatten();
        }
        self.end.is_some()
    }

    /// Interrupts the command and its providers, like Ctrl-C at a terminal.
    pub fn interrupt(&self) {
        self.signal_group(Signal::INT);
    }

    /// Kills the command, but not its providers.
    pub fn kill(&self) {
        signal(self.child.id(), Signal::KILL);
    }

    /// Kills the providers that the command started.
    pub fn kill_providers(&self) {
        for pid in processes::started_from(&self.providers) {
            signal(pid, Signal::KILL);
        }
    }

    /// Waits for the end and returns the result, successful or not.
    pub fn finish(mut self) -> Result<Outcome, Error> {
        let wait_failure = |source| Error::Start {
            command: self.command.clone(),
            source,
        };
        let status = match self.end {
            Some(status) => status,
            None => self.child.wait().map_err(wait_failure)?,
        };
        self.end = Some(status);
        let stdout = read(&self.stdout)?;
        let stderr = read(&self.stderr)?;
        Ok(Outcome::new(Finished::new(
            self.command.clone(),
            status,
            stdout,
            stderr,
        )))
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(group) = to_pid(self.child.id()) {
            // Fails if the group has ended.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.signal_group(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        // Fails if the process has ended.
        let _ = kill_process(pid, signal);
    }
}

fn read(file: &NamedTempFile) -> Result<String, Error> {
    let bytes = fs::read(file.path()).map_err(Error::file("read", file.path()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Running {
        let invocation = Invocation::new("sh").args(["-c", script]);
        Running::start(invocation, "/nonexistent".into()).unwrap()
    }

    fn wait_for_output(running: &mut Running) {
        while read(&running.stdout).unwrap().is_empty() {
            assert!(!running.has_ended());
        }
    }

    #[test]
    fn an_interrupted_command_can_exit_by_itself() {
        let script =
            "trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.01; done";
        let mut running = shell(script);
        wait_for_output(&mut running);
        running.interrupt();
        let outcome = running.finish().unwrap();
        assert_eq!(outcome.exit_code(), Some(3));
        assert_eq!(outcome.stdout(), "ready\ninterrupted\n");
    }

    #[test]
    fn a_killed_command_has_no_exit_code() {
        let mut running = shell("echo ready; exec sleep 60");
        wait_for_output(&mut running);
        running.kill();
        assert_eq!(running.finish().unwrap().exit_code(), None);
    }
}
