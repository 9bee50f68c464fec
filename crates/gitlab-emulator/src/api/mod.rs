//! API endpoints, one module per resource.

mod access_token;
mod deploy_key;
mod deploy_token;
mod event;
mod group;
mod hook;
mod instance;
mod member;
mod namespace;
mod project;
mod protected_branch;
mod repository;
mod setting;
mod share;
mod user;

use crate::web::route::Route;

/// Returns all API routes.
pub(crate) fn routes() -> Vec<Route> {
    [
        access_token::routes(),
        deploy_key::routes(),
        deploy_token::routes(),
        event::routes(),
        group::routes(),
        hook::routes(),
        instance::routes(),
        member::routes(),
        namespace::routes(),
        project::routes(),
        protected_branch::routes(),
        repository::routes(),
        setting::routes(),
        share::routes(),
        user::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
