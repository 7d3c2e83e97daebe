//! What runs before a handler, and what a handler reads of the request.

use super::{Ask, Impossible, Notes, Told};
use rooms_layer::{Call, Rejection, RoomsLayer, prelude::*};
use rooms_tests::client::Client;
use std::sync::Arc;

#[derive(Event)]
#[event(client, ack = Result<u32, Told>)]
struct Order(u32);

/// Lets an event pass for a permit; which one it is for is told by its first argument.
struct Gate {
    notes: Notes,
    permits: [tokio::sync::Semaphore; 3],
}

struct AtGate(Arc<Gate>);

impl rooms_layer::Middleware<Main> for AtGate {
    async fn before(&self, call: &Call<Main>) -> Result<(), Rejection> {
        let n: usize = call.get(0).expect("a number");
        let gate = &self.0;
        gate.notes.note(format!("{n} waits"));
        let permit = gate.permits[n].acquire().await.expect("it is open");
        permit.forget();
        gate.notes.note(format!("{n} may pass"));
        match n {
            2 => Err(Rejection::Refused("not 2".to_owned())),
            _ => Ok(()),
        }
    }
}

fn gated(one_at_a_time: bool) -> (RoomsLayer, Arc<Gate>) {
    let gate = Arc::new(Gate {
        notes: Notes::default(),
        permits: [const { tokio::sync::Semaphore::const_new(0) }; 3],
    });
    let (check, handler) = (gate.notes.clone(), gate.notes.clone());
    let main = Main::serve(())
        .middleware(AtGate(gate.clone()))
        .before(move |call| {
            check.note(format!(
                "{} is checked",
                call.get::<u8>(0).expect("a number")
            ));
            Ok(())
        })
        .on(move |Order(n): Order| {
            handler.note(format!("{n} is handled"));
            async move { Ok::<_, Told>(n) }
        });
    let main = match one_at_a_time {
        true => main.one_at_a_time(),
        false => main,
    };
    (RoomsLayer::new().namespace(main), gate)
}

#[tokio::test]
async fn a_handler_waits_for_its_middleware_and_for_nothing_else() {
    let (rooms, gate) = gated(false);
    let mut client = Client::join(&rooms, "").await;
    for n in 0..3 {
        client.send(&format!(r#"42{n}["order",{n}]"#)).await;
    }
    for (n, answer) in [
        (1, r#"431[{"ok":true,"value":1}]"#),
        (2, r#"432[{"ok":false,"error":"told: not 2"}]"#),
        (0, r#"430[{"ok":true,"value":0}]"#),
    ] {
        gate.permits[n].add_permits(1);
        assert_eq!(client.next().await, answer);
    }
    let mut notes = gate.notes.take();
    notes.retain(|note| !note.ends_with("waits"));
    let expected = [
        "1 may pass",
        "1 is checked",
        "1 is handled",
        "2 may pass",
        "0 may pass",
        "0 is checked",
        "0 is handled",
    ];
    assert_eq!(notes, expected);
}

#[tokio::test]
async fn one_at_a_time_counts_the_middleware() {
    let (rooms, gate) = gated(true);
    let mut client = Client::join(&rooms, "").await;
    for n in 0..2 {
        client.send(&format!(r#"42{n}["order",{n}]"#)).await;
    }
    for n in [1, 0] {
        gate.permits[n].add_permits(1);
    }
    for n in 0..2 {
        let answer = format!(r#"43{n}[{{"ok":true,"value":{n}}}]"#);
        assert_eq!(client.next().await, answer);
    }
    let of =
        |n| ["waits", "may pass", "is checked", "is handled"].map(|what| format!("{n} {what}"));
    assert_eq!(gate.notes.take(), [of(0), of(1)].concat());
}

#[tokio::test]
async fn handlers_read_the_request_and_what_layers_said_of_it() {
    use rooms_layer::{Config, Extension, HandshakeInfo};
    #[derive(Clone)]
    struct User(&'static str);
    #[derive(Clone)]
    struct Other;

    let rooms = RoomsLayer::new()
        .config(Config::default().keep_extension::<User>())
        .namespace(
            Main::serve(())
                .authorize(async |handshake: Handshake<Main>| {
                    let user = handshake.request().extension::<User>();
                    user.map(drop).ok_or_else(|| Refuse::new("who are you?"))
                })
                .on(
                    async |request: Arc<HandshakeInfo>,
                           Extension(User(name)): Extension<User>,
                           other: Option<Extension<Other>>,
                           Ask(n): Ask| {
                        assert_eq!((request.query(), name, n), ("EIO=4", "ann", 1));
                        assert!(other.is_none(), "it is not kept");
                        Ok::<_, Told>(n)
                    },
                )
                .on(async |_: Extension<Other>, Impossible(n): Impossible| Ok::<_, Told>(n)),
        );
    let request = |user: Option<User>| {
        let request = http::Request::get("/socket.io/?EIO=4").extension(Other);
        let request = match user {
            Some(user) => request.extension(user),
            None => request,
        };
        request.body(()).expect("a request")
    };
    let mut stranger = Client::open_with(&rooms, &request(None)).await;
    stranger.send("40").await;
    assert_eq!(stranger.next().await, r#"44{"message":"who are you?"}"#);
    let mut ann = Client::open_with(&rooms, &request(Some(User("ann")))).await;
    ann.send("40").await;
    assert!(ann.next().await.starts_with(r#"40{"sid""#));
    let answer = ann.ask(r#"["ask",1]"#).await;
    assert_eq!(answer, r#"[{"ok":true,"value":1}]"#);
    let answer = ann.ask(r#"["impossible",1]"#).await;
    let error = "told: the request lacks an extension";
    assert_eq!(answer, format!(r#"[{{"ok":false,"error":"{error}"}}]"#));
}
