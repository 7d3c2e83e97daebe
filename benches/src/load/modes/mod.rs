//! What the clients do: a file per mode, each with its options and its `run`.

mod avalanche;
mod burst;
mod churn;
mod echo;
mod hold;
mod idle;
mod jitter;
mod paced;
mod slow;
mod storm;

pub use avalanche::Avalanche;
pub use burst::Burst;
pub use churn::Churn;
pub use echo::Echo;
pub use hold::Hold;
pub use idle::Idle;
pub use jitter::Jitter;
pub use paced::Paced;
pub use slow::Slow;
pub use storm::Storm;

use super::{Error, Options, Report};
use clap::Subcommand;

/// What to load the server with.
#[derive(Subcommand, Clone, Debug)]
pub enum Mode {
    /// Clients connect and idle: memory per connection.
    Idle(Idle),
    /// Clients stay for long and are told something in the end: CPU time of keeping them.
    Hold(Hold),
    /// Events to one room, all emitted at once: CPU time per delivery, losses, order.
    Burst(Burst),
    /// Events to one room at a steady rate: latency and CPU time per delivery.
    Paced(Paced),
    /// Clients keep acknowledged requests in flight: round trips.
    Echo(Echo),
    /// Clients connect, join a room and leave, over and over: cycles.
    Churn(Churn),
    /// Events to a room that others join and leave all the time: latency, joins per second.
    Storm(Storm),
    /// Events to a room with members that do not read: latency of the others, memory.
    Slow(Slow),
    /// All clients are cut at once and come back: how fast, and what it takes.
    Avalanche(Avalanche),
    /// Clients are cut and come back at random while events flow: how many of these arrive.
    Jitter(Jitter),
}

impl Mode {
    /// Runs the mode to its end.
    ///
    /// # Errors
    /// When clients do not get in, are lost, or hear nothing.
    pub fn run(&self, options: &Options) -> Result<Report, Error> {
        match self {
            Mode::Idle(mode) => mode.run(options),
            Mode::Hold(mode) => mode.run(options),
            Mode::Burst(mode) => mode.run(options),
            Mode::Paced(mode) => mode.run(options),
            Mode::Echo(mode) => mode.run(options),
            Mode::Churn(mode) => mode.run(options),
            Mode::Storm(mode) => mode.run(options),
            Mode::Slow(mode) => mode.run(options),
            Mode::Avalanche(mode) => mode.run(options),
            Mode::Jitter(mode) => mode.run(options),
        }
    }
}
