//! `#[handler] impl`

use super::model::{Handler, Target, stub};
use crate::{diag::Diagnostics, types};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{
    FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Receiver, ReceiverKind, Type, spanned::Spanned,
};

/// The methods of a block that are ours.
#[derive(Default)]
struct Block {
    handlers: Vec<Method>,
    hooks: Vec<Hook>,
}

/// A method that handles an event.
struct Method {
    handler: Handler,
    valid: bool,
}

/// A method that is called when a client comes or goes.
struct Hook {
    moment: &'static Moment,
    method: Ident,
    /// How many of the parameters that the moment offers it takes.
    takes: usize,
}

struct Moment {
    attribute: &'static str,
    /// The function of the registry.
    register: &'static str,
    parameters: &'static [&'static str],
    /// What to say about any other parameter.
    takes: &'static str,
}

const CONNECT_TAKES: &str = "a connect hook takes the socket: `&self, socket: Socket<App>`";
const DISCONNECT_TAKES: &str = "a disconnect hook takes the socket and the reason: `&self, socket: Socket<App>, reason: DisconnectReason`";

const MOMENTS: [Moment; 3] = [
    Moment {
        attribute: "connect",
        register: "connected",
        parameters: &["__socket"],
        takes: CONNECT_TAKES,
    },
    Moment {
        attribute: "disconnecting",
        register: "disconnecting",
        parameters: &["__socket", "__reason"],
        takes: DISCONNECT_TAKES,
    },
    Moment {
        attribute: "disconnect",
        register: "disconnected",
        parameters: &["__socket", "__reason"],
        takes: DISCONNECT_TAKES,
    },
];

