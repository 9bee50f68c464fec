//! Tags.

use serde_json::{Value, json};

use super::entity;
use crate::domain::access::ProjectAbility;
use crate::git::commit::Signature;
use crate::git::reference::is_branch_name;
use crate::git::{ObjectId, Repository};
use crate::post_receive::{self, ReferenceUpdate};
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, params};
use crate::web::reply::{ApiResult, Reply};

params! {
    struct ListTags {
        search: Option<String>,
        sort: Option<String>,
    }
}

params! {
    struct CreateTag {
        tag_name: String,
        r#ref: String,
        message: Option<String>,
    }
}

fn entity(
    repository: &Repository,
    web_url: &str,
    name: &str,
    target: ObjectId,
) -> Result<Value, ApiError> {
    let commit = repository
        .resolve(&format!("refs/tags/{name}"))
        .ok_or_else(|| ApiError::not_found("Tag"))?;
    let commit = repository.commit(commit)?.ok_or_else(ApiError::internal)?;
    Ok(json!({
        "name": name,
        "message": repository.tag_message(target)?.unwrap_or_default(),
        "target": target.to_string(),
        "commit": entity::commit(&commit, web_url),
        "release": null,
        "protected": false,
        "created_at": null,
    }))
}

/// Returns the project's ID and address if the caller has `ability`.
fn project(
    call: &Call<'_>,
    ability: ProjectAbility,
) -> Result<
    (
        crate::domain::table::Id<crate::domain::project::Project>,
        String,
    ),
    ApiError,
> {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ability)?;
    Ok((
        project.id,
        format!("{}/{}", call.instance.url(), state.project_path(project)),
    ))
}

pub(super) fn list(call: &Call<'_>, params: &ListTags) -> ApiResult {
    let (id, web_url) = project(call, ProjectAbility::ReadCode)?;
    let repository = call.repository(id)?;
    let search = params.search.as_deref().unwrap_or_default();
    let mut tags = repository.tags()?;
    tags.retain(|(name, _)| name.contains(search));
    if params.sort.as_deref() != Some("asc") {
        tags.reverse();
    }
    call.page(&tags, |(name, target)| {
        entity(&repository, &web_url, name, *target).unwrap_or(Value::Null)
    })
}

pub(super) fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let (id, web_url) = project(call, ProjectAbility::ReadCode)?;
    let repository = call.repository(id)?;
    let name = call.capture("tag_name");
    let target = repository
        .tag(name)?
        .ok_or_else(|| ApiError::not_found("Tag"))?;
    Ok(Reply::ok(entity(&repository, &web_url, name, target)?))
}

pub(super) fn create(call: &Call<'_>, params: &CreateTag) -> ApiResult {
    let user = call.user()?;
    let (id, web_url) = project(call, ProjectAbility::PushCode)?;
    let repository = call.repository(id)?;
    let name = params.tag_name.as_str();
    if !is_branch_name(name) {
        return Err(ApiError::rejected("Tag name invalid"));
    }
    if repository.tag(name)?.is_some() {
        return Err(ApiError::rejected(format!("Tag {name} already exists")));
    }
    let commit = repository
        .resolve(&params.r#ref)
        .ok_or_else(|| ApiError::rejected(format!("Target {} is invalid", params.r#ref)))?;
    let target = match params
        .message
        .as_deref()
        .filter(|message| !message.is_empty())
    {
        None => commit,
        Some(message) => {
            let tagger = {
                let state = call.instance.store.read();
                let user = state.users.get(user).ok_or_else(ApiError::unauthorized)?;
                Signature {
                    name: user.name.clone(),
                    email: user.email.clone(),
                    seconds: call.now.seconds(),
                    offset: 0,
                }
            };
            repository.write_tag(name, commit, message, &tagger)?
        }
    };
    let reference = format!("refs/tags/{name}");
    if repository
        .swap_reference(&reference, None, Some(target))?
        .is_err()
    {
        return Err(ApiError::rejected(format!("Tag {name} already exists")));
    }
    let update = ReferenceUpdate {
        reference,
        old: None,
        new: Some(target),
    };
    post_receive::process(call.instance, id, user, &[update])?;
    Ok(Reply::created(entity(&repository, &web_url, name, target)?))
}

pub(super) fn delete(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let user = call.user()?;
    let (id, _) = project(call, ProjectAbility::PushCode)?;
    let repository = call.repository(id)?;
    let name = call.capture("tag_name");
    let target = repository
        .tag(name)?
        .ok_or_else(|| ApiError::not_found("Tag"))?;
    let reference = format!("refs/tags/{name}");
    if repository
        .swap_reference(&reference, Some(target), None)?
        .is_err()
    {
        return Err(ApiError::rejected("Failed to remove tag"));
    }
    let update = ReferenceUpdate {
        reference,
        old: Some(target),
        new: None,
    };
    post_receive::process(call.instance, id, user, &[update])?;
    Ok(Reply::no_content())
}
