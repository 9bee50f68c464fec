//! The expansion of the derive macro for models.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Result};

use crate::field::{ModelField, Placement};
use crate::input::{description, named_fields};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let fields = named_fields(input, "a model")?;
    let fields = fields
        .iter()
        .map(ModelField::read)
        .collect::<Result<Vec<_>>>()?;
    let model = &input.ident;
    let plan = format_ident!("{model}Plan");
    let conversion_of_model = conversion(&quote!(#model), &fields);
    let conversion_of_plan = conversion(&quote!(#plan), &fields);
    let plan_struct = plan_struct(input, &plan, &fields);
    let attributes = fields.iter().map(|field| {
        let ModelField {
            name,
            kind,
            description,
            ..
        } = field;
        match &field.placement {
            Placement::Attribute(builder) => quote! {
                attributes.insert(
                    ::std::string::String::from(#name),
                    ::terraform_plugin::schema::Attribute::of::<#kind>()
                        .describe(#description) #builder,
                );
            },
            Placement::Flattened => quote! {
                attributes.extend(<#kind as ::terraform_plugin::model::Model>::attributes());
            },
        }
    });
    let description = description(&input.attrs);
    Ok(quote! {
        #plan_struct
        #conversion_of_model
        #conversion_of_plan

        impl ::terraform_plugin::value::AttributeValue for #model {
            type Plan = #plan;

            fn kind() -> ::terraform_plugin::schema::AttributeKind {
                ::terraform_plugin::schema::AttributeKind::Nested(
                    ::terraform_plugin::schema::Nesting::Single,
                    <Self as ::terraform_plugin::model::Model>::attributes(),
                )
            }
        }

        impl ::terraform_plugin::model::Model for #model {
            const DESCRIPTION: &'static str = #description;

            fn attributes() -> ::terraform_plugin::schema::Attributes {
                let mut attributes = ::terraform_plugin::schema::Attributes::new();
                #(#attributes)*
                attributes
            }
        }
    })
}

fn plan_struct(input: &DeriveInput, plan: &syn::Ident, fields: &[ModelField<'_>]) -> TokenStream {
    let visibility = &input.vis;
    let documentation = format!(
        "[`{}`] while any part of it may be null or unknown.",
        input.ident
    );
    let members = fields.iter().map(|field| {
        let ModelField {
            ident,
            kind,
            visibility,
            description,
            ..
        } = field;
        let view = quote!(<#kind as ::terraform_plugin::value::AttributeValue>::Plan);
        let view = match field.placement {
            Placement::Attribute(_) => quote!(::terraform_plugin::value::Tf<#view>),
            Placement::Flattened => view,
        };
        quote! {
            #[doc = #description]
            #visibility #ident: #view
        }
    });
    quote! {
        #[doc = #documentation]
        #[derive(Clone, PartialEq)]
        #[allow(dead_code, reason = "a plan view has every attribute, whether its resource looks at it or not")]
        #visibility struct #plan {
            #(#members),*
        }
    }
}

fn conversion(target: &TokenStream, fields: &[ModelField<'_>]) -> TokenStream {
    let reads = fields.iter().map(|field| {
        let ModelField { ident, name, .. } = field;
        match field.placement {
            Placement::Attribute(_) => quote! {
                #ident: ::terraform_plugin::value::Convert::from_value(
                    value.attribute(#name),
                    &path.attribute(#name),
                )?
            },
            Placement::Flattened => quote! {
                #ident: ::terraform_plugin::value::Convert::from_value(value, path)?
            },
        }
    });
    let writes = fields.iter().map(|field| {
        let ModelField { ident, name, .. } = field;
        let value = quote!(::terraform_plugin::value::Convert::to_value(&self.#ident));
        match field.placement {
            Placement::Attribute(_) => quote! {
                attributes.insert(::std::string::String::from(#name), #value);
            },
            Placement::Flattened => quote! {
                if let ::terraform_plugin::value::Value::Object(flattened) = #value {
                    attributes.extend(flattened);
                }
            },
        }
    });
    quote! {
        impl ::terraform_plugin::value::Convert for #target {
            fn from_value(
                value: &::terraform_plugin::value::Value,
                path: &::terraform_plugin::value::Path,
            ) -> ::std::result::Result<Self, ::terraform_plugin::value::ConversionError> {
                if !::std::matches!(value, ::terraform_plugin::value::Value::Object(_)) {
                    return ::std::result::Result::Err(
                        ::terraform_plugin::value::ConversionError::new(path, "an object", value),
                    );
                }
                ::std::result::Result::Ok(Self { #(#reads),* })
            }

            fn to_value(&self) -> ::terraform_plugin::value::Value {
                let mut attributes = ::std::collections::BTreeMap::new();
                #(#writes)*
                ::terraform_plugin::value::Value::Object(attributes)
            }
        }
    }
}
