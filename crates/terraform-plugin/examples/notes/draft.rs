//! Drafts: files that exist only during a run.

use std::fs;
use std::io::ErrorKind;

use terraform_plugin::context::Context;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::ephemeral_resource::{EphemeralResource, Lease, Opened, PrivateState};
use terraform_plugin::model::Model;
use terraform_plugin::value::{Known, Tf};

use crate::note::plain_name;
use crate::{Folder, failed};

/// A draft. Terraform deletes it at the end of the run.
#[derive(Model)]
pub(crate) struct Draft {
    /// Name of the draft.
    #[tf(validate(plain_name()))]
    name: String,
    /// Text of the draft.
    #[tf(default(String::new()))]
    text: String,
    /// Path of the draft.
    path: Tf<String>,
}

pub(crate) struct DraftResource;

/// The key in the private state: the path of the file.
const PATH: &str = "path";

impl EphemeralResource for DraftResource {
    type Client = Folder;
    type Data = Draft;
    const TYPE_NAME: &'static str = "notes_draft";

    async fn open(
        &self,
        context: &mut Context<Folder>,
        draft: Draft,
    ) -> Result<Opened<Draft>, Diagnostics> {
        // Every phase of a run has its own process and its own draft.
        let file_name = format!("{}-{}.draft", draft.name, std::process::id());
        let path = context.client().0.join(file_name).display().to_string();
        fs::write(&path, &draft.text).map_err(|error| failed("write", &draft.name, &error))?;
        let mut lease = Lease::default();
        lease.private.set(PATH, &path).map_err(Diagnostic::bug)?;
        let path = Known(path);
        Ok(Opened {
            data: Draft { path, ..draft },
            lease,
        })
    }

    async fn close(
        &self,
        _: &mut Context<Folder>,
        private: PrivateState,
    ) -> Result<(), Diagnostics> {
        let path: String = private.get(PATH).unwrap_or_default();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("delete", &path, &error))
            }
            _ => Ok(()),
        }
    }
}
