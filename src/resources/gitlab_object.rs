//! What groups and projects of GitLab have in common: paths, which another one may have to give up
//! first, and marks in their descriptions.

use std::future::Future;

use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::unfinished;
use crate::backends::gitlab::{Error, GitLab, Group, GroupChange, Kind, Project, ProjectChange};
use crate::claim::Claim;
use crate::client::Client;
use crate::diagnostics::{Context as _, gitlab_error};
use crate::wait_graph::{Next, Request, Target};

/// A group or a project.
pub(crate) trait GitLabObject: Sized + Send + Sync {
    /// A change of one; what it leaves out stays.
    type Change: Send + Sync;

    /// GitLab's word for one.
    const WORD: &'static str;
    /// What it is in the model.
    const ROLE: &'static str;

    /// Returns what identifies it.
    fn names(&self) -> Names<'_>;

    /// Returns the id of the resource for the object with this number.
    fn resource_id(number: u64) -> String;

    /// Returns a change of these parts.
    fn change(parts: Parts) -> Self::Change;

    /// Returns where a change has the display name and the last segment of the path.
    fn name_and_path(change: &mut Self::Change) -> (&mut Option<String>, &mut Option<String>);

    /// Returns whether a change leaves everything out.
    fn is_empty(change: &Self::Change) -> bool;

    /// Makes a change.
    fn edit(
        &self,
        gitlab: &GitLab,
        change: &Self::Change,
    ) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Reads it again.
    fn reread(&self, gitlab: &GitLab) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Reads the one at a full path.
    fn at(gitlab: &GitLab, path: &str) -> impl Future<Output = Result<Self, Error>> + Send;
}

/// What identifies a group or project to GitLab and to people.
pub(crate) struct Names<'a> {
    /// The number.
    pub(crate) number: u64,
    /// The display name.
    pub(crate) name: &'a str,
    /// The last segment of the path.
    pub(crate) path: &'a str,
    /// The path with all groups.
    pub(crate) full_path: &'a str,
    /// The description; empty if there is none.
    pub(crate) description: &'a str,
}

/// Parts of a change that groups and projects have in common.
#[derive(Clone, Default)]
pub(crate) struct Parts {
    /// The display name.
    pub(crate) name: Option<String>,
    /// The last segment of the path.
    pub(crate) path: Option<String>,
    /// The description.
    pub(crate) description: Option<String>,
}

impl GitLabObject for Group {
    type Change = GroupChange;
    const WORD: &'static str = "group";
    const ROLE: &'static str = "product";

    fn names(&self) -> Names<'_> {
        Names {
            number: self.id,
            name: &self.name,
            path: &self.path,
            full_path: &self.full_path,
            description: self.description.as_deref().unwrap_or_default(),
        }
    }

    fn resource_id(number: u64) -> String {
        ProductId::new(number).to_string()
    }

    fn change(parts: Parts) -> GroupChange {
        GroupChange {
            name: parts.name,
            path: parts.path,
            description: parts.description,
            visibility: None,
        }
    }

    fn name_and_path(change: &mut GroupChange) -> (&mut Option<String>, &mut Option<String>) {
        (&mut change.name, &mut change.path)
    }

    fn is_empty(change: &GroupChange) -> bool {
        change.is_empty()
    }

    async fn edit(&self, gitlab: &GitLab, change: &GroupChange) -> Result<Self, Error> {
        gitlab.edit_group(self.id, change).await
    }

    async fn reread(&self, gitlab: &GitLab) -> Result<Self, Error> {
        gitlab.group(self.id).await
    }

    async fn at(gitlab: &GitLab, path: &str) -> Result<Self, Error> {
        gitlab.group(path).await
    }
}

impl GitLabObject for Project {
    type Change = ProjectChange;
    const WORD: &'static str = "project";
    const ROLE: &'static str = "code repository";

