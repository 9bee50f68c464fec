//! Blobs by ID.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::domain::access::ProjectAbility;
use crate::git::ObjectId;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::NoParams;
use crate::web::reply::{ApiResult, Reply};

pub(super) fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let (id, bytes) = read(call)?;
    Ok(Reply::ok(json!({
        "size": bytes.len(),
        "encoding": "base64",
        "content": STANDARD.encode(&bytes),
        "sha": id.to_string(),
    })))
}

pub(super) fn raw(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let (_, bytes) = read(call)?;
    Ok(Reply::bytes("text/plain", bytes))
}

fn read(call: &Call<'_>) -> Result<(ObjectId, Vec<u8>), ApiError> {
    let project = {
        let state = call.instance.store.read();
        call.project_for(&state, ProjectAbility::ReadCode)?.id
    };
    let missing = || ApiError::not_found("Blob");
    let id = ObjectId::from_hex(call.capture("sha").as_bytes()).map_err(|_| missing())?;
    let bytes = call.repository(project)?.blob(id)?.ok_or_else(missing)?;
    Ok((id, bytes))
}
