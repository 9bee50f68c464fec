//! Parses the input of both macros: a struct with named fields and without generic parameters.

use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Lit, Meta, Result, Token};

/// Returns the fields of the struct. `what` names the result of the macro, with its article.
pub(crate) fn named_fields<'a>(
    input: &'a DeriveInput,
    what: &str,
) -> Result<&'a Punctuated<Field, Token![,]>> {
    let error = |reason| Error::new_spanned(&input.ident, reason);
    if !input.generics.params.is_empty() {
        return Err(error(format!("{what} has no generic parameters")));
    }
    let Data::Struct(data) = &input.data else {
        return Err(error(format!("{what} is a struct")));
    };
    match &data.fields {
        Fields::Named(fields) => Ok(&fields.named),
        Fields::Unnamed(_) | Fields::Unit => Err(error(format!("the fields of {what} have names"))),
    }
}

/// Returns all values, or all errors.
pub(crate) fn all<T>(results: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error),
        }
    }
    combined(errors).map_or(Ok(values), Err)
}

/// Combines errors into one, so that the compiler reports each of them; `None` if there are none.
pub(crate) fn combined(errors: impl IntoIterator<Item = Error>) -> Option<Error> {
    errors.into_iter().reduce(|mut first, error| {
        first.combine(error);
        first
    })
}

/// Joins the lines of the doc comments, each without its leading space.
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
