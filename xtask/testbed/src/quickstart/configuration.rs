//! The user's copy of the example, and the commands that run in it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use testbed::{CliConfig, Finished, Invocation, Provider, Terraform, mirror};

use super::folders::Folders;
use super::private_file;
use super::servers::{KUBECONFIG, Servers, TENANT_GROUP};

/// A working folder, ready for the command line.
#[derive(Debug)]
pub(super) struct Configuration<'a> {
    folders: &'a Folders,
    terraform: &'a Terraform,
    variables: Vec<(OsString, OsString)>,
}

impl<'a> Configuration<'a> {
    /// Copies the example, unless there is a copy, and writes the variables for a shell.
    pub(super) fn prepare(
        folders: &'a Folders,
        terraform: &'a Terraform,
        servers: &Servers,
    ) -> anyhow::Result<Self> {
        copy_example(&folders.configuration())?;
        CliConfig::filesystem_mirror(&folders.providers()).write(&folders.cli_config())?;
        let mut variables: Vec<(OsString, OsString)> = vec![
            ("TF_CLI_CONFIG_FILE".into(), folders.cli_config().into()),
            ("NAUTES_GITLAB_URL".into(), (&servers.gitlab.url).into()),
            (
                "NAUTES_GITLAB_TOKEN".into(),
                (&servers.gitlab.root_token).into(),
            ),
            ("NAUTES_VAULT_ADDRESS".into(), servers.vault.url().into()),
            (
                "NAUTES_VAULT_TOKEN".into(),
                servers.vault.root_token().into(),
            ),
            ("NO_PROXY".into(), "127.0.0.1".into()),
        ];
        if let Some(cluster) = &servers.cluster {
            let (mount, path) = KUBECONFIG;
            let cluster = json!({
                "api_server": cluster.url(),
                "kubeconfig_vault": { "mount": mount, "path": path },
            });
            let repository = format!("{TENANT_GROUP}/management");
            variables.extend([
                ("TF_VAR_cluster".into(), cluster.to_string().into()),
                ("NAUTES_TENANT_REPOSITORY_PROJECT".into(), repository.into()),
                ("NAUTES_TENANT_REPOSITORY_CREATE".into(), "true".into()),
            ]);
        }
        write_shell_variables(&folders.shell_variables(), &variables)?;
        Ok(Self {
            folders,
            terraform,
            variables,
        })
    }

    /// Returns the command line in use.
    pub(super) fn terraform(&self) -> &Terraform {
        self.terraform
    }

    /// Puts the built provider into the mirror and installs it from there.
    pub(super) fn install(&self, provider: &Provider) -> anyhow::Result<()> {
        // A lock file pins the checksum of an earlier build.
        let lock = self.folders.configuration().join(".terraform.lock.hcl");
        if lock.exists() {
            fs::remove_file(&lock).with_context(|| format!("cannot remove {}", lock.display()))?;
        }
        let host = self.default_registry_host()?;
        mirror(
            &self.folders.providers(),
            &host,
            provider,
            env!("CARGO_PKG_VERSION"),
        )?;
        self.command(["init", "-input=false", "-no-color"])
            .finish()?
            .success()?;
        Ok(())
    }

    /// Returns the registry host of source addresses without one, which Terraform and `OpenTofu` choose differently.
    fn default_registry_host(&self) -> anyhow::Result<String> {
        let finished = self.command(["providers"]).finish()?.success()?;
        registry_host(&finished.stdout)
            .map(str::to_owned)
            .with_context(|| format!("`{}` names no provider", finished.command))
    }

    /// Applies, and shows the output.
    pub(super) fn apply(&self) -> anyhow::Result<()> {
        self.show(["apply", "-input=false", "-auto-approve"])?
            .success()?;
        Ok(())
    }

    /// Plans, and shows the output. Fails if the plan is not empty.
    pub(super) fn require_empty_plan(&self) -> anyhow::Result<()> {
        let finished = self.show(["plan", "-input=false", "-detailed-exitcode"])?;
        if finished.exit_code == Some(2) {
            bail!("the plan after the apply is not empty, which is a bug of the provider");
        }
        finished.success()?;
        Ok(())
    }

    /// Destroys, and shows the output.
    pub(super) fn destroy(&self) -> anyhow::Result<()> {
        self.show(["destroy", "-input=false", "-auto-approve"])?
            .success()?;
        Ok(())
    }

    /// Returns the value of a string output.
    pub(super) fn output(&self, name: &str) -> anyhow::Result<String> {
        let value: Value = self
            .command(["output", "-json", name])
            .finish()?
            .success()?
            .json()?;
        value
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("output {name} is not a string"))
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Invocation {
        let inherited = std::env::vars_os()
            .filter(|(name, _)| !name.to_string_lossy().starts_with("TF_"))
            .chain(self.variables.iter().cloned());
        Invocation::new(self.terraform.program())
            .args(arguments)
            .current_dir(self.folders.configuration())
            .environment(inherited)
            .env("CHECKPOINT_DISABLE", "1")
    }

    fn show<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> anyhow::Result<Finished> {
        let colour = (!std::io::stdout().is_terminal()).then_some("-no-color");
        Ok(self.command(arguments).args(colour).finish_showing_all()?)
    }
}

/// Copies the files of the example. An existing copy is the user's and stays.
fn copy_example(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let example = testbed::cargo::workspace_root().join("examples/quickstart");
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for name in ["main.tf", "variables.tf", "outputs.tf"] {
        let source = example.join(name);
        fs::copy(&source, folder.join(name))
            .with_context(|| format!("cannot copy {}", source.display()))?;
    }
    Ok(())
}

/// Writes `export` lines into a file that only the user may read, because some hold tokens.
fn write_shell_variables(path: &Path, variables: &[(OsString, OsString)]) -> anyhow::Result<()> {
    let lines = variables.iter().map(|(name, value)| {
        let quoted = value.to_string_lossy().replace('\'', r"'\''");
        format!("export {}='{quoted}'\n", name.display())
    });
    private_file::write(path, &lines.collect::<String>())
}

/// Finds the host in the output of `terraform providers`, as in `provider[host/namespace/type]`.
fn registry_host(output: &str) -> Option<&str> {
    let (_, address) = output.split_once("provider[")?;
    address.split_once('/').map(|(host, _)| host)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_registry_host_is_read_from_the_list_of_providers() {
        let output = "\nProviders required by configuration:\n.\n└── provider[a.example/n/t]\n";
        assert_eq!(registry_host(output), Some("a.example"));
        assert_eq!(registry_host("none"), None);
    }

    #[test]
    fn shell_variables_survive_quotes_and_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        write_shell_variables(&path, &[("NAME".into(), "it's $HOME".into())]).unwrap();
        let script = format!(". '{}'; printf %s \"$NAME\"", path.display());
        let shell = Invocation::new("sh")
            .args(["-c", &script])
            .finish()
            .unwrap();
        assert_eq!(shell.stdout, "it's $HOME");
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
