//! The calling user and its token.

use serde_json::{Value, json};

use crate::domain::time::Moment;
use crate::domain::token::{AccessToken, Scope, TokenKind};
use crate::domain::user::User;
use crate::web::call::Call;
use crate::web::params::Nothing;
use crate::web::refusal::Refusal;
use crate::web::reply::{Answer, Reply};
use crate::web::route::{Accepts, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/user", current)
            .for_users()
            .accepting(Accepts::Also(&[Scope::ReadUser]))
            .permission("User: Read"),
        Route::get("/personal_access_tokens/self", own_token)
            .for_users()
            .accepting(Accepts::Any),
    ]
}

fn current(call: &Call<'_>, _: &Nothing) -> Answer {
    let state = call.instance.store.read();
    let user = state
        .users
        .get(call.user()?)
        .ok_or_else(Refusal::unauthorized)?;
    let mut shown = detail(call, user);
    if let Value::Object(shown) = &mut shown {
        shown.insert("can_create_group".to_owned(), json!(user.can_create_group));
        shown.insert(
            "can_create_project".to_owned(),
            json!(user.projects_limit > 0),
        );
        shown.insert("projects_limit".to_owned(), json!(user.projects_limit));
        shown.insert("email".to_owned(), json!(user.email));
        shown.insert("commit_email".to_owned(), json!(user.email));
        shown.insert("public_email".to_owned(), json!(""));
        shown.insert("external".to_owned(), json!(false));
        shown.insert("namespace_id".to_owned(), json!(user.namespace));
        if user.is_admin {
            shown.insert("is_admin".to_owned(), json!(true));
        }
    }
    Ok(Reply::ok(shown))
}

fn own_token(call: &Call<'_>, _: &Nothing) -> Answer {
    let state = call.instance.store.read();
    let token = call
        .identity
        .token
        .and_then(|token| state.tokens.get(token));
    let Some(token) = token.filter(|token| token.kind != TokenKind::OAuth) else {
        return Err(Refusal::bad_request(
            "This endpoint requires token type to be a personal access token",
        ));
    };
    Ok(Reply::ok(token_entity(token, call.now)))
}

/// A user in lists and as author.
pub(super) fn basic(call: &Call<'_>, user: &User) -> Value {
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
    let mut shown = basic(call, user);
    if let Value::Object(shown) = &mut shown {
        shown.insert("created_at".to_owned(), json!(user.created_at.to_string()));
        shown.insert("bot".to_owned(), json!(user.is_bot()));
        shown.insert("bio".to_owned(), json!(""));
    }
    shown
}

/// A token without its secret.
pub(super) fn token_entity(token: &AccessToken, now: Moment) -> Value {
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
