//! Parses one field of a model.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Field, Ident, Meta, Result, Token, Type, Visibility};

use crate::input::{all, combined, description};

pub(crate) struct ModelField<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) kind: &'a Type,
    pub(crate) visibility: &'a Visibility,
    /// The name of the attribute.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) placement: Placement,
}

/// How the field contributes to the object.
pub(crate) enum Placement {
    /// As one attribute. The tokens are calls of the attribute builder, each with its leading dot.
    Attribute(TokenStream),
    /// As the attributes of the nested model.
    Flattened,
}

impl<'a> ModelField<'a> {
    pub(crate) fn parse(field: &'a Field) -> Result<Self> {
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
            placement: parse_placement(&field.attrs)?,
        })
    }
}

fn parse_placement(attributes: &[Attribute]) -> Result<Placement> {
    let mut options = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("tf"))
    {
        options.extend(attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?);
    }
    if options.iter().any(is_flatten) {
        return flattened(&options);
    }
    let calls = all(options.into_iter().map(builder_call))?;
    Ok(Placement::Attribute(calls.into_iter().collect()))
}

fn is_flatten(option: &Meta) -> bool {
    option.path().is_ident("flatten")
}

/// A flattened field is no attribute of its own, so nothing but `flatten` applies to it.
fn flattened(options: &[Meta]) -> Result<Placement> {
    let errors = options.iter().filter_map(|option| match option {
        Meta::Path(path) if path.is_ident("flatten") => None,
        option if is_flatten(option) => {
            Some(Error::new_spanned(option, "`flatten` takes no arguments"))
        }
        option => Some(Error::new_spanned(
            option,
            "a flattened field takes no other options: set them on the fields of its model",
        )),
    });
    combined(errors).map_or(Ok(Placement::Flattened), Err)
}

fn builder_call(option: Meta) -> Result<TokenStream> {
    match option {
        Meta::Path(method) => Ok(quote!(.#method())),
        Meta::List(list) => {
            let (method, arguments) = (list.path, list.tokens);
            Ok(quote!(.#method(#arguments)))
        }
        Meta::NameValue(pair) => Err(Error::new_spanned(pair, "write `method(argument)`")),
    }
}
