//! The endpoints of the API, one file for each resource.

mod group;
mod instance;
mod project;
mod repository;
mod user;

use crate::web::route::Route;

/// All routes of the API.
pub(crate) fn routes() -> Vec<Route> {
    [
        group::routes(),
        instance::routes(),
        project::routes(),
        repository::routes(),
        user::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
