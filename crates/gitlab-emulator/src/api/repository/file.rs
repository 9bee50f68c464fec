//! Single files (GitLab `lib/api/files.rb`, `app/services/files/`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::commit_check::{self, FileGuards, Target};
use crate::domain::access::ProjectAbility;
use crate::domain::token::hex;
use crate::git::ObjectId;
use crate::git::action::Action;
use crate::git::tree::Entry;
use crate::limit::Limit;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NonBlank, Problem, params};
use crate::web::reply::{ApiResult, Reply};

/// Reading larger files counts against a limit.
const LARGE: usize = 10 * 1024 * 1024;

params! {
    struct ShowFile {
        r#ref: NonBlank,
    }
}

params! {
    struct RawFile {
        r#ref: Option<String>,
    }
}

params! {
    struct WriteFile {
        branch: NonBlank,
        commit_message: NonBlank,
        content: String,
        encoding: Option<String>,
        start_branch: Option<String>,
        author_name: Option<String>,
        author_email: Option<String>,
        execute_filemode: Option<bool>,
        last_commit_id: Option<String>,
    }
}

params! {
    struct DeleteFile {
        branch: NonBlank,
        commit_message: NonBlank,
        start_branch: Option<String>,
        author_name: Option<String>,
        author_email: Option<String>,
    }
}

/// A file at a commit.
struct Found {
    reference: String,
    commit: ObjectId,
    last_commit: ObjectId,
    entry: Entry,
    bytes: Vec<u8>,
}

impl Found {
    fn read(call: &Call<'_>, reference: Option<String>) -> Result<Self, ApiError> {
        let (id, default) = {
            let state = call.instance.store.read();
            let project = call.project_for(&state, ProjectAbility::ReadCode)?;
            (project.id, state.default_branch(project))
        };
        let reference = reference.unwrap_or_else(|| "HEAD".to_owned());
        let revision = if reference == "HEAD" {
            &default
        } else {
            &reference
        };
        let repository = call.repository(id)?;
        let commit = repository
            .resolve(revision)
            .ok_or_else(|| ApiError::not_found("Commit"))?;
        let path = call.capture("file_path");
        let missing = || ApiError::not_found("File");
        let entry = repository.entry(commit, path)?.ok_or_else(missing)?;
        let bytes = repository.blob(entry.id)?.ok_or_else(missing)?;
        if bytes.len() > LARGE {
            call.count(Limit::LargeFile, &id.to_string())?;
        }
        let last_commit = repository.last_commit(commit, path)?.unwrap_or(commit);
        Ok(Self {
            reference,
            commit,
            last_commit,
            entry,
            bytes,
        })
    }

    /// Returns names and values for the JSON and, spelled differently, for the headers.
    fn metadata(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("file_name", json!(self.entry.name())),
            ("file_path", json!(self.entry.path)),
            ("size", json!(self.bytes.len())),
            ("encoding", json!("base64")),
            ("content_sha256", json!(hex(&Sha256::digest(&self.bytes)))),
            ("ref", json!(self.reference)),
            ("blob_id", json!(self.entry.id.to_string())),
            ("commit_id", json!(self.commit.to_string())),
            ("last_commit_id", json!(self.last_commit.to_string())),
            ("execute_filemode", json!(self.entry.is_executable())),
        ]
    }

    fn with_headers(&self, mut reply: Reply) -> Reply {
        for (name, value) in self.metadata() {
            let name = format!("x-gitlab-{}", name.replace('_', "-"));
            let value = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            if let Ok(name) = HeaderName::try_from(name) {
                reply = reply.with_header(name, &value);
            }
        }
        reply
    }
}

pub(super) fn show(call: &Call<'_>, params: &ShowFile) -> ApiResult {
    let found = Found::read(call, Some(params.r#ref.0.clone()))?;
    let mut entity: serde_json::Map<String, Value> = found
        .metadata()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    entity.insert("content".to_owned(), json!(STANDARD.encode(&found.bytes)));
    Ok(Reply::ok(Value::Object(entity)))
}

pub(super) fn head(call: &Call<'_>, params: &ShowFile) -> ApiResult {
    let found = Found::read(call, Some(params.r#ref.0.clone()))?;
    Ok(found.with_headers(Reply::empty()))
}

pub(super) fn raw(call: &Call<'_>, params: &RawFile) -> ApiResult {
    let found = Found::read(call, params.r#ref.clone())?;
    let disposition = format!("inline; filename=\"{}\"", found.entry.name());
    let reply = Reply::bytes("text/plain", found.bytes.clone())
        .with_header(header::CONTENT_DISPOSITION, &disposition);
    Ok(found.with_headers(reply))
}

pub(super) fn head_raw(call: &Call<'_>, params: &RawFile) -> ApiResult {
    let found = Found::read(call, params.r#ref.clone())?;
    Ok(found.with_headers(Reply::empty()))
}

pub(super) fn create(call: &Call<'_>, params: &WriteFile) -> ApiResult {
    let action = Action::Create {
        path: call.capture("file_path").to_owned(),
        content: content(params)?,
        is_executable: params.execute_filemode.unwrap_or(false),
    };
    write(call, params, action)?;
    Ok(Reply::created(entity(call, &params.branch.0)))
}

pub(super) fn update(call: &Call<'_>, params: &WriteFile) -> ApiResult {
    let action = Action::Update {
        path: call.capture("file_path").to_owned(),
        content: content(params)?,
    };
    write(call, params, action)?;
    Ok(Reply::ok(entity(call, &params.branch.0)))
}

pub(super) fn delete(call: &Call<'_>, params: &DeleteFile) -> ApiResult {
    let target = Target {
        branch: params.branch.0.clone(),
        start_branch: params.start_branch.clone(),
        ..Target::default()
    };
    let action = Action::Delete {
        path: call.capture("file_path").to_owned(),
    };
    let author = author(params.author_name.clone(), params.author_email.clone());
    let project = commit_check::require_push_access(call)?;
    let plan = commit_check::plan(call, project, target)?;
    commit_check::write(call, &plan, &params.commit_message.0, &[action], author)?;
    Ok(Reply::no_content())
}

fn write(call: &Call<'_>, params: &WriteFile, action: Action) -> Result<(), ApiError> {
    let target = Target {
        branch: params.branch.0.clone(),
        start_branch: params.start_branch.clone(),
        ..Target::default()
    };
    let project = commit_check::require_push_access(call)?;
    let plan = commit_check::plan(call, project, target)?;
    let is_guarded = matches!(action, Action::Update { .. });
    if let Some(last) = params.last_commit_id.as_deref().filter(|_| is_guarded)
        && FileGuards::new(&call.repository(project)?, &plan).has_changed(action.path(), last)?
    {
        return Err(ApiError::rejected(
            "You are attempting to update a file that has changed since you started editing it.",
        ));
    }
    let author = author(params.author_name.clone(), params.author_email.clone());
    commit_check::write(call, &plan, &params.commit_message.0, &[action], author)?;
    Ok(())
}

fn content(params: &WriteFile) -> Result<Vec<u8>, ApiError> {
    match params.encoding.as_deref() {
        None | Some("text") => Ok(params.content.clone().into_bytes()),
        Some("base64") => Ok(commit_check::decode_base64(&params.content)),
        Some(_) => Err(ApiError::problem("encoding", Problem::Value)),
    }
}

fn entity(call: &Call<'_>, branch: &str) -> Value {
    json!({ "file_path": call.capture("file_path"), "branch": branch })
}

/// Returns the author if both name and email are given.
pub(super) fn author(name: Option<String>, email: Option<String>) -> Option<(String, String)> {
    name.zip(email)
}
