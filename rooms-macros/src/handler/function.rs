//! `#[handler] async fn`

use super::model::{Handler, Target, stub};
use crate::diag::Diagnostics;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, FnArg, Ident, ItemFn, PatIdent, parse_quote,
    visit_mut::{self, VisitMut},
};

pub(crate) fn expand(target: &Target, item: ItemFn, diag: &mut Diagnostics) -> TokenStream {
    if let Some(FnArg::Receiver(receiver)) = item.sig.inputs.first() {
        diag.error(
            receiver,
            "put `#[handler]` on the `impl` block and `#[on]` on this method",
        );
        return quote!(#[allow(dead_code)] #item);
    }
    let handler = Handler::parse(&item.sig, diag);
    let shadows = shadows(&item, diag);
    let valid = diag.is_clean();
    match handler {
        Some(handler) => {
            let implementations = implementations(target, &handler, valid);
            let mut structure = structure(&item);
            if !shadows {
                structure.extend(body(item));
            }
            quote!(#structure #implementations)
        }
        None => quote!(#[allow(dead_code)] #item),
    }
}

/// Reports the names in the patterns of a function that are its own. The struct that it becomes is a constant in patterns, so
/// that such a name would be compared with it instead of bound.
fn shadows(item: &ItemFn, diag: &mut Diagnostics) -> bool {
    struct Shadows<'a> {
        handler: &'a Ident,
        diag: &'a mut Diagnostics,
        what: &'static str,
    }
    impl VisitMut for Shadows<'_> {
        fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
            if pattern.ident == *self.handler {
                let what = self.what;
                self.diag.error(
                    &pattern.ident,
                    format!("{what} can't have the name of its handler: rename one of them"),
                );
            }
            visit_mut::visit_pat_ident_mut(self, pattern);
        }
    }
    let before = diag.count();
    let mut shadows = Shadows {
        handler: &item.sig.ident,
        diag,
        what: "a parameter",
    };
    let mut visited = item.clone();
    shadows.visit_signature_mut(&mut visited.sig);
    shadows.what = "a variable";
    shadows.visit_block_mut(&mut visited.block);
    diag.count() > before
}

/// These describe the item that users see; all other attributes concern the body.
fn describes(attribute: &Attribute) -> bool {
    let path = attribute.path();
    path.is_ident("doc") || path.is_ident("deprecated")
}

/// The function as a type, so that it can be a handler of borrowed events and carry its event's name.
fn structure(item: &ItemFn) -> TokenStream {
    let (vis, name) = (&item.vis, &item.sig.ident);
    let attributes = item
        .attrs
        .iter()
        .filter(|attribute| describes(attribute) || attribute.path().is_ident("cfg"));
    quote! {
        #(#attributes)*
        #[allow(non_camel_case_types)]
        #vis struct #name;
    }
}

/// The function's body stays a function, which unit tests call.
fn body(mut item: ItemFn) -> TokenStream {
    let name = item.sig.ident.clone();
    item.attrs.retain(|attribute| !describes(attribute));
    item.attrs
        .push(parse_quote!(#[doc = "The handler's body, for unit tests."]));
    item.sig.ident = format_ident!("call", span = name.span());
    quote!(impl #name { #item })
}

fn implementations(target: &Target, handler: &Handler, valid: bool) -> TokenStream {
    let krate = &target.krate;
    let (name, event) = (&handler.name, &handler.event_static);
    let namespaces = target.namespaces();
    let each = namespaces.iter().map(|namespace| {
        let (check, body) = if valid {
            let body = handler.body(target, namespace, quote!(#name::call));
            (handler.check(target, namespace), body)
        } else {
            (quote!(), stub())
        };
        quote! {
            #check
            #[automatically_derived]
            impl #krate::Handler<#namespace> for #name {
                type Event = #event;
                async fn call(&self, __call: &#krate::Call<#namespace>) -> #krate::Outcome {
                    #body
                }
            }
        }
    });
    each.collect()
}
