//! Tags.

use serde_json::{Value, json};

use super::entity;
use crate::domain::access::ProjectAbility;
use crate::git::commit::Signature;
use crate::git::reference::is_branch_name;
use crate::git::{ObjectId, Repository};
use crate::received::{self, Received};
use crate::web::call::Call;
use crate::web::params::{Nothing, params};
use crate::web::refusal::Refusal;
use crate::web::reply::{Answer, Reply};

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

fn shown(
    repository: &Repository,
    web_url: &str,
    name: &str,
    target: ObjectId,
) -> Result<Value, Refusal> {
    let commit = repository
        .resolve(&format!("refs/tags/{name}"))
        .ok_or_else(|| Refusal::not_found("Tag"))?;
    let commit = repository.commit(commit)?.ok_or_else(Refusal::internal)?;
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

/// The project's number and address, if the caller may do `ability`.
fn project(
    call: &Call<'_>,
    ability: ProjectAbility,
) -> Result<
    (
        crate::domain::table::Id<crate::domain::project::Project>,
        String,
    ),
    Refusal,
> {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ability)?;
    Ok((
        project.id,
        format!("{}/{}", call.instance.url(), state.project_path(project)),
    ))
}

pub(super) fn list(call: &Call<'_>, params: &ListTags) -> Answer {
    let (id, web_url) = project(call, ProjectAbility::ReadCode)?;
    let repository = call.repository(id)?;
    let search = params.search.as_deref().unwrap_or_default();
    let mut tags = repository.tags()?;
    tags.retain(|(name, _)| name.contains(search));
    if params.sort.as_deref() != Some("asc") {
        tags.reverse();
    }
    call.page(&tags, |(name, target)| {
        shown(&repository, &web_url, name, *target).unwrap_or(Value::Null)
    })
}

pub(super) fn show(call: &Call<'_>, _: &Nothing) -> Answer {
    let (id, web_url) = project(call, ProjectAbility::ReadCode)?;
    let repository = call.repository(id)?;
    let name = call.capture("tag_name");
    let target = repository
        .tag(name)?
        .ok_or_else(|| Refusal::not_found("Tag"))?;
    Ok(Reply::ok(shown(&repository, &web_url, name, target)?))
}

pub(super) fn create(call: &Call<'_>, params: &CreateTag) -> Answer {
    let user = call.user()?;
    let (id, web_url) = project(call, ProjectAbility::PushCode)?;
    let repository = call.repository(id)?;
    let name = params.tag_name.as_str();
    if !is_branch_name(name) {
        return Err(Refusal::rejected("Tag name invalid"));
    }
    if repository.tag(name)?.is_some() {
        return Err(Refusal::rejected(format!("Tag {name} already exists")));
    }
    let commit = repository
        .resolve(&params.r#ref)
        .ok_or_else(|| Refusal::rejected(format!("Target {} is invalid", params.r#ref)))?;
    let target = match params
        .message
        .as_deref()
        .filter(|message| !message.is_empty())
    {
        None => commit,
        Some(message) => {
            let tagger = {
                let state = call.instance.store.read();
                let user = state.users.get(user).ok_or_else(Refusal::unauthorized)?;
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
        return Err(Refusal::rejected(format!("Tag {name} already exists")));
    }
    let update = Received {
        reference,
        old: None,
        new: Some(target),
    };
    received::process(call.instance, id, user, &[update])?;
    Ok(Reply::created(shown(&repository, &web_url, name, target)?))
}

pub(super) fn delete(call: &Call<'_>, _: &Nothing) -> Answer {
    let user = call.user()?;
    let (id, _) = project(call, ProjectAbility::PushCode)?;
    let repository = call.repository(id)?;
    let name = call.capture("tag_name");
    let target = repository
        .tag(name)?
        .ok_or_else(|| Refusal::not_found("Tag"))?;
    let reference = format!("refs/tags/{name}");
    if repository
        .swap_reference(&reference, Some(target), None)?
        .is_err()
    {
        return Err(Refusal::rejected("Failed to remove tag"));
    }
    let update = Received {
        reference,
        old: Some(target),
        new: None,
    };
    received::process(call.instance, id, user, &[update])?;
    Ok(Reply::no_content())
}