pub(crate) fn expand(target: &Target, mut item: ItemImpl, diag: &mut Diagnostics) -> TokenStream {
    if let Some((path, _)) = &item.trait_ {
        diag.error(path, "`#[handler]` goes on an inherent `impl` block");
    }
    let mut block = Block::default();
    for member in &mut item.items {
        if let ImplItem::Fn(method) = member {
            block.take(method, diag);
        }
    }
    if item.trait_.is_some() {
        return quote!(#item);
    }
    if block.handlers.is_empty() && block.hooks.is_empty() && diag.is_clean() {
        diag.error_at(item.self_ty.span(), "no method is marked `#[on]`");
    }
    let namespaces = target.namespaces();
    let sets = namespaces
        .iter()
        .map(|namespace| block.expand(target, namespace, &item));
    quote!(#item #(#sets)*)
}

impl Block {
    /// Reads a method, and takes our attributes off it.
    fn take(&mut self, method: &mut ImplItemFn, diag: &mut Diagnostics) {
        let moment = MOMENTS
            .iter()
            .find(|moment| take_attribute(method, moment.attribute, diag));
        let on = take_attribute(method, "on", diag);
        let name = &method.sig.ident;
        if moment.is_none() && !on {
            return;
        }
        let before = diag.count();
        if !takes_shared_self(method) {
            diag.error(
                name,
                "handler methods take `&self`: one value serves every socket at once",
            );
        }
        match moment {
            Some(moment) => self.hook(moment, method, before, diag),
            None => self.on(method, before, diag),
        }
    }

    fn on(&mut self, method: &ImplItemFn, before: usize, diag: &mut Diagnostics) {
        let Some(handler) = Handler::parse(&method.sig, diag) else {
            return;
        };
        let event = types::text(&handler.event);
        let mut others = self.handlers.iter();
        if others.any(|other| types::text(&other.handler.event) == event) {
            diag.error(
                &handler.event,
                format!("two handlers for event `{event}` in one block"),
            );
            return;
        }
        let valid = diag.count() == before;
        self.handlers.push(Method { handler, valid });
    }

    fn hook(
        &mut self,
        moment: &'static Moment,
        method: &ImplItemFn,
        before: usize,
        diag: &mut Diagnostics,
    ) {
        if method.sig.asyncness.is_none() {
            diag.error(method.sig.fn_token, "handlers are async: write `async fn`");
        }
        let parameters = method.sig.inputs.iter().skip(1);
        for surplus in parameters.clone().skip(moment.parameters.len()) {
            diag.error(surplus, moment.takes);
        }
        if diag.count() == before {
            self.hooks.push(Hook {
                moment,
                method: method.sig.ident.clone(),
                takes: parameters.count(),
            });
        }
    }

    fn expand(&self, target: &Target, namespace: &Type, item: &ItemImpl) -> TokenStream {
        let (krate, block) = (&target.krate, &item.self_ty);
        let (impl_generics, _, where_clause) = item.generics.split_for_impl();
        let methods = self
            .handlers
            .iter()
            .map(|method| method.expand(target, namespace, item));
        let events: Vec<_> = self
            .handlers
            .iter()
            .map(|method| &method.handler.event_static)
            .collect();
        let paths = self
            .handlers
            .iter()
            .map(|method| format!("{}::{}", types::text(block), method.handler.name));
        let tree = tree(target, &events);
        let hooks = self.hooks.iter().map(Hook::expand);
        quote! {
            #(#methods)*
            #[automatically_derived]
            impl #impl_generics #krate::HandlerSet<#namespace> for #block #where_clause {
                type Events = #tree;
                fn register(
                    self: #krate::Arc<Self>,
                    __into: &mut #krate::Registry<#namespace>,
                ) {
                    #(#hooks)*
                    #(#krate::register_method::<#namespace, #events, Self>(&self, #paths, __into);)*
                }
            }
        }
    }
}

impl Method {
    fn expand(&self, target: &Target, namespace: &Type, item: &ItemImpl) -> TokenStream {
        let (krate, block, handler) = (&target.krate, &item.self_ty, &self.handler);
        let (impl_generics, _, where_clause) = item.generics.split_for_impl();
        let (name, event) = (&handler.name, &handler.event_static);
        let body = if self.valid {
            let this = Some(quote!(__block));
            handler.body(target, namespace, this, quote!(<#block>::#name))
        } else {
            stub(krate)
        };
        quote_spanned! {handler.event.span()=>
            #[automatically_derived]
            impl #impl_generics #krate::HandledBy<#namespace, #block> for #event #where_clause {
                fn handle(
                    __block: &#block,
                    __call: &#krate::Call<#namespace>,
                ) -> impl ::core::future::Future<Output = #krate::Outcome> + ::core::marker::Send {
                    #body
                }
            }
        }
    }
}

impl Hook {
    fn expand(&self) -> TokenStream {
        let method = &self.method;
        let ident = |name: &&str| Ident::new(name, method.span());
        let register = ident(&self.moment.register);
        let offered: Vec<_> = self.moment.parameters.iter().map(ident).collect();
        let taken = &offered[..self.takes];
        quote! {{
            let __block = ::core::clone::Clone::clone(&self);
            __into.#register(move |#(#offered),*| {
                let __block = ::core::clone::Clone::clone(&__block);
                #(let _ = &#offered;)*
                async move { __block.#method(#(#taken),*).await }
            });
        }}
    }
}

/// The events as a balanced tree, which the compiler walks less deep than a list.
fn tree(target: &Target, events: &[&Type]) -> TokenStream {
    let krate = &target.krate;
    match events {
        [] => quote!(()),
        [event] => quote!(#krate::Leaf<#event>),
        _ => {
            let (left, right) = events.split_at(events.len() / 2);
            let (left, right) = (tree(target, left), tree(target, right));
            quote!(#krate::Fork<#left, #right>)
        }
    }
}

fn take_attribute(method: &mut ImplItemFn, name: &str, diag: &mut Diagnostics) -> bool {
    let at = method.attrs.iter();
    let Some(at) = at
        .clone()
        .position(|attribute| attribute.path().is_ident(name))
    else {
        return false;
    };
    let attribute = method.attrs.remove(at);
    diag.ok(attribute.meta.require_path_only());
    true
}

fn takes_shared_self(method: &ImplItemFn) -> bool {
    matches!(
        method.sig.inputs.first(),
        Some(FnArg::Receiver(Receiver {
            kind: ReceiverKind::Reference(_, _, None),
            ..
        }))
    )
}
