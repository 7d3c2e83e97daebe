//! A contract as data: what both formats are written from.

use super::{
    describe::{ContractLists, DescribeContract},
    integers, schemas,
};
use crate::contract::Namespace;
use serde_json::Value;
use std::collections::BTreeMap;

/// A contract, with every name as it is exported.
pub(super) struct Document {
    pub(super) path: &'static str,
    pub(super) lists: Lists,
    /// The types that schemas refer to by `#/components/schemas/..`, by their names.
    pub(super) definitions: BTreeMap<String, Value>,
    /// Where there are integers that JavaScript can't hold.
    pub(super) big_integers: Vec<String>,
}

/// What a contract lists.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) auth: Option<Value>,
    pub(super) server: Vec<Event>,
    pub(super) client: Vec<Event>,
}

/// An event of a contract.
#[derive(Debug)]
pub struct Event {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) arguments: Vec<Argument>,
    pub(super) ack: Acknowledgement,
}

/// An argument of an event.
#[derive(Debug)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) schema: Value,
}

/// How an event is acknowledged.
#[derive(Debug)]
pub enum Acknowledgement {
    /// It is not.
    None,
    /// With this.
    Reply(Value),
    /// With `{ok: true, value}` or `{ok: false, error}`.
    Fallible {
        /// Of an `Ok`.
        value: Value,
        /// Of an `Err`.
        error: Value,
    },
}

impl Document {
    pub(super) fn of<N>() -> Self
    where
        N: Namespace<Contract: DescribeContract>,
    {
        let (mut lists, mut sent, mut received) = ContractLists::of::<N::Contract>();
        sent.finish(lists.of_side(true));
        received.finish(lists.of_side(false));
        let mut big_integers = integers::in_lists(&lists);
        big_integers.extend(integers::in_definitions(&sent.definitions));
        big_integers.extend(integers::in_definitions(&received.definitions));
        big_integers.sort();
        big_integers.dedup();
        let definitions = schemas::unite(sent, received, &mut lists);
        Document {
            path: N::PATH,
            lists,
            definitions,
            big_integers,
        }
    }
}

impl Lists {
    /// Every schema of what the server sends, or else of what it receives.
    pub(super) fn of_side(&mut self, sent: bool) -> Vec<&mut Value> {
        let (events, acknowledged, auth) = match sent {
            true => (&mut self.server, &mut self.client, None),
            false => (&mut self.client, &mut self.server, self.auth.as_mut()),
        };
        let arguments = events.iter_mut().flat_map(|event| &mut event.arguments);
        let arguments = arguments.map(|argument| &mut argument.schema);
        let acks = acknowledged
            .iter_mut()
            .flat_map(|event| event.ack.schemas());
        arguments.chain(acks).chain(auth).collect()
    }
}

impl Acknowledgement {
    fn schemas(&mut self) -> Vec<&mut Value> {
        match self {
            Acknowledgement::None => Vec::new(),
            Acknowledgement::Reply(value) => vec![value],
            Acknowledgement::Fallible { value, error } => vec![value, error],
        }
    }
}