    fn names(&self) -> Names<'_> {
        Names {
            number: self.id,
            name: &self.name,
            path: &self.path,
            full_path: &self.path_with_namespace,
            description: self.description.as_deref().unwrap_or_default(),
        }
    }

    fn resource_id(number: u64) -> String {
        RepositoryId::new(number).to_string()
    }

    fn change(parts: Parts) -> ProjectChange {
        ProjectChange {
            name: parts.name,
            path: parts.path,
            description: parts.description,
            ..ProjectChange::default()
        }
    }

    fn name_and_path(change: &mut ProjectChange) -> (&mut Option<String>, &mut Option<String>) {
        (&mut change.name, &mut change.path)
    }

    fn is_empty(change: &ProjectChange) -> bool {
        change.is_empty()
    }

    async fn edit(&self, gitlab: &GitLab, change: &ProjectChange) -> Result<Self, Error> {
        gitlab.edit_project(self.id, change).await
    }

    async fn reread(&self, gitlab: &GitLab) -> Result<Self, Error> {
        gitlab.project(self.id).await
    }

    async fn at(gitlab: &GitLab, path: &str) -> Result<Self, Error> {
        gitlab.project(path).await
    }
}

/// Puts the claim of a creation into the mark that another one has left on an object, if there is one.
pub(crate) async fn take_over<T: GitLabObject>(
    client: &Client,
    object: T,
    claim: &Claim,
) -> Result<T, Diagnostics> {
    let Names {
        description,
        full_path,
        ..
    } = object.names();
    let Some(description) = unfinished::take_over(description, claim) else {
        return Ok(object);
    };
    let change = T::change(Parts {
        description: Some(description),
        ..Parts::default()
    });
    let edited = object.edit(client.gitlab()?, &change).await;
    edited.map_err(|error| refused(format!("update the GitLab {} {full_path}", T::WORD), &error))
}

/// Refuses to finish a creation that another run has taken over. An adopted object has no mark.
pub(crate) async fn check_still_ours<T: GitLabObject>(
    client: &Client,
    object: &T,
    claim: &Claim,
) -> Result<(), Diagnostics> {
    let Names {
        description,
        full_path,
        ..
    } = object.names();
    if !unfinished::is_marked(description) {
        return Ok(());
    }
    let label = format!("the GitLab {} {full_path}", T::WORD);
    let found = object.reread(client.gitlab()?).await;
    let found = found.with_context(|| format!("read {label}"))?;
    unfinished::check_still_ours(found.names().description, claim, &label)
}

/// The path that an object is to get, which another one may have to give up first.
pub(crate) struct NewPath {
    /// Its last segment.
    pub(crate) name: String,
    /// With all groups.
    pub(crate) full_path: String,
    /// The path that is given up, for those who wait for it.
    pub(crate) from: Target,
    /// The path, to wait for.
    pub(crate) to: Target,
}

/// Makes a change together with that of the path.
///
/// If the object has to be moved aside, it gets its new names first, and the rest of the change after
/// that: what GitLab refuses of the rest leaves no object under a path that nobody planned. If it cannot
/// get its new names, it is moved back.
pub(crate) async fn rename<T: GitLabObject>(
    client: &Client,
    request: &Request,
    object: &T,
    new: &NewPath,
    mut change: T::Change,
) -> Result<T, Diagnostics> {
    let gitlab = client.gitlab()?;
    *T::name_and_path(&mut change).1 = Some(new.name.clone());
    let mut aside = None;
    let renamed = try_rename(gitlab, request, object, new, &mut change, &mut aside).await;
    let Some(aside) = aside else { return renamed };
    match renamed {
        Ok(renamed) if T::is_empty(&change) => Ok(renamed),
        Ok(renamed) => {
            let edited = renamed.edit(gitlab, &change).await;
            let attempt = format!("update the GitLab {} {}", T::WORD, new.full_path);
            edited.map_err(|error| refused(attempt, &error))
        }
        Err(mut found) => {
            found.extend(move_back(gitlab, object, &aside).await.err());
            Err(found)
        }
    }
}

/// Renames an object. If it is moved aside for that, `aside` gets its names there, and `change` loses the
/// new ones.
async fn try_rename<T: GitLabObject>(
    gitlab: &GitLab,
    request: &Request,
    object: &T,
    new: &NewPath,
    change: &mut T::Change,
    aside: &mut Option<Parts>,
) -> Result<T, Diagnostics> {
    let full_path = &new.full_path;
    let mut wait = request.wait_to_move(new.from.clone(), new.to.clone());
    let mut is_last_attempt = false;
    let mut names = None;
    loop {
        let error = match object.edit(gitlab, names.as_ref().unwrap_or(change)).await {
            Ok(renamed) => {
                request.wrote(&new.from);
                request.wrote(&new.to);
                return Ok(renamed);
            }
            Err(error) if *error.kind() == Kind::Taken && !is_last_attempt => error,
            Err(error) if *error.kind() == Kind::Taken => {
                return Err(taken(gitlab, object, new, &error, names.is_none()).await);
            }
            Err(error) => return Err(rename_refused(object, new, &error)),
        };
        tracing::info!(%error, "the path {full_path} is taken; waiting for it");
        match wait.next().await {
            Next::Retry => {}
            Next::GiveUp => is_last_attempt = true,
            Next::BreakCycle => {
                let (name, path) = T::name_and_path(change);
                *aside = Some(move_aside(gitlab, object, name.is_some()).await?);
                wait.moved_aside();
                names = Some(T::change(Parts {
                    name: name.take(),
                    path: path.take(),
                    ..Parts::default()
                }));
            }
        }
    }
}

