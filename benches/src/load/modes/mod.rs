//! What the clients do: a file per mode, each with its options and its `run`.

mod burst;
mod churn;
mod echo;
mod idle;
mod paced;

pub use burst::Burst;
pub use churn::Churn;
pub use echo::Echo;
pub use idle::Idle;
pub use paced::Paced;

use super::{Error, Options, Report};
use clap::Subcommand;

/// What to load the server with.
#[derive(Subcommand, Clone, Debug)]
pub enum Mode {
    /// Clients connect and idle: memory per connection.
    Idle(Idle),
    /// Events to one room, all emitted at once: CPU time per delivery, losses, order.
    Burst(Burst),
    /// Events to one room at a steady rate: latency and CPU time per delivery.
    Paced(Paced),
    /// Clients keep acknowledged requests in flight: round trips.
    Echo(Echo),
    /// Clients connect, join a room and leave, over and over: cycles.
    Churn(Churn),
}

impl Mode {
    /// Runs the mode to its end.
    ///
    /// # Errors
    /// When clients do not get in, are lost, or hear nothing.
    pub fn run(&self, options: &Options) -> Result<Report, Error> {
        match self {
            Mode::Idle(mode) => mode.run(options),
            Mode::Burst(mode) => mode.run(options),
            Mode::Paced(mode) => mode.run(options),
            Mode::Echo(mode) => mode.run(options),
            Mode::Churn(mode) => mode.run(options),
        }
    }
}
