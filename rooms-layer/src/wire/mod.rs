//! Stand-in until the codec lands: signatures only.
#![allow(
    missing_docs,
    clippy::todo,
    unused_variables,
    clippy::len_without_is_empty
)]
use bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EncodeError(pub String);
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub String);

#[derive(Debug, Clone)]
pub struct Data;
impl Data {
    pub fn json(&self) -> &str {
        todo!()
    }
    pub fn attachments(&self) -> &[Bytes] {
        todo!()
    }
}
pub struct DataWriter;
impl DataWriter {
    pub fn event(name: &str) -> Self {
        todo!()
    }
    pub fn ack() -> Self {
        todo!()
    }
    pub fn push<T: Serialize + ?Sized>(&mut self, arg: &T) -> Result<(), EncodeError> {
        todo!()
    }
    pub fn finish(self) -> Data {
        todo!()
    }
}
#[derive(Debug)]
pub struct Args;
impl Args {
    pub fn len(&self) -> usize {
        todo!()
    }
    pub fn raw(&self, i: usize) -> Option<&str> {
        todo!()
    }
    pub fn get<'de, T: Deserialize<'de>>(&'de self, i: usize) -> Result<T, DecodeError> {
        todo!()
    }
    pub fn values(&self) -> Result<Vec<Value>, DecodeError> {
        todo!()
    }
    pub fn from_data(data: &Data) -> Result<Self, DecodeError> {
        todo!()
    }
}
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
    Binary(Bytes),
}
pub fn to_value<T: Serialize + ?Sized>(t: &T) -> Result<Value, EncodeError> {
    todo!()
}
