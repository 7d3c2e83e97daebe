//! Redis
mod calls;
mod classic;
mod endpoint;
mod error;
mod link;
mod member;
mod message;
mod protocol;

pub use self::{
    classic::{Classic, ClassicConfig},
    endpoint::Redis,
    error::ConnectError,
};
