//! Users, their tokens and keys.

mod account;
pub(super) mod entity;
mod key;
pub(super) mod token;

use crate::domain::token::Scope;
use crate::web::route::{Accepts, Route};

pub(super) fn routes() -> Vec<Route> {
    let reading = Accepts::Also(&[Scope::ReadUser]);
    let rotating = Accepts::Also(&[Scope::SelfRotate]);
    vec![
        Route::get("/user", account::current)
            .for_users()
            .accepting(reading)
            .permission("User: Read"),
        Route::get("/users", account::list).accepting(reading),
        Route::get("/users/{user_id}", account::show).accepting(reading),
        Route::post("/users", account::create).for_administrators(),
        Route::delete("/users/{user_id}", account::delete).for_administrators(),
        Route::post("/users/{user_id}/block", account::block).for_administrators(),
        Route::post("/users/{user_id}/unblock", account::unblock).for_administrators(),
        Route::get("/user/keys", key::list)
            .for_users()
            .accepting(reading),
        Route::post("/user/keys", key::create),
        Route::get("/user/keys/{key_id}", key::show)
            .for_users()
            .accepting(reading),
        Route::delete("/user/keys/{key_id}", key::delete),
        Route::get("/personal_access_tokens", token::list).for_users(),
        Route::get("/personal_access_tokens/self", token::own)
            .for_users()
            .accepting(Accepts::Any),
        Route::delete("/personal_access_tokens/self", token::revoke_own).accepting(Accepts::Any),
        Route::post("/personal_access_tokens/self/rotate", token::rotate_own).accepting(rotating),
        Route::get("/personal_access_tokens/{token_id}", token::show).for_users(),
        Route::delete("/personal_access_tokens/{token_id}", token::revoke),
        Route::post("/personal_access_tokens/{token_id}/rotate", token::rotate),
        Route::post("/users/{user_id}/personal_access_tokens", token::create_for)
            .for_administrators(),
        Route::post("/users/{user_id}/impersonation_tokens", token::impersonate)
            .for_administrators(),
    ]
}
