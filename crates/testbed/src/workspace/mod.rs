//! A folder with a configuration, in which Terraform or OpenTofu runs.

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

/// The file with the saved plan.
const PLAN_FILE: &str = "plan.tfplan";

const APPLY: [&str; 4] = ["apply", "-json", "-input=false", "-auto-approve"];

/// The file with the debug log.
const TRACE_FILE: &str = "trace.log";

/// A temporary working folder with its own home, CLI configuration and environment.
///
/// It is independent of the user's Terraform setup. A command that fails is an error with its
/// diagnostics, except for the methods that expect a failure.
#[derive(Debug)]
pub struct Workspace {
    terraform: Terraform,
    folder: TempDir,
    variables: Vec<(OsString, OsString)>,
}

/// A successful apply.
#[derive(Debug)]
pub struct Applied {
    /// The result of the command.
    pub outcome: Outcome,
}

impl Workspace {
    /// Makes an empty folder in which `provider` is available without `init`.
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

    /// Sets an environment variable for all following commands.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.set_env(name, value);
        self
    }

    /// Sets or replaces an environment variable for all following commands.
    pub fn set_env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.variables
            .retain(|(present, _)| present != name.as_ref());
        self.variables
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
    }

    /// Enables debug logs of the given level, such as `TRACE`, for all following commands.
    #[must_use]
    pub fn with_trace(self, level: &str) -> Self {
        let trace = self.folder.path().join(TRACE_FILE);
        self.env("TF_LOG", level).env("TF_LOG_PATH", trace)
    }

    /// Returns the debug log so far; empty without [`Workspace::with_trace`].
    pub fn trace(&self) -> String {
        fs::read_to_string(self.folder.path().join(TRACE_FILE)).unwrap_or_default()
    }

    /// Returns the folder of the configuration.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("configuration")
    }

    /// Returns the command line.
    pub fn terraform(&self) -> &Terraform {
        &self.terraform
    }

    fn providers(&self) -> PathBuf {
        self.folder.path().join("provider")
    }

    /// Returns the process ids of running providers that were started by commands of this
    /// workspace.
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

    /// Runs any command and returns its result, successful or not.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Outcome, Error> {
        let invocation = self.invocation(arguments);
        let title = invocation.to_string();
        progress::when_slow(&title, || invocation.finish()).map(Outcome::new)
    }

    /// Starts any command without waiting for its end.
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

    /// Validates the configuration.
    pub fn validate(&self) -> Result<Outcome, Error> {
        self.validate_any()?.success()
    }

    /// Validates the configuration, which must fail.
    pub fn failing_validate(&self) -> Result<Outcome, Error> {
        self.validate_any()?.failure()
    }

    fn validate_any(&self) -> Result<Outcome, Error> {
        self.run(["validate", "-json"])
    }

    /// Plans and saves the plan for [`Workspace::apply_plan`].
    pub fn plan(&self) -> Result<Plan, Error> {
        self.plan_with(&[])
    }

    /// Plans with additional arguments, such as `-refresh=false`.
    pub fn plan_with(&self, arguments: &[&str]) -> Result<Plan, Error> {
        Ok(Plan::new(self.plan_any(arguments)?.success()?))
    }

    /// Plans, which must fail.
    pub fn failing_plan(&self) -> Result<Outcome, Error> {
        self.plan_any(&[])?.failure()
    }

    fn plan_any(&self, arguments: &[&str]) -> Result<Outcome, Error> {
        let fixed = ["plan", "-json", "-input=false", "-out", PLAN_FILE];
        self.run(fixed.iter().chain(arguments))
    }

    /// Plans and fails if there is any change, including to outputs.
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

    /// Returns the saved plan in the format of `terraform show -json`.
    pub fn show_plan(&self) -> Result<Value, Error> {
        self.run(["show", "-json", PLAN_FILE])?.success()?.json()
    }

    /// Applies the configuration and asserts that the next plan is empty.
    pub fn apply(&self) -> Result<Applied, Error> {
        let applied = self.apply_with(&[])?;
        self.assert_empty_plan("after apply")?;
        Ok(applied)
    }

    /// Applies with additional arguments, such as `-parallelism=1`, without checking the next plan.
    pub fn apply_with(&self, arguments: &[&str]) -> Result<Applied, Error> {
        let outcome = self.apply_any(arguments)?.success()?;
        Ok(Applied { outcome })
    }

    /// Applies the saved plan.
    pub fn apply_plan(&self) -> Result<Applied, Error> {
        self.apply_with(&[PLAN_FILE])
    }

    /// Applies the configuration, which must fail.
    pub fn failing_apply(&self) -> Result<Outcome, Error> {
        self.apply_any(&[])?.failure()
    }

    /// Starts an apply without waiting for its end.
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

    /// Destroys everything in the state, which must fail.
    pub fn failing_destroy(&self) -> Result<Outcome, Error> {
        self.apply_any(&["-destroy"])?.failure()
    }

    /// Imports an existing object into the state.
    pub fn import(&self, address: &str, id: &str) -> Result<Outcome, Error> {
        self.run(["import", "-input=false", "-no-color", address, id])?
            .success()
    }

    /// Imports an existing object, which must fail.
    pub fn failing_import(&self, address: &str, id: &str) -> Result<Outcome, Error> {
        self.run(["import", "-input=false", "-no-color", address, id])?
            .failure()
    }

    /// Returns the state in the format of `terraform show -json`.
    pub fn state(&self) -> Result<Value, Error> {
        self.run(["show", "-json"])?.success()?.json()
    }

    /// Returns the values of a resource or data source in the root module, such as
    /// `nautes_product.shop`.
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

    /// Returns the addresses in the root module of the state.
    pub fn addresses(&self) -> Result<Vec<String>, Error> {
        Ok(addresses(resources_of(&self.state()?)))
    }

    /// Returns the outputs of the state by name.
    pub fn outputs(&self) -> Result<Value, Error> {
        let outputs: serde_json::Map<String, Value> =
            self.run(["output", "-json"])?.success()?.json()?;
        let value_of = |output: &Value| output.get("value").cloned().unwrap_or_default();
        Ok(outputs
            .iter()
            .map(|(name, output)| (name.clone(), value_of(output)))
            .collect())
    }

    /// Returns the state file, including private data; `None` before the first apply.
    pub fn state_file(&self) -> Option<String> {
        fs::read_to_string(self.path().join("terraform.tfstate")).ok()
    }

    /// Keeps the folder on disk, for debugging, and returns its path.
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

/// The root folder with all files of the workspace.
impl AsRef<Path> for Workspace {
    fn as_ref(&self) -> &Path {
        self.folder.path()
    }
}
