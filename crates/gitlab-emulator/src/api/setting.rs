//! Instance settings.

use serde_json::{Value, json};

use crate::domain::settings::Settings;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, Raw};
use crate::web::reply::{ApiResult, Reply};
use crate::web::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/application/settings", show).for_administrators(),
        Route::put("/application/settings", update).for_administrators(),
    ]
}

fn entity(settings: &Settings) -> Value {
    let mut entity = json!(settings);
    if let Value::Object(map) = &mut entity {
        map.insert("id".to_owned(), json!(1));
        map.insert("signup_enabled".to_owned(), json!(false));
        map.insert(
            "restricted_visibility_levels".to_owned(),
            json!(settings.restricted_visibility_levels),
        );
    }
    entity
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers have one signature")]
fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    Ok(Reply::ok(entity(call.instance.store.read().settings.get())))
}

/// Changes the named settings; a value of the wrong type is refused.
fn update(call: &Call<'_>, raw: &Raw) -> ApiResult {
    call.instance.change(|state| {
        let mut all = json!(state.settings.get());
        let Value::Object(map) = &mut all else {
            return Err(ApiError::internal());
        };
        for (name, current) in map.iter_mut() {
            if let Some(value) = raw.get(name) {
                *current = convert(current, value)
                    .ok_or_else(|| ApiError::parameter(format!("{name} is invalid")))?;
            }
        }
        let changed: Settings = serde_json::from_value(all)
            .map_err(|_| ApiError::parameter("a setting does not have a valid value"))?;
        *state.settings.get_mut() = changed;
        Ok(Reply::ok(entity(state.settings.get())))
    })
}

/// Converts a value, which may be a text from a form, to the type of another one.
fn convert(current: &Value, value: &Value) -> Option<Value> {
    use crate::web::params::Scalar;
    match current {
        Value::Bool(_) => bool::from_value(value).ok().map(Value::Bool),
        Value::Number(_) => integer(value).map(Value::from),
        Value::Array(_) => Vec::<String>::from_value(value).ok().map(Value::from),
        Value::String(_) => String::from_value(value).ok().map(Value::from),
        Value::Null | Value::Object(_) => Some(value.clone()),
    }
}

fn integer(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}
