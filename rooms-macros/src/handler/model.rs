//! What the user meant with `#[handler]`.

use crate::{diag::Diagnostics, krate::Krate, types};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    FnArg, Ident, PatType, ReturnType, Signature, Token, Type, ext::IdentExt, parse::ParseStream,
    parse_quote, spanned::Spanned,
};

/// `#[handler(App, Admin, crate = path)]`
pub(crate) struct Target {
    pub(crate) krate: Krate,
    namespaces: Vec<Type>,
}

/// The library has a function for each number of them.
const MAX_EXTRACTORS: usize = 8;

/// The signature of a handler.
pub(crate) struct Handler {
    pub(crate) name: Ident,
    extractors: Vec<Type>,
    /// The event as it is written.
    pub(crate) event: Type,
    /// The event for all its lifetimes.
    pub(crate) event_static: Type,
    output: TokenStream,
    output_span: Span,
}

impl Default for Target {
    fn default() -> Self {
        Target {
            krate: Krate::new(),
            namespaces: Vec::new(),
        }
    }
}

impl Target {
    pub(crate) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut target = Target::default();
        while !input.is_empty() {
            if input.peek(Token![crate]) && input.peek2(Token![=]) {
                input.call(Ident::parse_any)?;
                target.krate.read(input)?;
            } else {
                target.namespaces.push(input.parse()?);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(target)
    }

    /// The namespaces to implement the handler for: `Main` unless said otherwise.
    pub(crate) fn namespaces(&self) -> Vec<Type> {
        let krate = &self.krate;
        match self.namespaces.is_empty() {
            true => vec![parse_quote!(#krate::Main)],
            false => self.namespaces.clone(),
        }
    }
}

impl Handler {
    /// Reads a signature. What is wrong goes to `diag`; without an event there is nothing to go on with.
    pub(crate) fn parse(signature: &Signature, diag: &mut Diagnostics) -> Option<Self> {
        if signature.asyncness.is_none() {
            diag.error(signature.fn_token, "handlers are async: write `async fn`");
        }
        if !signature.generics.params.is_empty() {
            diag.error(
                &signature.generics,
                "a handler can't be generic: it handles one event type",
            );
        }
        let mut parameters: Vec<&PatType> = Vec::new();
        for input in &signature.inputs {
            if let FnArg::Typed(parameter) = input {
                parameters.push(parameter);
            }
        }
        let Some((event, extractors)) = parameters.split_last() else {
            diag.error(
                &signature.ident,
                "a handler's last parameter is the event it handles, e.g. `event: RenameProject`",
            );
            return None;
        };
        let (output, output_span) = match &signature.output {
            ReturnType::Default => {
                let span = signature.ident.span();
                (quote_spanned!(span=> ()), span)
            }
            ReturnType::Type(_, ty) => (quote!(#ty), ty.span()),
        };
        if let Some(surplus) = extractors.get(MAX_EXTRACTORS) {
            diag.error(
                surplus,
                format!("a handler takes at most {MAX_EXTRACTORS} extractors before its event"),
            );
        }
        Some(Handler {
            name: signature.ident.clone(),
            extractors: extractors
                .iter()
                .map(|parameter| (*parameter.ty).clone())
                .collect(),
            event: (*event.ty).clone(),
            event_static: types::with_static(&event.ty),
            output,
            output_span,
        })
    }

    /// Checks that the namespace accepts the event. An event that it does not accept is reported here, once, at the
    /// parameter.
    pub(crate) fn check(&self, target: &Target, namespace: &Type) -> TokenStream {
        let (krate, event, span) = (&target.krate, &self.event_static, self.event.span());
        let namespace = types::at(namespace, span);
        quote_spanned!(span=> #krate::accepts::<#namespace, #event>();)
    }

    /// The body of the generated function: takes each parameter out of `__call`, calls the handler, encodes what it
    /// returns. Each step has the span of what may be wrong with it. `block` is there for a method.
    pub(crate) fn body(
        &self,
        target: &Target,
        namespace: &Type,
        block: Option<TokenStream>,
        function: TokenStream,
    ) -> TokenStream {
        let (krate, event, event_static) = (&target.krate, &self.event, &self.event_static);
        let extractions = self.extractors.iter().map(|ty| {
            quote_spanned! {ty.span()=>
                <#ty as #krate::FromMessage<#namespace, #event_static>>::from_message
            }
        });
        let decoding = quote_spanned! {event.span()=>
            <#event as #krate::DecodeArgs<'_>>::decode
        };
        let output = &self.output;
        let response = quote_spanned! {self.output_span=>
            <#output as #krate::Responder<#event_static>>::respond
        };
        let kind = if block.is_some() {
            "method"
        } else {
            "function"
        };
        let start = format_ident!("{kind}_{}", self.extractors.len());
        let block = block.into_iter();
        quote! {
            #krate::#start(#(#block,)* __call, #(#extractions,)* #decoding, #function, #response)
        }
    }
}

/// The body of a handler that is wrong: it lets its uses compile.
pub(crate) fn stub(krate: &Krate) -> TokenStream {
    quote!(let _ = __call; ::core::future::pending::<#krate::Outcome>())
}
