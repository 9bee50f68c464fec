//! Parameters of the commits API. The texts of errors depend on the validator: Rails with its own
//! texts since the body passes Workhorse (GitLab
//! `lib/api/helpers/commits_body_uploader_helper.rb`), Grape before.

use serde_json::{Map, Value};

use super::commit_check::{self, Target};
use super::file;
use crate::domain::switches::CommitValidation;
use crate::git::action::Action;
use crate::web::api_error::ApiError;
use crate::web::params::{FieldError, Problem, Raw, Scalar};

const ACTIONS: [&str; 5] = ["create", "update", "move", "delete", "chmod"];

/// The checked parameters of a commit.
#[derive(Debug)]
pub(super) struct CommitParams {
    pub(super) target: Target,
    pub(super) message: String,
    pub(super) actions: Vec<GuardedAction>,
    pub(super) author: Option<(String, String)>,
    pub(super) with_stats: bool,
}

/// An action and its guard.
#[derive(Debug)]
pub(super) struct GuardedAction {
    pub(super) action: Action,
    /// The path whose last commit is compared.
    pub(super) path: String,
    pub(super) last_commit_id: Option<String>,
}

/// An error of the parameters; names are the caller's.
#[derive(Debug, PartialEq, Eq)]
enum ParamError {
    Missing(String),
    NotAnAction(String),
    NotAnEncoding(String),
    NotABoolean(String),
    NotAnObject(String),
    NeededBy { name: String, action: String },
    Exclusive,
}

impl ParamError {
    fn rails(&self) -> String {
        match self {
            Self::Missing(name) => format!("{name} is required"),
            Self::NotAnAction(name) => format!("{name} must be one of: {}", ACTIONS.join(", ")),
            Self::NotAnEncoding(name) => format!("{name} must be text or base64"),
            Self::NotABoolean(name) => format!("{name} must be a boolean"),
            Self::NotAnObject(name) => format!("{name} must be an object"),
            Self::NeededBy { name, action } => format!("{name} is required for {action} action"),
            Self::Exclusive => "start_branch, start_sha are mutually exclusive".to_owned(),
        }
    }

    fn grape(self) -> FieldError {
        match self {
            Self::Missing(name) | Self::NeededBy { name, .. } => {
                FieldError::One(name, Problem::Missing)
            }
            Self::NotAnAction(name) | Self::NotAnEncoding(name) => {
                FieldError::One(name, Problem::Value)
            }
            Self::NotABoolean(name) | Self::NotAnObject(name) => {
                FieldError::One(name, Problem::Type)
            }
            Self::Exclusive => {
                FieldError::Other("start_branch, start_sha are mutually exclusive".to_owned())
            }
        }
    }
}

/// Checks the parameters.
pub(super) fn check(raw: &Raw, validation: CommitValidation) -> Result<CommitParams, ApiError> {
    read(raw).map_err(|param_error| match validation {
        CommitValidation::Workhorse => ApiError::bad_request(param_error.rails()),
        CommitValidation::Grape => ApiError::parameters(vec![param_error.grape()]),
    })
}

fn read(raw: &Raw) -> Result<CommitParams, ParamError> {
    let map = &raw.0;
    let branch = required(map, "branch", "branch")?;
    let message = required(map, "commit_message", "commit_message")?;
    let actions = match raw.get("actions") {
        Some(Value::Array(actions)) if !actions.is_empty() => actions,
        _ => return Err(ParamError::Missing("actions".to_owned())),
    };
    let start_branch = text(map, "start_branch");
    let start_sha = text(map, "start_sha");
    if start_branch.is_some() && start_sha.is_some() {
        return Err(ParamError::Exclusive);
    }
    let is_forced = flag(map, "force", "force")?.unwrap_or(false);
    let with_stats = flag(map, "stats", "stats")?.unwrap_or(true);
    let mut guarded = Vec::with_capacity(actions.len());
    for (index, action) in actions.iter().enumerate() {
        match action {
            Value::Object(action) => guarded.push(read_action(action, index)?),
            _ => return Err(ParamError::NotAnObject(format!("actions[{index}]"))),
        }
    }
    Ok(CommitParams {
        target: Target {
            branch,
            start_branch,
            start_sha,
            is_forced,
        },
        message,
        actions: guarded,
        author: file::author(text(map, "author_name"), text(map, "author_email")),
        with_stats,
    })
}

fn read_action(map: &Map<String, Value>, index: usize) -> Result<GuardedAction, ParamError> {
    let named = |field: &str| format!("actions[{index}][{field}]");
    let kind = required(map, "action", &named("action"))?;
    if !ACTIONS.contains(&kind.as_str()) {
        return Err(ParamError::NotAnAction(named("action")));
    }
    let path = required(map, "file_path", &named("file_path"))?;
    let is_base64 = match text(map, "encoding").as_deref() {
        None | Some("text") => false,
        Some("base64") => true,
        Some(_) => return Err(ParamError::NotAnEncoding(named("encoding"))),
    };
    let is_executable = flag(map, "execute_filemode", &named("execute_filemode"))?;
    let content = text(map, "content").map(|content| {
        if is_base64 {
            commit_check::decode_base64(&content)
        } else {
            content.into_bytes()
        }
    });
    let needed = |field: &str| ParamError::NeededBy {
        name: named(field),
        action: kind.clone(),
    };
    let last_commit_id = text(map, "last_commit_id").filter(|id| !id.is_empty());
    let guard = |path: &str, last_commit_id| (path.to_owned(), last_commit_id);
    let (action, (path, last_commit_id)) = match kind.as_str() {
        "create" => {
            let guard = guard(&path, None);
            let content = content.unwrap_or_default();
            (
                Action::Create {
                    path,
                    content,
                    is_executable: is_executable.unwrap_or(false),
                },
                guard,
            )
        }
        "update" => {
            let guard = guard(&path, last_commit_id);
            (
                Action::Update {
                    path,
                    content: content.ok_or_else(|| needed("content"))?,
                },
                guard,
            )
        }
        "move" => {
            let previous = text(map, "previous_path").ok_or_else(|| needed("previous_path"))?;
            let guard = guard(&previous, last_commit_id);
            (
                Action::Move {
                    path,
                    previous_path: previous,
                    content,
                },
                guard,
            )
        }
        "chmod" => {
            let guard = guard(&path, last_commit_id);
            let is_executable = is_executable.ok_or_else(|| needed("execute_filemode"))?;
            (
                Action::Chmod {
                    path,
                    is_executable,
                },
                guard,
            )
        }
        _ => {
            let guard = guard(&path, last_commit_id);
            (Action::Delete { path }, guard)
        }
    };
    Ok(GuardedAction {
        action,
        path,
        last_commit_id,
    })
}

fn required(map: &Map<String, Value>, name: &str, entity: &str) -> Result<String, ParamError> {
    text(map, name)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| ParamError::Missing(entity.to_owned()))
}

/// Returns a text; other scalars are converted, anything else counts as absent.
pub(super) fn text(map: &Map<String, Value>, name: &str) -> Option<String> {
    String::from_value(map.get(name)?).ok()
}

fn flag(map: &Map<String, Value>, name: &str, entity: &str) -> Result<Option<bool>, ParamError> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => bool::from_value(value)
            .map(Some)
            .map_err(|_| ParamError::NotABoolean(entity.to_owned())),
    }
}
