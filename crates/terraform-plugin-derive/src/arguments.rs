//! Expands the derive macro for arguments of functions.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Result};

use crate::input::{description, named_fields};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let fields = named_fields(input, "a list of arguments")?;
    let arguments = &input.ident;
    let named = fields.iter().filter_map(|field| {
        let ident = field.ident.as_ref()?;
        Some((field, ident, ident.unraw().to_string()))
    });
    let parameters = named.clone().map(|(field, _, name)| {
        let (kind, description) = (&field.ty, description(&field.attrs));
        quote!(<#kind as ::terraform_plugin::function::Argument>::parameter(#name, #description))
    });
    let checks = fields.iter().map(|field| {
        let kind = &field.ty;
        quote_spanned! {kind.span()=>
            const _: () = <#kind as ::terraform_plugin::function::Argument>::VALID;
        }
    });
    let reads = named.map(|(_, ident, name)| {
        quote!(#ident: ::terraform_plugin::function::Argument::read(#name, values)?)
    });
    Ok(quote! {
        #(#checks)*

        impl ::terraform_plugin::function::Arguments for #arguments {
            fn parameters() -> ::std::vec::Vec<::terraform_plugin::function::Parameter> {
                ::std::vec![#(#parameters),*]
            }

            fn read(
                values: &mut ::std::slice::Iter<'_, ::terraform_plugin::value::Value>,
            ) -> ::std::result::Result<Self, ::terraform_plugin::function::FunctionError> {
                ::std::result::Result::Ok(Self { #(#reads),* })
            }
        }
    })
}
