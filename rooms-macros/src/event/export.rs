//! What `#[derive(Event)]` prints for the feature `export`: a list of the event's arguments.

use super::{
    expand::header_where,
    model::{Event, Payload},
};
use crate::names;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, Fields};

/// The description of an event, which is there only in a build that exports: whether this is one, the library knows.
pub(crate) fn description(event: &Event<'_>) -> TokenStream {
    let krate = &event.krate;
    let arguments: Vec<_> = match &event.payload {
        Payload::Whole => vec![(quote!(Self), String::new())],
        Payload::Fields(types) => {
            let types = types.iter().map(|ty| quote!(#ty));
            types.zip(field_docs(event)).collect()
        }
    };
    let pushes = arguments
        .iter()
        .map(|(ty, doc)| quote!(__arguments.push::<#ty>(#doc);));
    let described = arguments.iter().map(|(ty, _)| ty);
    let header = header_where(
        event,
        &[],
        quote!(#krate::DescribeArguments),
        described.map(|ty| quote!(for<'__x> #ty: #krate::Described)),
    );
    quote! {
        #krate::when_exporting! {
            #header {
                fn arguments(__arguments: &mut #krate::Arguments<'_>) {
                    let _ = &__arguments;
                    #(#pushes)*
                }
            }
        }
    }
}

/// The doc comment of each field of a tuple struct, where users may name its argument.
fn field_docs<'a>(event: &Event<'a>) -> impl Iterator<Item = String> + 'a {
    let fields = match &event.item.data {
        Data::Struct(item) => &item.fields,
        _ => &Fields::Unit,
    };
    fields.iter().map(|field| names::docs(&field.attrs))
}
