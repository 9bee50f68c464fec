//! What the plan for an existing object makes of its references.
//!
//! An object keeps what its references meant at its creation. So a reference that is written
//! differently and means the same changes nothing, and one that is not known yet is expected to mean
//! the same: if it turns out otherwise at apply, the apply fails before it writes anything.

use nautes_model::reference::{CodeRepoReference, ProductReference};
use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;
use terraform_plugin::value::{Known, Path, Tf};

use super::references::invalid_value;
use crate::claim::Claim;
use crate::client::Client;
use crate::planned::{Name, Object};

/// What a planned reference means for an existing object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Meaning {
    /// The same object, which the reference in the state means too: the plan keeps that one.
    Unchanged,
    /// The same object, which the reference in the state no longer means, or which is not known yet.
    SameObject,
    /// Another object.
    AnotherObject,
}

/// Records that what a creation replaces goes: the objects of the type that the replaced instance holds.
pub(crate) fn record_replaced(
    client: &Client,
    replaced: Option<&PrivateState>,
    type_name: &str,
    parse: impl Fn(&str) -> Option<Object>,
) {
    let held = replaced
        .and_then(Claim::load)
        .map(|claim| client.holders().held_by(&claim, type_name));
    for object in held.iter().flatten().filter_map(|id| parse(id)) {
        client.planned().record_leaving(object);
    }
}

/// Judges the planned reference of an existing object to its product.
pub(crate) async fn product(
    client: &Client,
    product: ProductId,
    prior: &str,
    planned: &Tf<String>,
) -> Result<Meaning, Diagnostics> {
    let reference = match planned {
        Known(reference) if reference == prior => return Ok(Meaning::Unchanged),
        Known(reference) => reference,
        Tf::Null | Tf::Unknown => return Ok(unknown(client, Object::Product(product))),
    };
    let meant = product_meant(client, reference).await?;
    let is_same = meant == Some(product);
    let is_kept =
        is_same && matches!(product_meant(client, prior).await, Ok(Some(id)) if id == product);
    check_phase(client, "product", meaning(is_same, is_kept))
}

/// Judges the planned reference of an existing object to a code repository of its product.
pub(crate) async fn code_repo(
    client: &Client,
    product: ProductId,
    attribute: &str,
    existing: Option<RepositoryId>,
    prior: &str,
    planned: &Tf<String>,
) -> Result<Meaning, Diagnostics> {
    let reference = match planned {
        Known(reference) if reference == prior => return Ok(Meaning::Unchanged),
        Known(reference) => reference,
        Tf::Null | Tf::Unknown => {
            return Ok(existing.map_or(Meaning::AnotherObject, |id| {
                unknown(client, Object::CodeRepo(id))
            }));
        }
    };
    let meant = code_repo_meant(client, product, attribute, reference).await?;
    let is_same = existing.is_some() && meant == existing;
    let is_kept = is_same
        && matches!(code_repo_meant(client, product, attribute, prior).await, Ok(id) if id == existing);
    check_phase(client, attribute, meaning(is_same, is_kept))
}

/// Returns the warning about an object that is replaced since its product is another one.
pub(crate) fn moves_warning(object: &str, product: ProductId) -> (String, String) {
    (
        format!("The {object} moves to another product"),
        format!(
            "It is in {product}, and its argument product means another one now. So it is deleted in {product}, and created anew in the other."
        ),
    )
}

fn meaning(is_same: bool, is_kept: bool) -> Meaning {
    match (is_same, is_kept) {
        (true, true) => Meaning::Unchanged,
        (true, false) => Meaning::SameObject,
        (false, _) => Meaning::AnotherObject,
    }
}

/// What a reference that is not known yet means.
fn unknown(client: &Client, existing: Object) -> Meaning {
    if client.planned().is_leaving(existing) {
        Meaning::AnotherObject
    } else {
        Meaning::SameObject
    }
}

/// Refuses to turn an update into a replacement once changes are being applied: the plan that the
/// user has seen showed none.
pub(crate) fn check_phase(
    client: &Client,
    attribute: &str,
    meaning: Meaning,
) -> Result<Meaning, Diagnostics> {
    if meaning == Meaning::AnotherObject && client.wait_graph().has_begun() {
        let detail = format!(
            "When this was planned, the value of {attribute} was not known, and was expected to mean the same as before. It means another object. Nothing was changed; plan again."
        );
        return Err(Diagnostic::error("The plan is out of date", detail)
            .at(&Path::to(attribute))
            .into());
    }
    Ok(meaning)
}

/// The product that a reference will mean when the plans of this process are carried out; `None` if
/// that is a product which is yet to be created.
async fn product_meant(client: &Client, reference: &str) -> Result<Option<ProductId>, Diagnostics> {
    let parsed: ProductReference = reference
        .parse()
        .map_err(|error| invalid_value("product", format!("{error}.")))?;
    let name = match parsed {
        ProductReference::Id(id) => return Ok(Some(id)),
        ProductReference::Name(name) => name,
    };
    let (planned, name) = (client.planned(), Name::Product(name));
    match planned.renamed_to(&name) {
        Some(Object::Product(id)) => return Ok(Some(id)),
        Some(Object::CodeRepo(_)) | None => {}
    }
    if planned.is_created(&name) {
        return Ok(None);
    }
    let id = client.products()?.resolve(reference).await?;
    match planned.new_name(Object::Product(id)) {
        Some(new) if new != name => Ok(None),
        _ => Ok(Some(id)),
    }
}

/// The code repository that a reference will mean when the plans of this process are carried out;
/// `None` if that is one which is yet to be created.
async fn code_repo_meant(
    client: &Client,
    product: ProductId,
    attribute: &str,
    reference: &str,
) -> Result<Option<RepositoryId>, Diagnostics> {
    let parsed: CodeRepoReference = reference
        .parse()
        .map_err(|error| invalid_value(attribute, format!("{error}.")))?;
    let text = match parsed {
        CodeRepoReference::Id(id) => return Ok(Some(id)),
        CodeRepoReference::Name(name) => name,
    };
    let (planned, name) = (client.planned(), Name::CodeRepo(product, text.clone()));
    match planned.renamed_to(&name) {
        Some(Object::CodeRepo(id)) => return Ok(Some(id)),
        Some(Object::Product(_)) | None => {}
    }
    if planned.is_created(&name) {
        return Ok(None);
    }
    let resolved = client.code_repos()?.resolve(None, product, &text).await;
    let id = resolved.map_err(|found| found.at(&Path::to(attribute)))?;
    match planned.new_name(Object::CodeRepo(id)) {
        Some(new) if new != name => Ok(None),
        _ => Ok(Some(id)),
    }
}
