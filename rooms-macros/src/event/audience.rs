//! `to(Room::Project, Room::User(id), Team::*, dynamic, any)`

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Expr, ExprLit, Ident, Lit, Member, Path, PathSegment, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    token,
};

/// One entry of `to(..)`.
pub(crate) enum Audience {
    /// Rooms of one kind. With a route, the event knows the very room.
    Kind {
        set: Path,
        variant: Ident,
        route: Option<Vec<Route>>,
    },
    /// All rooms of a set.
    Set(Path),
    /// Rooms with arbitrary names.
    Dynamic,
    /// Any room.
    Any,
}

/// A field of the event, or a field of a field: what a room is made from.
pub(crate) struct Route(TokenStream);

impl ToTokens for Route {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

impl Parse for Audience {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let leading_colon = input.parse::<Option<Token![::]>>()?;
        let mut segments = Punctuated::<PathSegment, Token![::]>::new();
        let last = loop {
            if input.parse::<Option<Token![*]>>()?.is_some() {
                return Ok(Audience::Set(path(leading_colon, segments)));
            }
            // `Self`, `crate` and `super` are path segments as well.
            let segment = input.call(Ident::parse_any)?;
            if input.parse::<Option<Token![::]>>()?.is_none() {
                break segment;
            }
            segments.push(segment.into());
        };
        if !segments.is_empty() {
            return Ok(Audience::Kind {
                set: path(leading_colon, segments),
                variant: last,
                route: route(input)?,
            });
        }
        match last.to_string().as_str() {
            "dynamic" => Ok(Audience::Dynamic),
            "any" => Ok(Audience::Any),
            _ => Err(syn::Error::new(
                last.span(),
                format!(
                    "expected a room variant such as `Room::{last}`, all rooms of a set `{last}::*`, `dynamic` or `any`"
                ),
            )),
        }
    }
}

fn path(
    leading_colon: Option<Token![::]>,
    mut segments: Punctuated<PathSegment, Token![::]>,
) -> Path {
    segments.pop_punct();
    Path {
        leading_colon,
        segments,
    }
}

/// `(id, message.channel)`
fn route(input: ParseStream<'_>) -> syn::Result<Option<Vec<Route>>> {
    if !input.peek(token::Paren) {
        return Ok(None);
    }
    let content;
    syn::parenthesized!(content in input);
    let fields = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?;
    let routes = fields.iter().map(|field| place(field).map(Route));
    routes.collect::<syn::Result<_>>().map(Some)
}

/// `message.channel` as `self.message.channel`.
fn place(field: &Expr) -> syn::Result<TokenStream> {
    match field {
        Expr::Path(path) => {
            let name = path.path.require_ident()?;
            Ok(quote!(self.#name))
        }
        Expr::Lit(ExprLit {
            lit: Lit::Int(index),
            ..
        }) => {
            let index = Member::Unnamed(index.base10_parse::<usize>()?.into());
            Ok(quote!(self.#index))
        }
        Expr::Field(field) => {
            let (base, member) = (place(&field.base)?, &field.member);
            Ok(quote!(#base.#member))
        }
        other => Err(syn::Error::new_spanned(
            other,
            "expected a field of the event, as in `to(Room::Project(id))` or `to(Room::Channel(message.channel))`",
        )),
    }
}
