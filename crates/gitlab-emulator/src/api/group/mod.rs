//! Groups.

mod change;
mod delete;
pub(super) mod entity;
mod read;

use crate::limit::Limit;
use crate::web::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/groups", read::list)
            .with_limit(Limit::Groups)
            .permission("Group: Read"),
        Route::post("/groups", change::create).permission("Group: Create"),
        Route::get("/groups/{id}", read::show)
            .with_limit(Limit::Group)
            .permission("Group: Read"),
        Route::put("/groups/{id}", change::update).permission("Group: Update"),
        Route::delete("/groups/{id}", delete::delete).permission("Group: Delete"),
        Route::post("/groups/{id}/restore", delete::restore).permission("Group: Restore"),
        Route::post("/groups/{id}/archive", change::archive)
            .with_limit(Limit::GroupArchive)
            .permission("Group: Archive"),
        Route::post("/groups/{id}/unarchive", change::unarchive)
            .with_limit(Limit::GroupArchive)
            .permission("Group: Archive"),
        Route::post("/groups/{id}/transfer", change::transfer).permission("Group: Transfer"),
        Route::get("/groups/{id}/projects", read::projects)
            .with_limit(Limit::GroupProjects)
            .permission("Project: Read"),
        Route::get("/groups/{id}/subgroups", read::subgroups).permission("Group: Read"),
        Route::get("/groups/{id}/descendant_groups", read::descendants).permission("Group: Read"),
    ]
}
