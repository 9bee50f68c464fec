//! SSH keys of the calling user.

use serde_json::{Value, json};

use crate::domain::key::{Key, KeyOwner};
use crate::web::call::Call;
use crate::web::params::{Nothing, params};
use crate::web::refusal::Refusal;
use crate::web::reply::{Answer, Reply};

params! {
    struct CreateKey {
        key: String,
        title: String,
    }
}

fn shown(key: &Key) -> Value {
    json!({
        "id": key.id,
        "title": key.title,
        "key": key.key.text,
        "created_at": key.created_at.to_string(),
        "expires_at": key.expires_at.map(|moment| moment.to_string()),
        "usage_type": "auth_and_signing",
    })
}

pub(super) fn list(call: &Call<'_>, _: &Nothing) -> Answer {
    let owner = KeyOwner::User(call.user()?);
    let state = call.instance.store.read();
    let keys: Vec<&Key> = state.keys.iter().filter(|key| key.owner == owner).collect();
    call.page(&keys, |key| shown(key))
}

pub(super) fn create(call: &Call<'_>, params: &CreateKey) -> Answer {
    let user = call.user()?;
    call.instance.change(|state| {
        let id = state.add_user_key(user, params.title.clone(), &params.key, call.now)?;
        let key = state.keys.get(id).ok_or_else(Refusal::internal)?;
        Ok(Reply::created(shown(key)))
    })
}

pub(super) fn show(call: &Call<'_>, _: &Nothing) -> Answer {
    let owner = KeyOwner::User(call.user()?);
    let state = call.instance.store.read();
    let key = state
        .keys
        .get(call.number("key_id")?)
        .filter(|key| key.owner == owner);
    Ok(Reply::ok(shown(
        key.ok_or_else(|| Refusal::not_found("Key"))?,
    )))
}

pub(super) fn delete(call: &Call<'_>, _: &Nothing) -> Answer {
    let owner = KeyOwner::User(call.user()?);
    let id = call.number("key_id")?;
    call.instance.change(|state| {
        if state.keys.get(id).is_none_or(|key| key.owner != owner) {
            return Err(Refusal::not_found("Key"));
        }
        state.keys.remove(id);
        Ok(Reply::no_content())
    })
}
