use axum::extract::FromRef;
use rooms_layer::{Error, Rejection, Served, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
struct Chat {
    message: String,
}

#[derive(Event, Serialize, Deserialize)]
struct Borrowed<'a> {
    message: &'a str,
}

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = u32)]
struct Count;

#[derive(Clone)]
struct Db;

#[derive(Clone)]
struct AppState {
    db: Db,
}

/// What axum's `#[derive(FromRef)]` prints.
impl FromRef<AppState> for Db {
    fn from_ref(state: &AppState) -> Self {
        state.db.clone()
    }
}

#[derive(Namespace)]
#[namespace(path = "/a", open, state = AppState)]
struct A;

#[derive(Namespace)]
#[namespace(path = "/b", open, state = AppState)]
struct B;

/// One function, two namespaces.
#[handler(A, B)]
async fn count(State(_): State<Db>, _: Count) -> u32 {
    1
}

/// axum's `State` is an extractor too.
#[handler(A)]
async fn borrowed(
    axum::extract::State(_): axum::extract::State<AppState>,
    _: Option<Socket<A>>,
    _: Result<Io<A>, Rejection>,
    Borrowed { message }: Borrowed<'_>,
) -> Result<(), Error> {
    println!("{message}");
    Ok(())
}

struct Generic<T>(T);

#[handler(A)]
impl<T: Send + Sync + 'static> Generic<T> {
    #[on]
    async fn chat(&self, socket: Socket<A>, chat: Chat) -> Result<(), Error> {
        socket.emit(chat)?;
        Ok(())
    }

    #[connect]
    async fn came(&self) {}
}

/// Only hooks, no events.
struct Hooks;

#[handler]
impl Hooks {
    #[disconnect]
    async fn gone(&self, _socket: Socket<Main>, _reason: DisconnectReason) {}
}

async fn http(State(_): State<Db>, io: Io<A>) -> Result<(), Error> {
    io.to(DynRoom::from("x")).count().await;
    Ok(())
}

fn layer(db: Db) -> axum::Router {
    let state = AppState { db: db.clone() };
    let rooms = RoomsLayer::new()
        .on(async |socket: Socket<Main>, chat: Chat| {
            socket.emit(chat).ok();
        })
        .on(move |_: Count| {
            let db = db.clone();
            async move { std::mem::size_of_val(&db) as u32 }
        })
        .handlers(Hooks)
        .namespace(
            A::serve(state.clone())
                .on(count)
                .on(borrowed)
                .handlers(Generic(1))
                .on_any(|socket, event| println!("{socket:?} {event:?}"))
                .on_reject(|socket, event, rejection| println!("{socket:?} {event} {rejection}"))
                .fallback(async |_: Socket<A>, event: rooms_layer::AnyEvent| {
                    println!("{}", event.name());
                })
                .one_at_a_time()
                .exceptions(),
        )
        .namespace(B::serve(state.clone()).on(count));
    axum::Router::new()
        .route("/", axum::routing::get(http))
        .with_state(state)
        .layer(rooms)
}

/// A handler takes its name from nobody: a parameter, a field and a variable may have it too.
#[handler(A)]
async fn chat(socket: Socket<A>, chat: Chat) -> Result<(), Error> {
    let Chat { message } = chat;
    let chat = Chat { message };
    socket.emit(chat)?;
    Ok(())
}

fn named_like_a_handler() -> Served<A> {
    let count = AppState { db: Db };
    let chat = A::serve(count).on(chat);
    chat.build()
}
