use crate::{
    contract::{
        Event, Io, Namespace,
        bounds::{AckShape, ClusterEvent, DecodeAck, EncodeArgs},
        encode,
    },
    rooms::AckError,
    wire::Args,
};

/// Has a server hear an event as if another one had told it, waits for its
/// [handler](crate::Serve::on_server_event), and returns what that answers. `None`: nothing handles the event, or nothing is
/// answered.
///
/// ```
/// # use rooms_layer::{prelude::*, test};
/// # use serde::{Deserialize, Serialize};
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(cluster, ack = usize)]
/// struct CountSockets;
///
/// # test();
/// # #[tokio::main(flavor = "current_thread")] async fn test() {
/// let main = Main::serve(()).on_server_event(async |io: Io<Main>, _: CountSockets| io.count().await);
/// let rooms = RoomsLayer::new().namespace(main);
/// let _ann = test::Client::<Main>::connect(&rooms, ()).await.unwrap();
/// let answer = test::hear(&rooms.io::<Main>(), CountSockets).await;
/// assert_eq!(answer.unwrap().unwrap(), 1);
/// # }
/// ```
///
/// # Errors
///
/// Fails when the answer has another form than the event declares.
///
/// # Panics
///
/// Panics when the event can't be encoded.
pub async fn hear<N, E>(io: &Io<N>, event: E) -> Option<Result<<E::Ack as AckShape>::Out, AckError>>
where
    N: Namespace,
    E: Event,
    E::This: ClusterEvent + EncodeArgs,
    E::Ack: DecodeAck,
{
    let data = encode(&event).expect("the event can be encoded");
    let answer = io.core().hear(data).await?;
    let args = Args::from_data(&answer).expect("what was encoded can be read");
    Some(E::Ack::decode(&args).map_err(AckError::Decode))
}
