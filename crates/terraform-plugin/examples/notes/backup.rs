//! An action that copies all notes.

use std::fs;
use std::sync::Arc;

use terraform_plugin::action::{Action, Invocation};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::Model;

use crate::{Folder, failed};

/// Copies all notes of the folder.
#[derive(Model)]
pub(crate) struct Backup {
    /// Suffix of the copies' names.
    #[tf(default(".bak"))]
    suffix: String,
}

pub(crate) struct BackupAction;

impl Action for BackupAction {
    type Client = Folder;
    type Config = Backup;
    const TYPE_NAME: &'static str = "notes_backup";

    async fn invoke(
        &self,
        invocation: &mut Invocation<Folder>,
        backup: Backup,
    ) -> Result<(), Diagnostics> {
        let folder = Arc::clone(invocation.client());
        for name in folder.names()? {
            invocation.progress(format!("copying {name}")).await;
            let copy = folder.0.join(format!("{name}{}", backup.suffix));
            fs::copy(folder.path(&name), copy).map_err(|error| failed("copy", &name, &error))?;
        }
        Ok(())
    }
}
