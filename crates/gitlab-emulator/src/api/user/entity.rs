//! JSON of users and tokens.

use serde_json::{Value, json};

use crate::domain::time::Moment;
use crate::domain::token::AccessToken;
use crate::domain::user::User;
use crate::web::call::Call;

/// Returns a user for lists and as an author.
pub(in crate::api) fn basic(call: &Call<'_>, user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "public_email": null,
        "name": user.name,
        "state": user.state.name(),
        "locked": false,
        "avatar_url": null,
        "web_url": format!("{}/{}", call.instance.url(), user.username),
    })
}

/// Returns a single user.
pub(super) fn detail(call: &Call<'_>, user: &User) -> Value {
    with(
        basic(call, user),
        &json!({
            "created_at": user.created_at.to_string(),
            "bot": user.is_bot(),
            "bio": "",
        }),
    )
}

/// Returns a user for the user itself and administrators.
pub(super) fn private(call: &Call<'_>, user: &User, shows_admin: bool) -> Value {
    let mut entity = with(
        detail(call, user),
        &json!({
            "email": user.email,
            "commit_email": user.email,
            "public_email": "",
            "can_create_group": user.can_create_group,
            "can_create_project": user.projects_limit > 0,
            "projects_limit": user.projects_limit,
            "external": false,
            "namespace_id": user.namespace,
            "two_factor_enabled": false,
            "identities": [],
        }),
    );
    if let (true, Value::Object(map)) = (shows_admin, &mut entity) {
        map.insert("is_admin".to_owned(), json!(user.is_admin));
    }
    entity
}

/// Returns a token without its secret.
pub(in crate::api) fn token(token: &AccessToken, now: Moment) -> Value {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.name()).collect();
    json!({
        "id": token.id,
        "name": token.name,
        "description": token.description,
        "revoked": token.is_revoked,
        "created_at": token.created_at.to_string(),
        "scopes": scopes,
        "user_id": token.user,
        "last_used_at": token.last_used_at.map(|moment| moment.to_string()),
        "active": token.is_active(now),
        "expires_at": token.expires_at,
    })
}

/// Merges the members of `more` into an object.
pub(in crate::api) fn with(mut entity: Value, more: &Value) -> Value {
    if let (Value::Object(entity), Value::Object(more)) = (&mut entity, more) {
        entity.extend(more.clone());
    }
    entity
}
