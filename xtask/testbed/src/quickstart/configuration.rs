//! The user's copy of the example, and the commands that run in it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use serde_json::json;
use testbed::{CliConfig, Finished, Invocation, Provider, Terraform, mirror};

use super::folders::Folders;
use super::private_file;
use super::servers::{Servers, TENANT_GROUP, USERS_MOUNT, kubeconfig_path};

/// A host key that nothing compares: the emulator does not serve SSH.
const SSH_KNOWN_HOSTS: &str = "127.0.0.1 ssh-ed25519 AAAA";

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
            ("NO_PROXY".into(), "127.0.0.1,.localhost".into()),
            // Components are there already, and what a user pushes does not keep a destroy from working.
            ("TF_VAR_install_components".into(), "false".into()),
            ("TF_VAR_force_destroy".into(), "true".into()),
        ];
        for (worker, cluster) in &servers.workers {
            let described = json!({
                "api_server": cluster.url(),
                "kubeconfig_vault": { "mount": USERS_MOUNT, "path": kubeconfig_path(*worker) },
                "webhook_base_url": cluster.gateway_url(),
            });
            variables.push((worker.variable().into(), described.to_string().into()));
        }
        if !servers.workers.is_empty() {
            let repository = format!("{TENANT_GROUP}/management");
            variables.extend([
                ("NAUTES_TENANT_REPOSITORY_PROJECT".into(), repository.into()),
                ("NAUTES_TENANT_REPOSITORY_CREATE".into(), "true".into()),
                (
                    "NAUTES_GITLAB_SSH_KNOWN_HOSTS".into(),
                    SSH_KNOWN_HOSTS.into(),
                ),
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

    /// Returns the value of an output.
    pub(super) fn output<T: DeserializeOwned>(&self, name: &str) -> anyhow::Result<T> {
        let finished = self
            .command(["output", "-json", name])
            .finish()?
            .success()?;
        let value = finished.json();
        value.with_context(|| format!("output {name} has another type"))
    }

    /// Returns the URLs of the code repositories by name.
    pub(super) fn repositories(&self) -> anyhow::Result<BTreeMap<String, String>> {
        self.output("repositories")
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
