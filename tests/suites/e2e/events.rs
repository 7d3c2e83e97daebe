//! Events of one client: their order, how they share its time, and what a handler may do wrong.

use crate::{Done, Number, Said, said, serve};
use futures_util::{StreamExt, stream};
use rooms_layer::{Config, Rejection, prelude::*};
use rooms_tests::client::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};
use tokio::{sync::Notify, task::yield_now};

/// What handlers note down, in the order in which they do.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().expect("nobody panics here").push(what.into());
    }

    fn notes(&self) -> Vec<String> {
        self.0.lock().expect("nobody panics here").clone()
    }
}

#[tokio::test]
async fn twenty_thousand_events_are_handled_in_order() {
    let log = Log::default();
    let noted = log.clone();
    let rooms = RoomsLayer::new()
        .on(move |Number(n): Number| {
            let log = noted.clone();
            async move { log.note(n.to_string()) }
        })
        .on(async |_: Done| true);
    let mut client = Client::connect(serve(rooms).await).await;

    for n in 0..20_000 {
        client.feed(&format!(r#"42["number",{n}]"#)).await;
    }
    assert_eq!(client.ask(r#"["done"]"#).await, "[true]");
    assert!(
        log.notes()
            .into_iter()
            .eq((0..20_000).map(|n| n.to_string()))
    );
}

#[tokio::test]
async fn twenty_thousand_events_of_slow_handlers_start_in_order() {
    let log = Log::default();
    let noted = log.clone();
    let rooms = RoomsLayer::new()
        .on(move |Number(n): Number| {
            let log = noted.clone();
            async move {
                log.note(n.to_string());
                // Ends later than many that come after it, or begin to wait for a place.
                for _ in 0..n % 7 {
                    yield_now().await;
                }
            }
        })
        .on(async |_: Done| true);
    let mut client = Client::connect(serve(rooms).await).await;

    for n in 0..20_000 {
        client.feed(&format!(r#"42["number",{n}]"#)).await;
    }
    assert_eq!(client.ask(r#"["done"]"#).await, "[true]");
    assert!(
        log.notes()
            .into_iter()
            .eq((0..20_000).map(|n| n.to_string()))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_loses_what_it_emits_right_after_it_has_connected() {
    const CLIENTS: usize = 3_000;
    const AT_A_TIME: usize = 100;

    let handled = Arc::new(AtomicU32::new(0));
    let counted = handled.clone();
    let rooms = RoomsLayer::new()
        .on(move |_: Number| {
            let handled = counted.clone();
            async move {
                handled.fetch_add(1, Ordering::Relaxed);
            }
        })
        .on(async |_: Done| true);
    let address = serve(rooms).await;

    let clients = stream::iter(0..CLIENTS).map(|n| {
        tokio::spawn(async move {
            let mut client = Client::connect(address).await;
            client.feed(&format!(r#"42["number",{n}]"#)).await;
            assert_eq!(client.ask(r#"["done"]"#).await, "[true]");
        })
    });
    let ended: Vec<_> = clients.buffer_unordered(AT_A_TIME).collect().await;
    assert!(ended.iter().all(Result::is_ok));
    assert_eq!(handled.load(Ordering::Relaxed) as usize, CLIENTS);
}

/// An event whose handler waits.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct Wait;

#[tokio::test]
async fn handlers_start_in_order_and_run_side_by_side() {
    let (log, second_ran) = (Log::default(), Arc::new(Notify::new()));
    let (noted, noted_too) = (log.clone(), log.clone());
    let (waits, tells) = (second_ran.clone(), second_ran);
    let rooms = RoomsLayer::new()
        .on(move |_: Wait| {
            let (log, second_ran) = (noted.clone(), waits.clone());
            async move {
                log.note("first starts");
                second_ran.notified().await;
                log.note("first ends");
                true
            }
        })
        .on(move |_: Number| {
            let (log, second_ran) = (noted_too.clone(), tells.clone());
            async move {
                log.note("second");
                second_ran.notify_one();
            }
        });
    let mut client = Client::connect(serve(rooms).await).await;

    client.feed(r#"421["wait"]"#).await;
    client.send(r#"42["number",1]"#).await;
    assert_eq!(client.next().await, "431[true]");
    assert_eq!(log.notes(), ["first starts", "second", "first ends"]);
}

#[tokio::test]
async fn handlers_run_one_after_another_where_the_namespace_wants_it() {
    let log = Log::default();
    let (noted, noted_too) = (log.clone(), log.clone());
    let main = Main::serve(())
        .one_at_a_time()
        .on(move |Number(n): Number| {
            let log = noted.clone();
            async move {
                for step in ["starts", "goes on", "ends"] {
                    log.note(format!("{n} {step}"));
                    yield_now().await;
                }
            }
        })
        .on(move |_: Done| {
            let log = noted_too.clone();
            async move {
                log.note("done");
                true
            }
        });
    let mut client = Client::connect(serve(RoomsLayer::new().namespace(main)).await).await;

    for n in [1, 2] {
        client.feed(&format!(r#"42["number",{n}]"#)).await;
    }
    assert_eq!(client.ask(r#"["done"]"#).await, "[true]");
    let steps = [1, 2].map(|n| ["starts", "goes on", "ends"].map(|step| format!("{n} {step}")));
    assert_eq!(
        log.notes(),
        [&steps.concat()[..], &["done".to_owned()]].concat()
    );
}

/// The server asks its client.
#[derive(Event, Serialize, Deserialize)]
#[event(server, ack = u32)]
struct Question(u32);

#[tokio::test]
async fn a_handler_may_wait_for_its_own_client_when_all_places_are_taken() {
    let rooms = RoomsLayer::new()
        .config(Config::default().max_running_handlers(1))
        .on(async |socket: Socket<Main>, Number(n): Number| {
            let answer = socket.emit_with_ack(Question(n)).await?;
            socket.emit(Said(format!("{n} gives {answer}")))?;
            Ok::<_, rooms_layer::Error>(())
        });
    let mut client = Client::connect(serve(rooms).await).await;

    for n in 1..4 {
        client.feed(&format!(r#"42["number",{n}]"#)).await;
    }
    client.send(r#"42["nobody handles this"]"#).await;
    for n in 1..4 {
        let question = client.next().await;
        let id = question
            .strip_prefix("42")
            .and_then(|rest| rest.split_once('['));
        let (id, rest) = id.expect("a question with an id");
        assert_eq!(rest, format!(r#""question",{n}]"#));
        client.send(&format!("43{id}[{}]", n * 10)).await;
        assert_eq!(
            client.event().await,
            json!(["said", format!("{n} gives {}", n * 10)])
        );
    }
}

/// An event whose acknowledgement can carry an error.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = Result<u32, Problem>)]
struct Divide(u32, u32);

#[derive(Serialize, Debug)]
struct Problem {
    message: String,
}

impl From<rooms_layer::Error> for Problem {
    fn from(error: rooms_layer::Error) -> Self {
        let message = error.to_string();
        Self { message }
    }
}

#[tokio::test]
async fn a_handler_that_panics_harms_nobody() {
    let log = Log::default();
    let noted = log.clone();
    let main = Main::serve(())
        .on(async |Divide(a, b): Divide| Ok::<_, Problem>(a / b))
        .on(async |Number(n): Number| {
            yield_now().await;
            assert_eq!(n, 0, "a panic on purpose, after the first poll");
        })
        .on(async |_: Done| true)
        .on_reject(move |_, event, rejection| noted.note(format!("{event}: {rejection}")))
        .exceptions();
    let address = serve(RoomsLayer::new().namespace(main)).await;
    let mut client = Client::connect(address).await;
    let mut other = Client::connect(address).await;

    let internal = Rejection::Panicked.to_string();
    let answer = client.ask(r#"["divide",1,0]"#).await;
    let expected = json!([{"ok": false, "error": {"message": internal}}]);
    assert_eq!(answer.parse::<Value>().expect("JSON"), expected);
    client.send(r#"42["number",1]"#).await;
    let exception = json!(["exception", {"event": "number", "message": internal}]);
    assert_eq!(client.event().await, exception);
    assert_eq!(log.notes(), [format!("number: {internal}")]);

    assert_eq!(
        client.ask(r#"["divide",6,2]"#).await,
        r#"[{"ok":true,"value":3}]"#
    );
    assert_eq!(other.ask(r#"["done"]"#).await, "[true]");
}

#[tokio::test]
async fn what_nobody_could_be_told_of_is_told_to_the_hook() {
    let log = Log::default();
    let noted = log.clone();
    let main = Main::serve(())
        .on(async |_: Number| ())
        .on(async |_: Done| true)
        .on(async |Divide(a, b): Divide| Ok::<_, Problem>(a / b))
        .on_reject(move |_, event, rejection| noted.note(format!("{event}: {rejection}")));
    let mut client = Client::connect(serve(RoomsLayer::new().namespace(main)).await).await;

    client.send(r#"42["number","one"]"#).await;
    client.send(r#"42["unheard of"]"#).await;
    let answer = client.ask(r#"["divide",1,"two"]"#).await;
    assert!(answer.contains(r#""ok":false"#), "{answer}");
    assert_eq!(client.ask(r#"["done"]"#).await, "[true]");

    let notes = log.notes();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("number: argument 0: "), "{notes:?}");
    assert_eq!(notes[1], format!("unheard of: {}", Rejection::Unhandled));
}

#[tokio::test]
async fn a_volatile_event_reaches_who_can_take_it() {
    let rooms = RoomsLayer::new();
    let io = rooms.io::<Main>();
    let mut client = Client::connect(serve(rooms).await).await;
    let sent = io.volatile().emit(said("now")).expect("an open server");
    assert_eq!(sent.local, 1);
    assert_eq!(client.event().await, json!(["said", "now"]));
}
