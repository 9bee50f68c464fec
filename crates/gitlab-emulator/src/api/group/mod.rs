//! Groups.

mod change;
mod delete;
pub(super) mod entity;
mod read;

use crate::limit::Limited;
use crate::web::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/groups", read::list)
            .limited(Limited::Groups)
            .permission("Group: Read"),
        Route::post("/groups", change::create).permission("Group: Create"),
        Route::get("/groups/{id}", read::show)
            .limited(Limited::Group)
            .permission("Group: Read"),
        Route::put("/groups/{id}", change::update).permission("Group: Update"),
        Route::delete("/groups/{id}", delete::delete).permission("Group: Delete"),
        Route::post("/groups/{id}/restore", delete::restore).permission("Group: Restore"),
        Route::post("/groups/{id}/archive", change::archive)
            .limited(Limited::GroupArchive)
            .permission("Group: Archive"),
        Route::post("/groups/{id}/unarchive", change::unarchive)
            .limited(Limited::GroupArchive)
            .permission("Group: Archive"),
        Route::post("/groups/{id}/transfer", change::transfer).permission("Group: Transfer"),
        Route::get("/groups/{id}/projects", read::projects)
            .limited(Limited::GroupProjects)
            .permission("Project: Read"),
        Route::get("/groups/{id}/subgroups", read::subgroups).permission("Group: Read"),
        Route::get("/groups/{id}/descendant_groups", read::descendants).permission("Group: Read"),
    ]
}
