//! `#[handler] async fn`

use super::model::{Handler, Target, stub};
use crate::diag::Diagnostics;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, FnArg, ItemFn, parse_quote};

pub(crate) fn expand(target: &Target, item: ItemFn, diag: &mut Diagnostics) -> TokenStream {
    if let Some(FnArg::Receiver(receiver)) = item.sig.inputs.first() {
        diag.error(
            receiver,
            "put `#[handler]` on the `impl` block and `#[on]` on this method",
        );
        return quote!(#[allow(dead_code)] #item);
    }
    let handler = Handler::parse(&item.sig, diag);
    let valid = diag.is_clean();
    match handler {
        Some(handler) => {
            let implementations = implementations(target, &handler, valid);
            let structure = structure(item);
            quote!(#structure #implementations)
        }
        None => quote!(#[allow(dead_code)] #item),
    }
}

/// The function as a type, so that it can be a handler of borrowed events and carry its event's name; its body stays a
/// function that unit tests call. A function that returns the type is what `.on(..)` gets: the name of a constant, such as a
/// unit struct's, could not be given to a parameter or a variable any more.
fn structure(mut item: ItemFn) -> TokenStream {
    let (vis, name) = (item.vis.clone(), item.sig.ident.clone());
    // These describe the item that users see; everything else concerns the body.
    let describes = |attribute: &Attribute| {
        let path = attribute.path();
        path.is_ident("doc") || path.is_ident("deprecated")
    };
    let attributes: Vec<_> = item
        .attrs
        .iter()
        .filter(|attribute| describes(attribute) || attribute.path().is_ident("cfg"))
        .cloned()
        .collect();
    item.attrs.retain(|attribute| !describes(attribute));
    item.attrs
        .push(parse_quote!(#[doc = "The handler's body, for unit tests."]));
    item.sig.ident = format_ident!("call", span = name.span());
    quote! {
        #(#attributes)*
        #[allow(non_camel_case_types)]
        #vis struct #name {}
        #(#attributes)*
        #vis fn #name() -> #name {
            #name {}
        }
        impl #name { #item }
    }
}

fn implementations(target: &Target, handler: &Handler, valid: bool) -> TokenStream {
    let krate = &target.krate;
    let (name, event) = (&handler.name, &handler.event_static);
    let namespaces = target.namespaces();
    let each = namespaces.iter().map(|namespace| {
        let body = if valid {
            let check = handler.check(target, namespace);
            let body = handler.body(target, namespace, None, quote!(#name::call));
            quote!(#check #body)
        } else {
            stub(krate)
        };
        quote! {
            #[automatically_derived]
            impl #krate::Handler<#namespace> for #name {
                type Event = #event;
                fn call(
                    &self,
                    __call: &#krate::Call<#namespace>,
                ) -> impl ::core::future::Future<Output = #krate::Outcome> + ::core::marker::Send {
                    #body
                }
            }
        }
    });
    each.collect()
}
