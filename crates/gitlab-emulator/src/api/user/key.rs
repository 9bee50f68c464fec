//! SSH keys of the calling user.

use serde_json::{Value, json};

use crate::domain::key::{Key, KeyOwner};
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, params};
use crate::web::reply::{ApiResult, Reply};

params! {
    struct CreateKey {
        key: String,
        title: String,
    }
}

fn entity(key: &Key) -> Value {
    json!({
        "id": key.id,
        "title": key.title,
        "key": key.key.text,
        "created_at": key.created_at.to_string(),
        "expires_at": key.expires_at.map(|moment| moment.to_string()),
        "usage_type": "auth_and_signing",
    })
}

pub(super) fn list(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let owner = KeyOwner::User(call.user()?);
    let state = call.instance.store.read();
    let keys: Vec<&Key> = state.keys.iter().filter(|key| key.owner == owner).collect();
    call.page(&keys, |key| entity(key))
}

pub(super) fn create(call: &Call<'_>, params: &CreateKey) -> ApiResult {
    let user = call.user()?;
    call.instance.change(|state| {
        let id = state.add_user_key(user, params.title.clone(), &params.key, call.now)?;
        let key = state.keys.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(entity(key)))
    })
}

pub(super) fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let owner = KeyOwner::User(call.user()?);
    let state = call.instance.store.read();
    let key = state
        .keys
        .get(call.number("key_id")?)
        .filter(|key| key.owner == owner);
    Ok(Reply::ok(entity(
        key.ok_or_else(|| ApiError::not_found("Key"))?,
    )))
}

pub(super) fn delete(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let owner = KeyOwner::User(call.user()?);
    let id = call.number("key_id")?;
    call.instance.change(|state| {
        if state.keys.get(id).is_none_or(|key| key.owner != owner) {
            return Err(ApiError::not_found("Key"));
        }
        state.keys.remove(id);
        Ok(Reply::no_content())
    })
}
