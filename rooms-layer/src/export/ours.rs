//! Shapes of our own types that payloads may hold.

use crate::rooms::SocketId;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;

impl JsonSchema for SocketId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SocketId".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::SocketId").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}
