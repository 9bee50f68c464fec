//! Expands the derive macro for models.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Error, Result};

use crate::field::{ModelField, Placement};
use crate::input::{all, combined, description, named_fields};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let fields = named_fields(input, "a model")?;
    let options = input.attrs.iter().filter(|attr| attr.path().is_ident("tf"));
    let misplaced = options.map(|option| {
        let text = "options belong on the fields of a model, or on a field whose type is the model";
        Error::new_spanned(option, text)
    });
    combined(misplaced).map_or(Ok(()), Err)?;
    let fields = all(fields.iter().map(ModelField::parse))?;
    let model = &input.ident;
    let plan = format_ident!("{model}Plan");
    let conversion_of_model = conversion(&quote!(#model), &fields);
    let conversion_of_plan = conversion(&quote!(#plan), &fields);
    let plan_struct = plan_struct(input, &plan, &fields);
    let type_checks = type_checks(&fields);
    let attributes = fields.iter().map(|field| {
        let ModelField {
            name,
            kind,
            description,
            ..
        } = field;
        match &field.placement {
            Placement::Attribute { builder, .. } => quote! {
                ::terraform_plugin::schema::add_attribute(
                    &mut attributes,
                    ::std::string::String::from(#name),
                    ::terraform_plugin::schema::Attribute::for_type::<#kind>()
                        .describe(#description) #builder,
                );
            },
            Placement::Flattened => quote! {
                for (name, attribute) in <#kind as ::terraform_plugin::model::Model>::attributes() {
                    ::terraform_plugin::schema::add_attribute(&mut attributes, name, attribute);
                }
            },
        }
    });
    let checks = fields.iter().map(|field| {
        let ModelField { name, kind, .. } = field;
        let check = quote!(<#kind as ::terraform_plugin::value::AttributeValue>::check);
        match field.placement {
            Placement::Attribute { .. } => quote! {
                #check(value.attribute(#name), &path.attribute(#name), errors);
            },
            Placement::Flattened => quote!(#check(value, path, errors);),
        }
    });
    let description = description(&input.attrs);
    Ok(quote! {
        #type_checks
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

            fn check(
                value: &::terraform_plugin::value::Value,
                path: &::terraform_plugin::value::Path,
                errors: &mut ::std::vec::Vec<::terraform_plugin::value::ConversionError>,
            ) {
                match value {
                    ::terraform_plugin::value::Value::Unknown => {}
                    ::terraform_plugin::value::Value::Object(_) => { #(#checks)* }
                    _ => errors.push(
                        ::terraform_plugin::value::ConversionError::new(path, "an object", value),
                    ),
                }
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

/// Returns what does not compile if the type of a field is impossible or does not fit its options.
fn type_checks(fields: &[ModelField<'_>]) -> TokenStream {
    let checks = fields.iter().map(|field| {
        let kind = field.kind;
        let possible = quote_spanned! {kind.span()=>
            const _: ::terraform_plugin::schema::Presence =
                <#kind as ::terraform_plugin::value::AttributeValue>::PRESENCE;
        };
        let optional = match &field.placement {
            Placement::Attribute { optional, .. } => optional.as_ref(),
            Placement::Flattened => None,
        };
        let optional = optional.map(|option| {
            quote_spanned! {option.span()=>
                const _: () = ::terraform_plugin::schema::require_optional_type(
                    <#kind as ::terraform_plugin::value::AttributeValue>::PRESENCE,
                );
            }
        });
        quote!(#possible #optional)
    });
    checks.collect()
}

fn plan_struct(input: &DeriveInput, plan: &syn::Ident, fields: &[ModelField<'_>]) -> TokenStream {
    let visibility = &input.vis;
    let documentation = format!(
        "The plan view of [`{}`]: any part may be null or unknown.",
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
            Placement::Attribute { .. } => quote!(::terraform_plugin::value::Tf<#view>),
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
        #[allow(dead_code, reason = "a plan view has every attribute, used or not")]
        #visibility struct #plan {
            #(#members),*
        }
    }
}

fn conversion(target: &TokenStream, fields: &[ModelField<'_>]) -> TokenStream {
    let reads = fields.iter().map(|field| {
        let ModelField { ident, name, .. } = field;
        match field.placement {
            Placement::Attribute { .. } => quote! {
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
            Placement::Attribute { .. } => quote! {
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
