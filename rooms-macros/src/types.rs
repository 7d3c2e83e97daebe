//! Types with elided lifetimes, as the contexts of an expansion need them.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Lifetime, Type, TypeReference,
    visit_mut::{self, VisitMut},
};

/// `Typing<'_>` as `Typing<'static>`: the type that stands for all its lifetimes.
pub(crate) fn with_static(ty: &Type) -> Type {
    struct Static;
    impl VisitMut for Static {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident == "_" {
                *lifetime = Lifetime::new("'static", lifetime.span());
            }
        }
        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            if reference.lifetime.is_none() {
                reference.lifetime = Some(Lifetime::new("'static", Span::call_site()));
            }
            visit_mut::visit_type_reference_mut(self, reference);
        }
    }
    let mut ty = ty.clone();
    Static.visit_type_mut(&mut ty);
    ty
}

/// `Typing<'_>` as `Typing<'__a0>`, with the lifetimes that an `impl` must declare.
pub(crate) fn with_named(ty: &Type) -> (Type, Vec<Lifetime>) {
    #[derive(Default)]
    struct Named(Vec<Lifetime>);
    impl VisitMut for Named {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident == "_" {
                *lifetime = Lifetime::new(&format!("'__a{}", self.0.len()), lifetime.span());
                self.0.push(lifetime.clone());
            }
        }
    }
    let (mut ty, mut named) = (ty.clone(), Named::default());
    named.visit_type_mut(&mut ty);
    (ty, named.0)
}

/// A type as if it were written elsewhere, so that errors about it are shown there.
pub(crate) fn at(ty: &Type, span: Span) -> TokenStream {
    fn move_to(span: Span, tokens: TokenStream) -> TokenStream {
        let moved = tokens.into_iter().map(|token| match token {
            TokenTree::Group(group) => {
                let mut moved = Group::new(group.delimiter(), move_to(span, group.stream()));
                moved.set_span(span);
                moved.into()
            }
            mut token => {
                token.set_span(token.span().located_at(span));
                token
            }
        });
        moved.collect()
    }
    move_to(span, ty.to_token_stream())
}

/// A type as users write it.
pub(crate) fn text(ty: &Type) -> String {
    let tokens = quote::quote!(#ty).to_string();
    let tight = [
        (" < ", "<"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" :: ", "::"),
        (" ,", ","),
        ("& ", "&"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        ("' ", "'"),
        ("( ", "("),
        (" )", ")"),
    ];
    tight
        .iter()
        .fold(tokens, |text, (loose, tight)| text.replace(loose, tight))
}
