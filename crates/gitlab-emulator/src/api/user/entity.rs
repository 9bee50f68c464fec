//! Users and tokens as the API shows them.

use serde_json::{Value, json};

use crate::domain::time::Moment;
use crate::domain::token::AccessToken;
use crate::domain::user::User;
use crate::web::call::Call;

/// A user in lists and as author.
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

/// A user on its own.
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

/// A user as the user itself and administrators see it.
pub(super) fn private(call: &Call<'_>, user: &User, shows_admin: bool) -> Value {
    let mut shown = with(
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
    if let (true, Value::Object(map)) = (shows_admin, &mut shown) {
        map.insert("is_admin".to_owned(), json!(user.is_admin));
    }
    shown
}

/// A token without its secret.
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

/// Puts the members of one object over those of another.
pub(in crate::api) fn with(mut shown: Value, more: &Value) -> Value {
    if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
        shown.extend(more.clone());
    }
    shown
}
