//! Measures, and tells the pages. It needs the contract and nothing of the server.

use contract::{Changed, Dashboard, PanelId, Room};
use rooms_layer::{Error, Io, bounds::CanEmit};

/// Whatever can emit will do: the handle of a server, or the emitter of an adapter.
pub fn measured<B: CanEmit>(
    io: &Io<Dashboard, B>,
    panel: PanelId,
    value: f64,
) -> Result<(), Error> {
    io.publish(Changed { panel, value })?;
    if value > 100.0 {
        io.to(Room::panel(PanelId(0)))
            .emit(Changed { panel, value })?;
    }
    Ok(())
}
