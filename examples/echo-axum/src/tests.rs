use super::*;
use axum::{body::Body, http::Request};
use rooms_layer::test::Client;
use tower::ServiceExt;

/// A client without a socket, which speaks the whole protocol with the layer.
async fn connect(rooms: &RoomsLayer) -> Client<App> {
    let client = Client::connect(rooms, ()).await;
    client.expect("everybody is let in")
}

#[tokio::test]
async fn an_echo_comes_back_and_a_shout_reaches_everybody() {
    let rooms = rooms();
    let (mut ann, mut bob) = (connect(&rooms).await, connect(&rooms).await);

    let answer = ann.emit_with_ack(Echo("hello".to_owned())).await;
    assert_eq!(answer.expect("an answer"), "hello");

    let text = "hello".to_owned();
    ann.emit(Shout { text }).await;
    for client in [&mut ann, &mut bob] {
        assert_eq!(client.expect::<Shout>().await.text, "hello");
    }
}

#[tokio::test]
async fn news_posted_over_http_reach_those_who_follow_the_topic() {
    let rooms = rooms();
    let (mut ann, mut bob) = (connect(&rooms).await, connect(&rooms).await);
    let answer = ann.emit_with_ack(Follow("rust".to_owned())).await;
    assert!(answer.expect("an answer"));

    let request = Request::post("/topics/rust").body(Body::from("1.95"));
    let response = app(rooms).oneshot(request.expect("a request")).await;
    assert_eq!(response.expect("a response").status(), 204);

    let received = ann.receive().await;
    let News { topic, text } = received.decode();
    assert_eq!((topic, text), ("rust", "1.95"));
    bob.expect_nothing().await;
}
