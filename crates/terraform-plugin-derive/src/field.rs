//! Parses one field of a model.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Error, Field, Ident, Meta, Path, Result, Token, Type, Visibility};

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
    /// As one attribute.
    Attribute {
        /// Calls of the attribute builder, each with its leading dot.
        builder: TokenStream,
        /// The option `optional`, if there is no default for a missing value.
        optional: Option<Path>,
    },
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
            placement: parse_placement(field)?,
        })
    }
}

fn parse_placement(field: &Field) -> Result<Placement> {
    let mut options = Vec::new();
    let attributes = field.attrs.iter();
    for attribute in attributes.filter(|attribute| attribute.path().is_ident("tf")) {
        options.extend(attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?);
    }
    if options.iter().any(is_flatten) {
        return flattened(&options);
    }
    let find = |name: &str| {
        options
            .iter()
            .map(Meta::path)
            .find(|path| path.is_ident(name))
    };
    let optional = find("optional").filter(|_| find("default").is_none());
    let optional = optional.cloned();
    let calls = options
        .into_iter()
        .map(|option| builder_call(option, &field.ty));
    let builder = all(calls)?.into_iter().collect();
    Ok(Placement::Attribute { builder, optional })
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

fn builder_call(option: Meta, kind: &Type) -> Result<TokenStream> {
    match option {
        // The type of the field gives a literal its type.
        Meta::List(list) if list.path.is_ident("default") => {
            let arguments = list.tokens;
            Ok(quote_spanned!(list.path.span()=> .default_for::<#kind, _>(#arguments)))
        }
        Meta::Path(method) => Ok(quote!(.#method())),
        Meta::List(list) => {
            let (method, arguments) = (list.path, list.tokens);
            Ok(quote!(.#method(#arguments)))
        }
        Meta::NameValue(pair) => Err(Error::new_spanned(pair, "write `method(argument)`")),
    }
}