/// Returns the error of a path that another object keeps.
async fn taken<T: GitLabObject>(
    gitlab: &GitLab,
    object: &T,
    new: &NewPath,
    error: &Error,
    is_in_place: bool,
) -> Diagnostics {
    let NewPath {
        name, full_path, ..
    } = new;
    let holder = match T::at(gitlab, full_path).await {
        // GitLab also answers for a former path of another one.
        Ok(holder) if holder.names().full_path == full_path => holder.names().number,
        _ => return rename_refused(object, new, error),
    };
    let holder = T::resource_id(holder);
    let nothing = if is_in_place {
        " Nothing was renamed."
    } else {
        ""
    };
    let detail = format!(
        "The GitLab {} {full_path} is {holder}. If the same plan gives {holder} another name, apply it with -parallelism=2 or more, since Terraform sent only one request at a time; or rename one of the two to a third name first.{nothing}",
        T::WORD
    );
    let summary = format!(
        "Cannot rename the {} {} to {name}",
        T::ROLE,
        object.names().path
    );
    Diagnostic::error(summary, detail)
        .at(&Path::to("name"))
        .into()
}

/// Gives an object a path that no other has, and a name if it is to get another one, so that others can
/// take its own. Returns what it has then.
async fn move_aside<T: GitLabObject>(
    gitlab: &GitLab,
    object: &T,
    with_name: bool,
) -> Result<Parts, Diagnostics> {
    let names = object.names();
    let aside = format!("{}-is-renamed", T::resource_id(names.number));
    let parts = Parts {
        name: with_name.then(|| aside.clone()),
        path: Some(aside),
        ..Parts::default()
    };
    let moved = object.edit(gitlab, &T::change(parts.clone())).await;
    moved.map(|_| parts).map_err(|error| {
        let attempt = format!("rename the GitLab {} {}", T::WORD, names.full_path);
        refused(attempt, &error)
    })
}

/// Gives an object that was moved aside its path and name again.
async fn move_back<T: GitLabObject>(
    gitlab: &GitLab,
    object: &T,
    aside: &Parts,
) -> Result<(), Diagnostic> {
    let names = object.names();
    let change = T::change(Parts {
        name: aside.name.is_some().then(|| names.name.to_owned()),
        path: Some(names.path.to_owned()),
        ..Parts::default()
    });
    let moved = object.edit(gitlab, &change).await;
    moved.map(drop).map_err(|error| {
        let (word, path) = (T::WORD, names.full_path);
        let aside = aside.path.as_deref().unwrap_or_default();
        let attempt = format!("give the GitLab {word} {path} its path again");
        let mut diagnostic = gitlab_error(attempt, &error);
        let present = format!(" Its path is {aside} now. The next apply renames it as planned.");
        diagnostic.detail.push_str(&present);
        diagnostic
    })
}

fn rename_refused<T: GitLabObject>(object: &T, new: &NewPath, error: &Error) -> Diagnostics {
    let from = object.names().full_path;
    let attempt = format!("rename the GitLab {} {from} to {}", T::WORD, new.full_path);
    refused(attempt, error)
}

/// Returns the message of a refused creation or change, on the attribute that GitLab complains about.
pub(crate) fn refused(attempt: String, error: &Error) -> Diagnostics {
    let diagnostic = gitlab_error(attempt, error);
    let attribute =
        error
            .field_errors()
            .iter()
            .find_map(|field_error| match field_error.field.as_deref()? {
                "path" => Some("name"),
                "name" | "project_namespace.name" => Some("display_name"),
                "description" => Some("description"),
                "visibility_level" | "visibility" => Some("visibility"),
                _ => None,
            });
    match attribute {
        Some(attribute) => diagnostic.at(&Path::to(attribute)).into(),
        None => diagnostic.into(),
    }
}
