/// What servers, workers and exports share.
mod contract {
    use rooms_layer::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Room)]
    pub enum Room {
        Panel(u32),
    }

    #[derive(Event, Serialize, Deserialize)]
    #[event(to(Room::Panel(panel)))]
    pub struct Changed {
        pub panel: u32,
    }

    #[derive(Event, Serialize, Deserialize)]
    #[event(ack = bool)]
    pub struct Watch {
        pub panel: u32,
    }

    #[derive(Deserialize)]
    pub struct Token {
        pub token: String,
    }

    #[derive(Namespace)]
    #[namespace(path = "/dashboard", auth = Token, rooms(Room), client(Watch), server(Changed))]
    pub struct Dashboard;
}

use contract::{Changed, Dashboard, Room, Watch};
use rooms_layer::{Error, Served, prelude::*};

struct Session {
    token: String,
}

#[derive(Namespace)]
#[namespace(contract = Dashboard, data = Session, state = u32)]
struct App;

#[handler(App)]
async fn watch(socket: Socket<App>, State(limit): State<u32>, Watch { panel }: Watch) -> bool {
    socket.join(Room::panel(panel));
    panel < limit && !socket.data().token.is_empty()
}

fn served() -> Served<App> {
    App::serve(7)
        .authorize(async |handshake: Handshake<App>| {
            let token = handshake.auth.token;
            Ok(Session { token })
        })
        .on(watch)
        .build()
}

/// A handle that knows the contract only.
fn publish(io: Io<Dashboard>, panel: u32) -> Result<(), Error> {
    io.publish(Changed { panel })?;
    io.to(Room::panel(panel)).emit(Changed { panel })?;
    Ok(())
}

fn publish_in_app(io: Io<App>, panel: u32) -> Result<(), Error> {
    io.publish(Changed { panel })?;
    Ok(())
}
