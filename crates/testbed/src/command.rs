//! Runs a program to its end and captures its output.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::Error;

/// A command line to run: a program, arguments, a folder and an environment.
///
/// Standard input is always closed, so that no program can prompt.
#[derive(Debug)]
pub struct Invocation {
    command: Command,
}

/// A program that has ended, successfully or not.
#[derive(Debug)]
pub struct Finished {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; `None` if a signal ended the program.
    pub exit_code: Option<i32>,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
    status: String,
}

impl Invocation {
    /// Makes a command line with the environment of this process.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        Self { command }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets the folder to run in.
    #[must_use]
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets one environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Removes one inherited environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Replaces the whole environment.
    #[must_use]
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        self.command.env_clear().envs(variables);
        self
    }

    /// Runs the program to its end, and captures standard output and standard error.
    pub fn finish(mut self) -> Result<Finished, Error> {
        let command = self.to_string();
        let output = self.command.output().map_err(|source| Error::Start {
            command: command.clone(),
            source,
        })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Ok(Finished::new(command, output.status, stdout, stderr))
    }

    /// Runs the program to its end, captures standard output and passes standard error through.
    pub fn finish_showing_stderr(mut self) -> Result<Finished, Error> {
        self.command.stderr(Stdio::inherit());
        self.finish()
    }

    /// Runs the program to its end, and passes both outputs through.
    pub fn finish_showing_all(mut self) -> Result<Finished, Error> {
        self.command.stdout(Stdio::inherit());
        self.finish_showing_stderr()
    }
}

/// For other uses, such as reading the output while the program runs.
impl From<Invocation> for Command {
    fn from(invocation: Invocation) -> Self {
        invocation.command
    }
}

impl std::fmt::Display for Invocation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let program = Path::new(self.command.get_program());
        write!(
            formatter,
            "{}",
            program.file_name().unwrap_or(program.as_os_str()).display()
        )?;
        self.command
            .get_args()
            .try_for_each(|argument| write!(formatter, " {}", argument.display()))
    }
}

impl Finished {
    pub(crate) fn new(command: String, status: ExitStatus, stdout: String, stderr: String) -> Self {
        Self {
            command,
            exit_code: status.code(),
            stdout,
            stderr,
            status: status.to_string(),
        }
    }

    /// Returns whether the exit code is zero.
    pub fn is_success(&self) -> bool {
        self.exit_code == Some(0)
    }

    /// Returns `self` if the exit code is zero, else an error with the output.
    pub fn success(self) -> Result<Self, Error> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(self.into_failure())
        }
    }

    /// Turns the result into an error with the output.
    pub fn into_failure(self) -> Error {
        let output = if self.stderr.trim().is_empty() {
            self.stdout
        } else {
            self.stderr
        };
        Error::Failed {
            command: self.command,
            status: self.status,
            output,
        }
    }

    /// Parses standard output as one JSON document.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.stdout).map_err(|source| Error::Output {
            command: self.command.clone(),
            expected: "JSON",
            source: Some(source),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_command_and_its_output() {
        let error = Invocation::new("git")
            .args(["rev-parse", "--verify", "no-such-revision"])
            .finish()
            .unwrap()
            .success()
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`git rev-parse --verify no-such-revision` failed"),
            "{error}"
        );
        assert!(error.contains("fatal: "), "{error}");
    }

    #[test]
    fn a_replaced_environment_inherits_nothing() {
        let finished = Invocation::new("env")
            .environment([(OsString::from("ONLY"), OsString::from("this"))])
            .finish()
            .unwrap();
        assert_eq!(finished.stdout, "ONLY=this\n");
    }
}
