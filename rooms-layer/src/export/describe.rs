//! What the macros say of events and contracts, and where it is collected.

use super::{
    document::{Acknowledgement, Argument, Event, Lists},
    names,
    schemas::Side,
};
use crate::contract::{self, Fallible, NoAck, Reply, bounds::AckShape};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::any::type_name;

/// A contract that can be exported. `#[derive(Namespace)]` implements it for every namespace that lists its events.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lists no events, so there is no contract to export",
    label = "an open namespace",
    note = "list what travels there: `#[namespace(client(..), server(..))]` on `{Self}`"
)]
pub trait DescribeContract {
    /// Names everything that is in the contract.
    #[doc(hidden)]
    fn contract(lists: &mut ContractLists);
}

/// A payload whose shape is known: anything that derives `JsonSchema`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be exported: it does not describe its shape",
    label = "no `JsonSchema`",
    note = "add `#[derive(JsonSchema)]` to `{Self}`, below `use rooms_layer::export::schemars::{{self, JsonSchema}};`"
)]
pub trait Described {
    #[doc(hidden)]
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}
#[diagnostic::do_not_recommend]
impl<T: JsonSchema + ?Sized> Described for T {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// An event that lists its arguments. `#[derive(Event)]` implements it.
pub trait DescribeArguments {
    /// Pushes each argument.
    fn arguments(arguments: &mut Arguments<'_>);
}

/// An event of which everything is known.
pub trait DescribeEvent: contract::Event {
    #[doc(hidden)]
    fn describe(arguments: &mut Side, replies: &mut Side) -> Event;
}
impl<E> DescribeEvent for E
where
    E: contract::Event<Ack: DescribeAck> + DescribeArguments,
{
    fn describe(arguments: &mut Side, replies: &mut Side) -> Event {
        let mut list = Arguments {
            side: arguments,
            list: Vec::new(),
        };
        E::arguments(&mut list);
        Event {
            name: E::NAME,
            doc: E::DOC,
            arguments: names::arguments(list.list),
            ack: E::Ack::describe(replies),
        }
    }
}

/// An acknowledgement whose parts are known.
pub trait DescribeAck: AckShape {
    #[doc(hidden)]
    fn describe(side: &mut Side) -> Acknowledgement;
}
impl DescribeAck for NoAck {
    fn describe(_: &mut Side) -> Acknowledgement {
        Acknowledgement::None
    }
}
impl<T: Described + Send + 'static> DescribeAck for Reply<T> {
    fn describe(side: &mut Side) -> Acknowledgement {
        Acknowledgement::Reply(side.schema::<T>())
    }
}
impl<T, E> DescribeAck for Fallible<T, E>
where
    T: Described + Send + 'static,
    E: Described + Send + 'static,
{
    fn describe(side: &mut Side) -> Acknowledgement {
        Acknowledgement::Fallible {
            value: side.schema::<T>(),
            error: side.schema::<E>(),
        }
    }
}

/// Collects the arguments of one event.
#[derive(Debug)]
pub struct Arguments<'a> {
    side: &'a mut Side,
    list: Vec<Argument>,
}

impl Arguments<'_> {
    /// Adds the next argument; `doc` is the doc comment of its field.
    pub fn push<T: Described + ?Sized>(&mut self, doc: &'static str) {
        let schema = self.side.schema::<T>();
        self.list.push(Argument {
            name: names::argument(doc, &schema, type_name::<T>()),
            schema,
        });
    }
}

/// Collects what is in a contract.
#[derive(Debug)]
pub struct ContractLists {
    /// What the server sends: types as they serialize.
    sent: Side,
    /// What the server receives: types as they deserialize.
    received: Side,
    lists: Lists,
}

impl ContractLists {
    pub(super) fn of<C: DescribeContract>() -> (Lists, Side, Side) {
        let mut contract = ContractLists {
            sent: Side::sent(),
            received: Side::received(),
            lists: Lists::default(),
        };
        C::contract(&mut contract);
        (contract.lists, contract.sent, contract.received)
    }

    /// Adds what clients send when they connect.
    pub fn auth<T: Described>(&mut self) {
        self.lists.auth = Some(self.received.schema::<T>());
    }

    /// Adds an event that the server emits. Its acknowledgement comes back the other way.
    pub fn server<E: DescribeEvent>(&mut self) {
        let event = E::describe(&mut self.sent, &mut self.received);
        self.lists.server.push(event);
    }

    /// Adds an event that clients emit. Its acknowledgement comes back the other way.
    pub fn client<E: DescribeEvent>(&mut self) {
        let event = E::describe(&mut self.received, &mut self.sent);
        self.lists.client.push(event);
    }
}

impl Side {
    fn schema<T: Described + ?Sized>(&mut self) -> serde_json::Value {
        self.add(T::schema, type_name::<T>())
    }
}
