//! The live side alone, with clients that need no socket.

use super::*;
use rooms_layer::test::Client;
use serde_json::json;

fn rooms() -> RoomsLayer {
    RoomsLayer::new().namespace(serve(AppState::with_samples()))
}

/// A window that shows project 7.
async fn open(rooms: &RoomsLayer, name: &str) -> Client<Board> {
    let client = Client::connect(rooms, json!({ "name": name })).await;
    let mut client = client.expect("the name is fine");
    client.expect::<NoteChanged>().await;
    let joined = client.emit_with_ack(JoinProject(ProjectId(7))).await;
    joined.expect("an answer").expect("every project exists");
    client
}

#[tokio::test]
async fn windows_see_who_comes_and_goes() {
    let rooms = rooms();
    let mut ann = open(&rooms, "Ann").await;
    let bob = open(&rooms, "Bob").await;
    for expected in [&["Ann"][..], &["Ann", "Bob"]] {
        let presence = ann.expect::<Presence>().await;
        let names: Vec<_> = presence.people.iter().map(|person| &person.name).collect();
        assert_eq!(names, expected);
    }
    bob.disconnect(DisconnectReason::TransportClose).await;
    assert_eq!(ann.expect::<Presence>().await.people.len(), 1);
}

#[tokio::test]
async fn a_pointer_moves_in_the_other_windows() {
    let rooms = rooms();
    let (mut ann, mut bob) = (open(&rooms, "Ann").await, open(&rooms, "Bob").await);
    bob.until::<Presence>().await;
    bob.emit(Cursor(0.25, 0.5)).await;
    ann.expect::<Presence>().await;
    ann.expect::<Presence>().await;
    let received = ann.receive().await;
    let CursorMoved { id, name, x, y, .. } = &received.decode::<CursorMoved>();
    assert_eq!((id, *name, *x, *y), (bob.id(), "Bob", 0.25, 0.5));
    bob.expect_nothing().await;
}

#[tokio::test]
async fn a_message_goes_to_one_window() {
    let rooms = rooms();
    let (mut ann, mut bob) = (open(&rooms, "Ann").await, open(&rooms, "Bob").await);
    let (to, text) = (ann.id().clone(), "hello".to_owned());
    let sent = bob.emit_with_ack(SendMessage { to, text }).await;
    assert!(sent.expect("an answer").is_ok());
    for _ in 0..2 {
        ann.expect::<Presence>().await;
    }
    let message = ann.receive().await;
    assert_eq!(message.decode::<Message>().text, "hello");
    // A room is nobody, whatever its name.
    let room = json!({"to": "project:7", "text": "hello"});
    let refused = bob.emit_raw::<SendMessage>([to_value(&room)]).await;
    assert!(refused.expect("an answer").is_err());
}

#[tokio::test]
async fn a_nameless_window_is_refused() {
    let refused = Client::<Board>::connect(&rooms(), json!({ "name": " " })).await;
    assert_eq!(
        refused.expect_err("a name is asked for").message,
        "a name has 1 to 40 characters"
    );
}

fn to_value(json: &serde_json::Value) -> rooms_layer::wire::Value {
    serde_json::from_value(json.clone()).expect("JSON is a value")
}
