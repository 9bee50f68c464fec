//! Repositories: branches, trees, files, commits.

mod archive;
mod blob;
mod branch;
mod commit;
mod commit_check;
mod commit_params;
mod compare;
pub(super) mod entity;
mod file;
mod tag;
mod tree;

use crate::domain::token::Scope;
use crate::web::route::{Accepts, Route};
use http::Method;

pub(super) fn routes() -> Vec<Route> {
    let files = Accepts::Also(&[Scope::ReadRepository]);
    let file = "/projects/{id}/repository/files/{file_path}";
    let raw = "/projects/{id}/repository/files/{file_path}/raw";
    let branches = "/projects/{id}/repository/branches";
    let branch = "/projects/{id}/repository/branches/{branch}";
    let reading = "Repository: Read";
    let writing = "Repository: Write";
    vec![
        Route::get(branches, branch::list).permission(reading),
        Route::post(branches, branch::create).permission(writing),
        Route::get(branch, branch::show).permission(reading),
        Route::new(Method::HEAD, branch, branch::head).permission(reading),
        Route::delete(branch, branch::delete).permission(writing),
        Route::delete(
            "/projects/{id}/repository/merged_branches",
            branch::delete_merged,
        )
        .permission(writing),
        Route::get("/projects/{id}/repository/tree", tree::list).permission(reading),
        Route::get(file, file::show)
            .accepting(files)
            .permission(reading),
        Route::new(Method::HEAD, file, file::head)
            .accepting(files)
            .permission(reading),
        Route::get(raw, file::raw)
            .accepting(files)
            .open_to_jobs()
            .permission(reading),
        Route::new(Method::HEAD, raw, file::head_raw)
            .accepting(files)
            .permission(reading),
        Route::post(file, file::create).permission(writing),
        Route::put(file, file::update).permission(writing),
        Route::delete(file, file::delete).permission(writing),
        Route::get("/projects/{id}/repository/blobs/{sha}", blob::show).permission(reading),
        Route::get("/projects/{id}/repository/blobs/{sha}/raw", blob::raw).permission(reading),
        Route::get("/projects/{id}/repository/{archive}", archive::get).permission(reading),
        Route::get("/projects/{id}/repository/compare", compare::compare).permission(reading),
        Route::get("/projects/{id}/repository/merge_base", compare::merge_base).permission(reading),
        Route::get("/projects/{id}/repository/tags", tag::list).permission(reading),
        Route::post("/projects/{id}/repository/tags", tag::create).permission(writing),
        Route::get("/projects/{id}/repository/tags/{tag_name}", tag::show).permission(reading),
        Route::delete("/projects/{id}/repository/tags/{tag_name}", tag::delete).permission(writing),
        Route::get("/projects/{id}/repository/commits", commit::list).permission(reading),
        Route::post("/projects/{id}/repository/commits", commit::create).permission(writing),
        Route::get("/projects/{id}/repository/commits/{sha}", commit::show)
            .open_to_jobs()
            .permission(reading),
        Route::get("/projects/{id}/repository/commits/{sha}/diff", commit::diff)
            .permission(reading),
        Route::get(
            "/projects/{id}/repository/commits/{sha}/refs",
            commit::references,
        )
        .permission(reading),
    ]
}
