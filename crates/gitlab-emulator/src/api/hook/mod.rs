//! Webhooks of projects (GitLab `lib/api/project_hooks.rb`).

mod change;
mod delivery;
mod read;

use crate::web::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let all = "/projects/{id}/hooks";
    let one = "/projects/{id}/hooks/{hook_id}";
    let variable = "/projects/{id}/hooks/{hook_id}/url_variables/{key}";
    let header = "/projects/{id}/hooks/{hook_id}/custom_headers/{key}";
    vec![
        Route::get(all, read::list)
            .for_users()
            .permission("Webhook: Read"),
        Route::get(one, read::show)
            .for_users()
            .permission("Webhook: Read"),
        Route::get("/projects/{id}/hooks/{hook_id}/events", delivery::list)
            .for_users()
            .permission("Webhook: Read"),
        Route::post(
            "/projects/{id}/hooks/{hook_id}/events/{event_id}/resend",
            delivery::resend,
        )
        .permission("Webhook: Test"),
        Route::post(all, change::create).permission("Webhook: Create"),
        Route::put(one, change::update).permission("Webhook: Update"),
        Route::delete(one, change::delete).permission("Webhook: Delete"),
        Route::put(variable, change::set_variable).permission("Webhook: Update"),
        Route::delete(variable, change::delete_variable).permission("Webhook: Update"),
        Route::put(header, change::set_header).permission("Webhook: Update"),
        Route::delete(header, change::delete_header).permission("Webhook: Update"),
        Route::post(
            "/projects/{id}/hooks/{hook_id}/test/{trigger}",
            delivery::test,
        )
        .permission("Webhook: Test"),
    ]
}
