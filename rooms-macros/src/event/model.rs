//! What the user meant with `#[derive(Event)]`.

use super::audience::Audience;
use crate::{
    attr::{self, Grammar},
    diag::Diagnostics,
    krate::Krate,
    names, types,
};
use proc_macro2::TokenTree;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, GenericArgument, Ident, LitStr, Meta,
    PathArguments, Type, parse::ParseStream, token,
};

/// An event.
pub(crate) struct Event<'a> {
    pub(crate) item: &'a DeriveInput,
    pub(crate) krate: Krate,
    /// The name on the wire.
    pub(crate) name: LitStr,
    pub(crate) doc: String,
    pub(crate) ack: Option<Ack>,
    pub(crate) client: bool,
    pub(crate) server: bool,
    /// Servers send it to each other.
    pub(crate) cluster: bool,
    pub(crate) broadcast: bool,
    pub(crate) audience: Vec<Audience>,
    pub(crate) payload: Payload<'a>,
}

/// The acknowledgement that an event declares.
pub(crate) struct Ack {
    pub(crate) ty: Type,
    /// `ack(T)`: a plain reply, even of a `Result`.
    pub(crate) plain: bool,
}

/// Which arguments an event has.
pub(crate) enum Payload<'a> {
    /// The whole type is the one argument.
    Whole,
    /// Each field is an argument.
    Fields(Vec<&'a Type>),
}

const GRAMMAR: Grammar = Grammar {
    attribute: "event",
    once: &[
        "name",
        "ack",
        "broadcast",
        "client",
        "server",
        "cluster",
        "crate",
    ],
    lists: &["to"],
    expected: "`name = \"..\"`, `ack = T`, `to(Room::Variant, ..)`, `broadcast`, `client`, `server` or `cluster`",
};

/// Names that the client library keeps for itself; a packet with one of them is never delivered.
const RESERVED: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

/// Names that Node's servers keep for themselves.
const RESERVED_BETWEEN_SERVERS: [&str; 2] = ["connection", "new_namespace"];

impl<'a> Event<'a> {
    /// Reads an event. What is wrong goes to `diag`, and the model then holds the defaults instead.
    pub(crate) fn parse(item: &'a DeriveInput, diag: &mut Diagnostics) -> Option<Self> {
        let payload = payload(item, diag)?;
        let mut event = Event {
            item,
            krate: Krate::new(),
            name: LitStr::new(&names::snake(&item.ident), item.ident.span()),
            doc: names::docs(&item.attrs),
            ack: None,
            client: false,
            server: false,
            cluster: false,
            broadcast: false,
            audience: Vec::new(),
            payload,
        };
        let mut named = false;
        GRAMMAR.each_key(&item.attrs, diag, |key, input, diag| {
            named |= key == "name";
            event.read(key, input, diag)
        });
        event.check(named, diag);
        if !event.client && !event.server && !event.cluster {
            event.client = true;
            event.server = true;
        }
        Some(event)
    }

    fn read(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        diag: &mut Diagnostics,
    ) -> syn::Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = attr::value(input)?,
            "ack" => self.ack = Some(Ack::read(input)?),
            "to" => self.audience.extend(attr::list(input, diag)?),
            "broadcast" => self.broadcast = true,
            "client" => self.client = true,
            "server" => self.server = true,
            "cluster" => self.cluster = true,
            _ => self.krate.read(input)?,
        }
        Ok(())
    }

    fn check(&self, named: bool, diag: &mut Diagnostics) {
        let name = self.name.value();
        let reserved_between_servers = self.cluster && RESERVED_BETWEEN_SERVERS.contains(&&*name);
        if RESERVED.contains(&name.as_str()) || reserved_between_servers {
            diag.error(
                &self.name,
                format!(
                    "`{name}` is a reserved Socket.IO event name; choose another with `#[event(name = \"..\")]`"
                ),
            );
        }
        if let (Data::Enum(item), false) = (&self.item.data, named) {
            diag.error(
                item.enum_token,
                "an enum event is ONE event whose payload is the enum: say so with `#[event(name = \"..\")]`; for several events derive `Event` on several structs",
            );
        }
        let for_rooms = self.broadcast || !self.audience.is_empty();
        if self.client && !self.server && for_rooms {
            diag.error(
                &self.item.ident,
                "a client event has no audience: remove `to(..)`/`broadcast`, or add `server`",
            );
        }
        if self.cluster && !self.client && !self.server && for_rooms {
            diag.error(
                &self.item.ident,
                "an event between servers has no audience: remove `to(..)`/`broadcast`, or add `server`",
            );
        }
        let routes = self.audience.iter().filter_map(|audience| match audience {
            Audience::Kind {
                variant,
                route: Some(_),
                ..
            } => Some(variant),
            _ => None,
        });
        for second in routes.skip(1) {
            diag.error(
                second,
                "an event routes itself to one room; drop the `(..)` here",
            );
        }
    }
}

