//! `/version` and `/metadata`.

use serde_json::json;

use crate::domain::token::Scope;
use crate::web::call::Call;
use crate::web::params::NoParams;
use crate::web::reply::{ApiResult, Reply};
use crate::web::route::{Accepts, Route};

const REVISION: &str = "0123456789a";

pub(super) fn routes() -> Vec<Route> {
    let reading_user = Accepts::Also(&[Scope::ReadUser]);
    vec![
        Route::get("/version", version)
            .for_users()
            .accepting(reading_user),
        Route::get("/metadata", metadata)
            .for_users()
            .accepting(reading_user),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers have one signature")]
fn version(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    Ok(Reply::ok(
        json!({ "version": state.switches.get().version, "revision": REVISION }),
    ))
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers have one signature")]
fn metadata(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let version = &state.switches.get().version;
    Ok(Reply::ok(json!({
        "version": version,
        "revision": REVISION,
        "kas": {
            "enabled": false,
            "externalUrl": null,
            "externalK8sProxyUrl": null,
            "version": null,
        },
        "enterprise": version.ends_with("-ee"),
    })))
}
