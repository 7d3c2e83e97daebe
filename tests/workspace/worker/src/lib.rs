//! Measures, and tells the pages. It needs the contract and nothing of the server, nor of HTTP.

use contract::{Changed, Dashboard, PanelId, Reload, Room};
use rooms_layer::{Emitter, Error, Io, bounds::CanEmit};

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

/// What the worker does all night.
pub async fn night(out: Emitter<Dashboard>) -> Result<(), Error> {
    measured(&out, PanelId(1), 21.5)?;
    out.to(Room::user("guest")).disconnect_sockets().await?;
    out.emit(Reload)?.await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rooms_layer::test::Recorder;
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    #[test]
    fn a_night_is_told() {
        let recorder = Recorder::<Dashboard>::new();
        // A recorder confirms at once, so there is nothing that a runtime would have to wait for.
        let night = pin!(night(recorder.emitter()));
        let done = night.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(done, Poll::Ready(Ok(()))));

        let sent = recorder.next();
        assert!(sent.is_to(Room::panel(PanelId(1))));
        assert_eq!(sent.decode::<Changed>().value, 21.5);
        assert!(recorder.next().is_to_everyone());
        assert!(recorder.is_empty());
    }
}
