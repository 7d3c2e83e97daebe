//! A kit for tests of your own: a client without a socket, and a recorder of what is emitted.
//!
//! A [`Client`] speaks the whole protocol with a [`RoomsLayer`](crate::RoomsLayer), over a pipe in memory: what it sends is
//! encoded, framed and decoded as if it came from a browser. A [`Recorder`] has an [`Io`](crate::Io) and an
//! [`Emitter`](crate::Emitter) whose emits can be looked at, for HTTP handlers and workers that emit.
//!
//! Nothing here waits for time to pass: each method waits for what it names, for five seconds at most, and panics with what came
//! instead. Under tokio's paused clock the five seconds take none.
//!
//! ```
//! use rooms_layer::{prelude::*, test};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(client, ack = u32)]
//! struct Double {
//!     n: u32,
//! }
//!
//! #[derive(Event, Serialize, Deserialize, Debug, PartialEq)]
//! #[event(server, broadcast)]
//! struct Doubled {
//!     n: u32,
//! }
//!
//! # tokio_test();
//! # #[tokio::main(flavor = "current_thread")] async fn tokio_test() {
//! let rooms = RoomsLayer::new().on(async |socket: Socket<Main>, Double { n }: Double| {
//!     socket.broadcast().emit(Doubled { n }).ok();
//!     n * 2
//! });
//! let mut ann = test::Client::<Main>::connect(&rooms, ()).await.unwrap();
//! let mut bob = test::Client::<Main>::connect(&rooms, ()).await.unwrap();
//! assert_eq!(ann.emit_with_ack(Double { n: 21 }).await.unwrap(), 42);
//! assert_eq!(bob.expect::<Doubled>().await, Doubled { n: 21 });
//! ann.expect_nothing().await;
//! # }
//! ```

#[cfg(feature = "server")]
mod client;
#[cfg(feature = "server")]
mod hear;
#[cfg(feature = "server")]
mod line;
#[cfg(feature = "server")]
mod patience;
mod recorder;

pub use self::recorder::{Recorder, Sending};
#[cfg(feature = "server")]
pub use self::{
    client::{Client, Received, Refused},
    hear::hear,
};
