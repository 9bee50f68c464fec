//! Projects.

mod change;
mod delete;
pub(super) mod entity;
pub(super) mod filter;
mod read;

use crate::limit::Limit;
use crate::web::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/projects", read::list).permission("Project: Read"),
        Route::post("/projects", change::create).permission("Project: Create"),
        Route::post("/projects/user/{user_id}", change::create_for).for_administrators(),
        Route::post("/projects/{id}/archive", change::archive).permission("Project: Archive"),
        Route::post("/projects/{id}/unarchive", change::unarchive).permission("Project: Archive"),
        Route::put("/projects/{id}/transfer", change::transfer).permission("Project: Transfer"),
        Route::get("/projects/{id}", read::show)
            .with_limit(Limit::Project)
            .permission("Project: Read"),
        Route::put("/projects/{id}", change::update).permission("Project: Update"),
        Route::delete("/projects/{id}", delete::delete).permission("Project: Delete"),
        Route::post("/projects/{id}/restore", delete::restore).permission("Project: Restore"),
        Route::get("/projects/{id}/import", read::import).permission("Project: Read"),
    ]
}