impl Ack {
    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            let ty = content.parse()?;
            return Ok(Ack { ty, plain: true });
        }
        let ty = attr::value(input)?;
        Ok(Ack { ty, plain: false })
    }

    /// Whether the type is a `Result`, also by an alias such as `ApiResult<T>`.
    pub(crate) fn is_result(&self) -> bool {
        match &self.ty {
            Type::Path(ty) if !self.plain => {
                let last = ty.path.segments.last();
                last.is_some_and(|last| last.ident.to_string().ends_with("Result"))
            }
            _ => false,
        }
    }
}

fn payload<'a>(item: &'a DeriveInput, diag: &mut Diagnostics) -> Option<Payload<'a>> {
    match &item.data {
        Data::Struct(data) => {
            data.fields.iter().for_each(|field| bytes(field, diag));
            Some(match &data.fields {
                Fields::Named(_) => Payload::Whole,
                Fields::Unnamed(_) | Fields::Unit => {
                    Payload::Fields(data.fields.iter().map(|field| &field.ty).collect())
                }
            })
        }
        Data::Enum(data) => {
            let fields = data.variants.iter().flat_map(|variant| &variant.fields);
            fields.for_each(|field| bytes(field, diag));
            Some(Payload::Whole)
        }
        Data::Union(data) => {
            diag.error(data.union_token, "a union can't be an event");
            None
        }
    }
}

/// `Vec<u8>` and `&[u8]` travel as arrays of numbers, which is almost never what was meant.
fn bytes(field: &Field, diag: &mut Diagnostics) {
    if is_bytes(&field.ty) && !field.attrs.iter().any(allows_bytes) {
        diag.error(
            &field.ty,
            format!(
                "`{}` would be sent as a JSON array of numbers; use `rooms_layer::Bytes` for a binary attachment, `#[serde(with = \"..\")]`, or allow it with `#[event(json_bytes)]`",
                types::text(&field.ty)
            ),
        );
    }
}

fn is_bytes(ty: &Type) -> bool {
    let is_u8 = |ty: &Type| matches!(ty, Type::Path(ty) if ty.path.is_ident("u8"));
    match ty {
        Type::Reference(reference) => {
            matches!(&*reference.elem, Type::Slice(slice) if is_u8(&slice.elem))
        }
        Type::Path(ty) => {
            let Some(last) = ty.path.segments.last() else {
                return false;
            };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return false;
            };
            arguments.args.iter().any(|argument| match argument {
                GenericArgument::Type(ty) if last.ident == "Vec" => is_u8(ty),
                GenericArgument::Type(ty) if last.ident == "Option" => is_bytes(ty),
                _ => false,
            })
        }
        _ => false,
    }
}

/// `#[event(json_bytes)]`, or a serde attribute that decides how the field travels.
fn allows_bytes(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    let allowing: &[&str] = match () {
        () if list.path.is_ident("event") => &["json_bytes"],
        () if list.path.is_ident("serde") => &["with", "serialize_with", "skip"],
        () => &[],
    };
    list.tokens.clone().into_iter().any(
        |token| matches!(token, TokenTree::Ident(ident) if allowing.iter().any(|word| ident == word)),
    )
}
