//! Derive macros of the `terraform-plugin` framework. The traits of the same names there have the documentation.

mod arguments;
mod field;
mod input;
mod model;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives a model: the schema, the conversions from and to values, and the plan view of a struct.
///
/// Doc comments become descriptions. `#[tf(…)]` on a field lists builder methods of
/// `terraform_plugin::schema::Attribute` with their arguments: `#[tf(replace, default("main"))]`.
#[proc_macro_derive(Model, attributes(tf))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    model::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives the arguments of a function from a struct with one field per argument, in order.
///
/// Doc comments become descriptions.
#[proc_macro_derive(Arguments)]
pub fn derive_arguments(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    arguments::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
