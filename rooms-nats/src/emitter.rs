use crate::{
    ConnectError, NatsConfig,
    channel::Way,
    connection::{Connection, confirm},
    nats::dial,
    outbox::{Out, WeakOutbox},
};
use async_nats::{Client, ConnectOptions, ToServerAddrs};
use rooms_layer::{Emitter, Namespace, bounds::StaticNamespace, rooms::adapter::Health};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Connects a process that holds no sockets, and makes the handle with which it emits to those of the cluster.
///
/// ```no_run
/// use rooms_layer::prelude::*;
/// use serde::Serialize;
///
/// #[derive(Event, Serialize)]
/// #[event(server, broadcast)]
/// struct Maintenance {
///     minutes: u32,
/// }
///
/// # async fn main_() -> Result<(), Box<dyn std::error::Error>> {
/// let out = rooms_nats::emitter::<Main>("nats://localhost").await?;
/// // `await` waits until NATS has it.
/// out.emit(Maintenance { minutes: 5 })?.await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Fails when NATS can't be reached.
///
/// # Panics
///
/// Panics outside a tokio runtime.
pub async fn emitter<N>(servers: impl ToServerAddrs) -> Result<Emitter<N>, ConnectError>
where
    N: Namespace<Contract: StaticNamespace>,
{
    emitter_with(ConnectOptions::new(), servers, NatsConfig::default()).await
}

/// [`emitter`] with options of the client and the configuration of the cluster, of which the prefix must be that of the servers.
///
/// # Errors
///
/// Fails when NATS can't be reached, and when the configuration can't be.
///
/// # Panics
///
/// Panics outside a tokio runtime.
pub async fn emitter_with<N>(
    options: ConnectOptions,
    servers: impl ToServerAddrs,
    config: NatsConfig,
) -> Result<Emitter<N>, ConnectError>
where
    N: Namespace<Contract: StaticNamespace>,
{
    let (client, connection, outbox, out) = dial(options, servers, &config).await?;
    tokio::spawn(speak(client, connection, outbox.downgrade(), out, config));
    Ok(Emitter::new(move |namespace| {
        Arc::new(Way::new(outbox.clone(), namespace.into()))
    }))
}

/// Sends what is queued, until nobody can queue anything any more.
async fn speak(
    client: Client,
    connection: Arc<Connection>,
    outbox: WeakOutbox,
    mut out: mpsc::Receiver<Out>,
    config: NatsConfig,
) {
    loop {
        let out = tokio::select! {
            out = out.recv() => out,
            () = connection.back() => {
                outbox.shared().set_max_payload(client.max_payload());
                connection.up();
                continue;
            }
        };
        match out {
            Some(Out::Publish(parcel)) => parcel.publish(&client).await,
            Some(Out::Confirm(tell)) => {
                let shared = outbox.shared();
                let nobody = shared.subjects().nobody(shared.own());
                let down = match &*connection.health().borrow() {
                    Health::Down { cause } => Some(cause.to_string()),
                    _ => None,
                };
                if let Some(cause) = down {
                    // Whoever asked may have gone.
                    tell.send(Err(cause)).ok();
                    continue;
                }
                let client = client.clone();
                tokio::spawn(async move {
                    tell.send(confirm(&client, nobody, config.silence).await)
                        .ok();
                });
            }
            Some(Out::Close(_)) | None => break,
        }
    }
    // What was sent last is still in a buffer of the client.
    client.flush().await.ok();
}
