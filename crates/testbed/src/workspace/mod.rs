//! A folder with a configuration, and the real command line run in it.

mod cli_config;
mod environment;
mod outcome;
mod plan;
mod running;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

pub use cli_config::CliConfig;
pub use environment::isolated_environment;
pub use outcome::{Diagnostic, Outcome, Severity};
pub use plan::{Change, Plan};
pub use running::Running;

use crate::{Error, Invocation, Provider, Terraform, processes, progress};

/// The file that a plan is saved in.
const PLAN_FILE: &str = "plan.tfplan";

const APPLY: [&str; 4] = ["apply", "-json", "-input=false", "-auto-approve"];

/// The file that a debug log goes to.
const TRACE_FILE: &str = "trace.log";

/// A temporary working folder with its own home, command-line configuration and environment.
///
/// Nothing of the user's own Terraform set-up is seen. Every command must end with success, unless its
/// name says otherwise; the error then holds the diagnostics.
#[derive(Debug)]
pub struct Workspace {
    terraform: Terraform,
    folder: TempDir,
    variables: Vec<(OsString, OsString)>,
}

/// An apply that ended with success.
#[derive(Debug)]
pub struct Applied {
    /// What the command said.
    pub outcome: Outcome,
}

impl Workspace {
    /// Makes an empty folder in which `provider` is used without an installation step.
    pub fn new(terraform: &Terraform, provider: &Provider) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("nautes-workspace-")
            .tempdir()
            .map_err(Error::file("create", std::env::temp_dir()))?;
        let workspace = Self {
            terraform: terraform.clone(),
            folder,
            variables: Vec::new(),
        };
        let providers = workspace.providers();
        provider.link_into(&providers)?;
        fs::create_dir_all(workspace.path()).map_err(Error::file("create", workspace.path()))?;
        CliConfig::dev_override(&provider.source, &providers).write(&workspace.cli_config())?;
        Ok(workspace)
    }

    /// Sets a variable for every command that follows.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.set_env(name, value);
        self
    }

    /// Sets or replaces a variable for every command that follows.
    pub fn set_env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.variables
            .retain(|(present, _)| present != name.as_ref());
        self.variables
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
    }

    /// Writes debug logs of the given level, such as `TRACE`, for every command that follows.
    #[must_use]
    pub fn with_trace(self, level: &str) -> Self {
        let trace = self.folder.path().join(TRACE_FILE);
        self.env("TF_LOG", level).env("TF_LOG_PATH", trace)
    }

    /// The debug log so far; empty without [`Workspace::with_trace`].
    pub fn trace(&self) -> String {
        fs::read_to_string(self.folder.path().join(TRACE_FILE)).unwrap_or_default()
    }

    /// The folder that the configuration is in.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("configuration")
    }

    /// The command line that is run.
    pub fn terraform(&self) -> &Terraform {
        &self.terraform
    }

    fn providers(&self) -> PathBuf {
        self.folder.path().join("provider")
    }

    /// The process ids of the providers that commands of this workspace have started and that still run.
    pub fn provider_processes(&self) -> Vec<u32> {
        processes::started_from(&self.providers())
    }

    fn cli_config(&self) -> PathBuf {
        self.folder.path().join("cli.tfrc")
    }

    /// Writes or replaces a file of the configuration.
    pub fn write(&self, name: &str, content: &str) -> Result<(), Error> {
        let path = self.path().join(name);
        fs::write(&path, content).map_err(Error::file("write", path))
    }

    /// Removes a file of the configuration.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path().join(name);
        fs::remove_file(&path).map_err(Error::file("remove", path))
    }

    /// Runs any command and reports how it ended, with success or not.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Outcome, Error> {
        let invocation = self.invocation(arguments);
        let title = invocation.to_string();
        progress::when_slow(&title, || invocation.finish()).map(Outcome::new)
    }

    /// Starts any command, and does not wait for its end.
    pub fn start<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Running, Error> {
        Running::start(self.invocation(arguments), self.providers())
    }

    fn invocation<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Invocation {
        let mut environment = isolated_environment(self.folder.path());
        environment.push(("TF_CLI_CONFIG_FILE".into(), self.cli_config().into()));
        environment.extend(self.variables.iter().cloned());
        Invocation::new(self.terraform.program())
            .args(arguments)
            .current_dir(self.path())
            .environment(environment)
    }

    /// Checks the configuration.
    pub fn validate(&self) -> Result<Outcome, Error> {
        self.validate_any()?.success()
    }

    /// Checks a configuration that must be refused.
    pub fn failing_validate(&self) -> Result<Outcome, Error> {
        self.validate_any()?.failure()
    }

    fn validate_any(&self) -> Result<Outcome, Error> {
        self.run(["validate", "-json"])
    }

    /// Plans, and saves the plan for [`Workspace::apply_plan`].
    pub fn plan(&self) -> Result<Plan, Error> {
        self.plan_with(&[])
    }

    /// Plans with more arguments, such as `-refresh=false`.
    pub fn plan_with(&self, arguments: &[&str]) -> Result<Plan, Error> {
        Ok(Plan::new(self.plan_any(arguments)?.success()?))
    }

    /// Makes a plan that must be refused.
    pub fn failing_plan(&self) -> Result<Outcome, Error> {
        self.plan_any(&[])?.failure()
    }

    fn plan_any(&self, arguments: &[&str]) -> Result<Outcome, Error> {
        let fixed = ["plan", "-json", "-input=false", "-out", PLAN_FILE];
        self.run(fixed.iter().chain(arguments))
    }

    /// Plans, and fails if anything is to be done or an output is to change.
    pub fn assert_empty_plan(&self, when: &'static str) -> Result<(), Error> {
        let plan = self.plan()?;
        if plan.is_empty() {
            return Ok(());
        }
        Err(Error::PlanNotEmpty {
            when,
            changes: plan.to_string(),
        })
    }

    /// The saved plan in full, as `terraform show -json` gives it.
    pub fn show_plan(&self) -> Result<Value, Error> {
        self.run(["show", "-json", PLAN_FILE])?.success()?.json()
    }

    /// Applies the configuration, and then asserts that the next plan is empty.
    pub fn apply(&self) -> Result<Applied, Error> {
        let applied = self.apply_with(&[])?;
        self.assert_empty_plan("after apply")?;
        Ok(applied)
    }

    /// Applies once with more arguments, such as `-parallelism=1`, and asserts nothing about the next plan.
    pub fn apply_with(&self, arguments: &[&str]) -> Result<Applied, Error> {
        let outcome = self.apply_any(arguments)?.success()?;
        Ok(Applied { outcome })
    }

    /// Applies the plan that was saved last.
    pub fn apply_plan(&self) -> Result<Applied, Error> {
        self.apply_with(&[PLAN_FILE])
    }

    /// Applies a configuration that must be refused or must fail half-way.
    pub fn failing_apply(&self) -> Result<Outcome, Error> {
        self.apply_any(&[])?.failure()
    }

    /// Starts to apply, and does not wait for the end.
    pub fn start_apply(&self, arguments: &[&str]) -> Result<Running, Error> {
        self.start(APPLY.iter().chain(arguments))
    }

    fn apply_any(&self, arguments: &[&str]) -> Result<Outcome, Error> {
        self.run(APPLY.iter().chain(arguments))
    }

    /// Destroys everything in the state.
    pub fn destroy(&self) -> Result<Applied, Error> {
        self.apply_with(&["-destroy"])
    }

    /// Destroys what must be refused or must fail half-way.
    pub fn failing_destroy(&self) -> Result<Outcome, Error> {
        self.apply_any(&["-destroy"])?.failure()
    }

    /// Imports an existing object into the state.
    pub fn import(&self, address: &str, id: &str) -> Result<Outcome, Error> {
        self.run(["import", "-input=false", "-no-color", address, id])?
            .success()
    }

    /// Imports what must be refused.
    pub fn failing_import(&self, address: &str, id: &str) -> Result<Outcome, Error> {
        self.run(["import", "-input=false", "-no-color", address, id])?
            .failure()
    }

    /// The state in full, as `terraform show -json` gives it.
    pub fn state(&self) -> Result<Value, Error> {
        self.run(["show", "-json"])?.success()?.json()
    }

    /// The values of one resource or data source of the root module, such as `nautes_product.shop`.
    pub fn resource(&self, address: &str) -> Result<Value, Error> {
        let state = self.state()?;
        let resources = resources_of(&state);
        let of_address = |resource: &&Value| resource.get("address") == Some(&address.into());
        resources
            .iter()
            .find(of_address)
            .and_then(|resource| resource.get("values"))
            .cloned()
            .ok_or_else(|| Error::NotInState {
                address: address.to_owned(),
                present: addresses(resources).join(", "),
            })
    }

    /// The addresses in the root module of the state.
    pub fn addresses(&self) -> Result<Vec<String>, Error> {
        Ok(addresses(resources_of(&self.state()?)))
    }

    /// The outputs of the state by name.
    pub fn outputs(&self) -> Result<Value, Error> {
        let outputs: serde_json::Map<String, Value> =
            self.run(["output", "-json"])?.success()?.json()?;
        let value_of = |output: &Value| output.get("value").cloned().unwrap_or_default();
        Ok(outputs
            .iter()
            .map(|(name, output)| (name.clone(), value_of(output)))
            .collect())
    }

    /// The state file as it is on disk, private data included; none before the first apply.
    pub fn state_file(&self) -> Option<String> {
        fs::read_to_string(self.path().join("terraform.tfstate")).ok()
    }

    /// Keeps the folder on disk, to look at it after a failure, and returns its path.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

fn resources_of(state: &Value) -> &[Value] {
    state
        .pointer("/values/root_module/resources")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn addresses(resources: &[Value]) -> Vec<String> {
    resources
        .iter()
        .filter_map(|resource| resource.get("address")?.as_str())
        .map(str::to_owned)
        .collect()
}

/// The root folder of everything that a workspace makes, for a look at its files.
impl AsRef<Path> for Workspace {
    fn as_ref(&self) -> &Path {
        self.folder.path()
    }
}
