//! Contracts as TypeScript and as AsyncAPI.
//!
//! A closed [`Namespace`] lists everything that travels on its path, and nothing else compiles. [`typescript`] writes the list
//! down as the two interfaces that the `Socket` of the official client takes, so that a page is checked against the same
//! contract as the server, and [`asyncapi`] as an [AsyncAPI](https://www.asyncapi.com) 3.0 document. Both are always the same
//! text for the same types, whatever else is in the build.
//!
//! ```
//! use rooms_layer::{
//!     export::{
//!         self,
//!         schemars::{self, JsonSchema},
//!     },
//!     prelude::*,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! struct Task {
//!     title: String,
//!     due: Option<String>,
//! }
//!
//! /// Somebody added a task.
//! #[derive(Event, Serialize, JsonSchema)]
//! #[event(server, broadcast)]
//! struct TaskAdded {
//!     task: Task,
//! }
//!
//! /// Where somebody points at.
//! #[derive(Event)]
//! struct CursorMoved(
//!     /// x
//!     f32,
//!     /// y
//!     f32,
//! );
//!
//! #[derive(Event, Deserialize, JsonSchema)]
//! #[event(client, ack = Result<u32, String>)]
//! struct AddTask {
//!     task: Task,
//! }
//!
//! #[derive(Namespace)]
//! #[namespace(path = "/", server(TaskAdded, CursorMoved), client(AddTask, CursorMoved))]
//! struct App;
//!
//! # fn main() -> Result<(), export::ExportError> {
//! let contract = export::typescript::<App>()?;
//! # let (_, interfaces) = contract.split_once("export interface Task {").unwrap();
//! # let interfaces = format!("export interface Task {{{interfaces}");
//! # assert_eq!(interfaces, r#"
//! # */
//! # Ok(())
//! # }
//! ```
//!
//! [`Namespace`]: trait@crate::Namespace

mod asyncapi;
mod check;
mod describe;
mod document;
mod integers;
mod names;
mod schemas;
mod typescript;

pub use self::{
    check::check,
    describe::{DescribeContract, Described},
};
pub use schemars;

use self::document::Document;
use crate::api::Namespace;
use serde_json::Value;
use std::fmt;

/// What the macros print.
pub(crate) mod private {
    pub use super::describe::{
        Arguments, ContractLists, DescribeArguments, DescribeContract, DescribeEvent, Described,
    };
}

/// Writes a contract as a TypeScript module.
///
/// # Errors
///
/// Fails when the contract has integers of 64 bits; see [`BigIntegers`].
pub fn typescript<N>() -> Result<String, ExportError>
where
    N: Namespace<Contract: DescribeContract>,
{
    Options::default().typescript::<N>()
}

/// Writes a contract as an AsyncAPI 3.0 document, whose own title and version are given.
///
/// # Errors
///
/// Fails when the contract has integers of 64 bits; see [`BigIntegers`].
pub fn asyncapi<N>(title: &str, version: &str) -> Result<Value, ExportError>
where
    N: Namespace<Contract: DescribeContract>,
{
    Options::default().asyncapi::<N>(title, version)
}

/// How contracts are written, where the defaults will not do.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// How integers of 64 bits are written: not at all, unless this says so.
    pub big_integers: BigIntegers,
}

/// How integers of 64 bits (`u64`, `i64`, `usize`, ..) are written.
///
/// They travel as JSON numbers, and JavaScript reads those as `number`, which holds integers up to 2^53 - 1. A larger one is
/// silently another one when it arrives. That is nothing to find out late, so an export with such integers fails, unless it is
/// told otherwise:
///
/// - They count something, or are ids that a database hands out one by one, and so stay small: [`BigIntegers::Number`].
/// - They may be large (random ids, say): send them as text, with
///   `#[serde(with = "..")] #[schemars(with = "String")]` on the field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BigIntegers {
    /// The export fails, and names each place.
    #[default]
    Refuse,
    /// As `number`, on the promise that they stay below 2^53.
    Number,
}

impl Options {
    /// Says how integers of 64 bits are written.
    #[must_use]
    pub fn big_integers(mut self, big_integers: BigIntegers) -> Self {
        self.big_integers = big_integers;
        self
    }

    /// Writes a contract as [`typescript`] does.
    ///
    /// # Errors
    ///
    /// Fails when the contract has integers of 64 bits, unless the options allow them.
    pub fn typescript<N>(&self) -> Result<String, ExportError>
    where
        N: Namespace<Contract: DescribeContract>,
    {
        Ok(typescript::module(&self.document::<N>()?))
    }

    /// Writes a contract as [`asyncapi`] does.
    ///
    /// # Errors
    ///
    /// Fails when the contract has integers of 64 bits, unless the options allow them.
    pub fn asyncapi<N>(&self, title: &str, version: &str) -> Result<Value, ExportError>
    where
        N: Namespace<Contract: DescribeContract>,
    {
        let document = self.document::<N>()?;
        Ok(asyncapi::document(&document, title, version))
    }

    fn document<N>(&self) -> Result<Document, ExportError>
    where
        N: Namespace<Contract: DescribeContract>,
    {
        let document = Document::of::<N>();
        match self.big_integers {
            BigIntegers::Refuse if !document.big_integers.is_empty() => {
                Err(ExportError::BigIntegers {
                    places: document.big_integers,
                })
            }
            _ => Ok(document),
        }
    }
}

/// A contract can't be exported.
///
/// Its `Debug` form is the text for people too, so that `unwrap` and a failing `main` show that.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The contract has integers of 64 bits.
    #[error("{}", too_big(places))]
    BigIntegers {
        /// The types and fields that hold them.
        places: Vec<String>,
    },
}

impl fmt::Debug for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn too_big(places: &[String]) -> String {
    let places: Vec<String> = places.iter().map(|place| format!("  {place}\n")).collect();
    format!(
        "integers of 64 bits don't fit into JavaScript's numbers, which are exact up to 2^53 only:\n{}\
         if they stay below that, export with `Options::default().big_integers(BigIntegers::Number)`; \
         otherwise send them as text, with `#[serde(with = \"..\")] #[schemars(with = \"String\")]`",
        places.concat(),
    )
}
