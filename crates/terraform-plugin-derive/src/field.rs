//! One field of a model, read from the syntax tree.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Field, Ident, Meta, Result, Token, Type, Visibility};

use crate::input::description;

pub(crate) struct ModelField<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) kind: &'a Type,
    pub(crate) visibility: &'a Visibility,
    /// The name of the attribute.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) placement: Placement,
}

/// How the field stands in the object.
pub(crate) enum Placement {
    /// As one attribute, with calls of the attribute builder, each with its leading dot.
    Attribute(TokenStream),
    /// As the attributes of the model that it is, beside the others.
    Flattened,
}

impl<'a> ModelField<'a> {
    pub(crate) fn read(field: &'a Field) -> Result<Self> {
        let ident = field
            .ident
            .as_ref()
            .ok_or_else(|| Error::new_spanned(field, "fields of a model have names"))?;
        Ok(Self {
            ident,
            kind: &field.ty,
            visibility: &field.vis,
            name: ident.unraw().to_string(),
            description: description(&field.attrs),
            placement: placement(&field.attrs)?,
        })
    }
}

fn placement(attributes: &[Attribute]) -> Result<Placement> {
    let mut calls = TokenStream::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("tf"))
    {
        for call in attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
            match call {
                Meta::Path(flatten) if flatten.is_ident("flatten") => {
                    return Ok(Placement::Flattened);
                }
                Meta::Path(method) => calls.extend(quote!(.#method())),
                Meta::List(list) => {
                    let (method, arguments) = (list.path, list.tokens);
                    calls.extend(quote!(.#method(#arguments)));
                }
                Meta::NameValue(pair) => {
                    return Err(Error::new_spanned(pair, "write `method(argument)`"));
                }
            }
        }
    }
    Ok(Placement::Attribute(calls))
}
