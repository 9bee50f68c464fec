//! What both macros accept: a plain struct with named fields.

use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Lit, Meta, Result, Token};

/// Returns the fields of the struct; `what` is what the macro makes of it, with its article.
pub(crate) fn named_fields<'a>(
    input: &'a DeriveInput,
    what: &str,
) -> Result<&'a Punctuated<Field, Token![,]>> {
    let refused = |reason| Error::new_spanned(&input.ident, reason);
    if !input.generics.params.is_empty() {
        return Err(refused(format!("{what} has no generic parameters")));
    }
    let Data::Struct(data) = &input.data else {
        return Err(refused(format!("{what} is a struct")));
    };
    match &data.fields {
        Fields::Named(fields) => Ok(&fields.named),
        Fields::Unnamed(_) | Fields::Unit => {
            Err(refused(format!("the fields of {what} have names")))
        }
    }
}

/// Joins the lines of the doc comments, each without the space that follows the slashes.
pub(crate) fn description(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
    let lines: Vec<String> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}
