//! Blobs by id.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::domain::access::ProjectAbility;
use crate::git::ObjectId;
use crate::web::call::Call;
use crate::web::params::Nothing;
use crate::web::refusal::Refusal;
use crate::web::reply::{Answer, Reply};

pub(super) fn show(call: &Call<'_>, _: &Nothing) -> Answer {
    let (id, bytes) = read(call)?;
    Ok(Reply::ok(json!({
        "size": bytes.len(),
        "encoding": "base64",
        "content": STANDARD.encode(&bytes),
        "sha": id.to_string(),
    })))
}

pub(super) fn raw(call: &Call<'_>, _: &Nothing) -> Answer {
    let (_, bytes) = read(call)?;
    Ok(Reply::bytes("text/plain", bytes))
}

fn read(call: &Call<'_>) -> Result<(ObjectId, Vec<u8>), Refusal> {
    let project = {
        let state = call.instance.store.read();
        call.project_for(&state, ProjectAbility::ReadCode)?.id
    };
    let missing = || Refusal::not_found("Blob");
    let id = ObjectId::from_hex(call.capture("sha").as_bytes()).map_err(|_| missing())?;
    let bytes = call.repository(project)?.blob(id)?.ok_or_else(missing)?;
    Ok((id, bytes))
}
