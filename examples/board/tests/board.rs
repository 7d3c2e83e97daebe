//! The board without its page: HTTP requests on one side, windows that speak Socket.IO on the other.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use board::{contract, page};
use futures_util::{SinkExt, StreamExt};
use rooms_layer::export;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tower::ServiceExt;

#[test]
fn the_page_has_the_current_contract() {
    export::check(page::CONTRACT, contract::typescript());
}

#[tokio::test]
async fn every_window_of_a_project_hears_of_its_changes() {
    let board = Board::start().await;
    let (mut ann, mut bob) = (board.open("Ann").await, board.open("Bob").await);
    for window in [&mut ann, &mut bob] {
        let joined = window.ask(json!(["join_project", 7])).await;
        assert_eq!(joined["value"]["tasks"], json!([]));
    }
    let mut eve = board.open("Eve").await;
    eve.ask(json!(["join_project", 8])).await;

    let tasks = "/api/projects/7/tasks";
    let (status, task) = board
        .call(Method::POST, tasks, json!({"title": " Paint "}))
        .await;
    assert_eq!(
        (status, &task["title"]),
        (StatusCode::CREATED, &json!("Paint"))
    );
    let id = &task["id"];
    let created = json!({"kind": "created", "id": id, "title": "Paint", "column": "todo"});

    let this = &format!("/api/tasks/{id}");
    let edit = json!({"title": "Paint the door", "column": "done"});
    let (status, _) = board.call(Method::PATCH, this, edit.clone()).await;
    assert_eq!(status, StatusCode::OK);
    let renamed = json!({"kind": "renamed", "id": id, "title": "Paint the door"});
    let moved = json!({"kind": "moved", "id": id, "column": "done", "position": 0});

    let (status, _) = board.call(Method::PATCH, this, edit).await;
    assert_eq!(status, StatusCode::OK, "to change nothing is no mistake");
    let (status, _) = board.call(Method::DELETE, this, Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let deleted = json!({"kind": "deleted", "id": id});

    for window in [&mut ann, &mut bob] {
        for (version, change) in (1..).zip([&created, &renamed, &moved, &deleted]) {
            let update = json!([{"project": 7, "version": version, "change": change}]);
            assert_eq!(window.expect("project_updated").await, update);
        }
    }

    let elsewhere = "/api/projects/8/tasks";
    board
        .call(Method::POST, elsewhere, json!({"title": "Sweep"}))
        .await;
    let first = eve.expect("project_updated").await;
    assert_eq!(
        first[0]["change"]["title"], "Sweep",
        "nothing of project 7 came before"
    );
}

#[tokio::test]
async fn prometheus_reads_what_the_server_is_doing() {
    let board = Board::start().await;
    let mut ann = board.open("Ann").await;
    ann.ask(json!(["join_project", 7])).await;
    let text = board.get("/metrics").await;
    for line in [
        "# TYPE rooms_connections gauge",
        r#"rooms_connections{transport="websocket"} 1"#,
        r#"rooms_connections{transport="polling"} 0"#,
        "rooms_connections_opened_total 1",
        "rooms_sockets 1",
        "rooms_events_in_total 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in {text}");
    }
    let again = board.get("/metrics").await;
    assert!(again.contains("\nrooms_events_in_total 1\n"), "{again}");
}

#[tokio::test]
async fn mistakes_over_http_are_told_and_change_nothing() {
    let board = Board::start().await;
    for (method, path, body, expected) in [
        (
            Method::POST,
            "/api/projects/1/tasks",
            json!({"title": " "}),
            422,
        ),
        (
            Method::POST,
            "/api/projects/1/tasks",
            json!({"title": "x".repeat(201)}),
            422,
        ),
        (
            Method::POST,
            "/api/projects/1/tasks",
            json!({"title": "a", "column": "b"}),
            422,
        ),
        (Method::POST, "/api/projects/1/tasks", json!({}), 422),
        (Method::PATCH, "/api/tasks/1", json!({"title": ""}), 422),
        (Method::PATCH, "/api/tasks/1", json!({"position": -1}), 422),
        (Method::PATCH, "/api/tasks/999", json!({}), 404),
        (Method::DELETE, "/api/tasks/999", Value::Null, 404),
    ] {
        let (status, answer) = board.call(method, path, body.clone()).await;
        assert_eq!(status, expected, "{path} {body}");
        assert!(
            answer["error"]["message"].is_string(),
            "{path} {body}: {answer}"
        );
    }
    let mut ann = board.open("Ann").await;
    let joined = ann.ask(json!(["join_project", 1])).await;
    assert_eq!(
        joined["value"]["version"], 4,
        "one for each task of the samples"
    );
}

#[tokio::test]
async fn windows_see_each_other() {
    let board = Board::start().await;
    let (mut ann, mut bob) = (board.open("Ann").await, board.open("Bob").await);
    ann.ask(json!(["join_project", 1])).await;
    bob.ask(json!(["join_project", 1])).await;
    let names = async |window: &mut Window| {
        let presence = window.expect("presence").await;
        let people = presence[0]["people"].as_array().expect("a list").clone();
        people
            .iter()
            .map(|person| person["name"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&mut ann).await, ["Ann", "Bob"]);

    ann.tell(json!(["cursor", 0.25, 0.5])).await;
    let moved = bob.expect("cursor_moved").await;
    assert_eq!(
        (&moved[0]["name"], &moved[0]["x"]),
        (&json!("Ann"), &json!(0.25))
    );

    let mut tab = board.open("Ann").await;
    assert_eq!(tab.expect("note_changed").await, json!([{"text": ""}]));
    ann.tell(json!(["save_note", {"text": "milk"}])).await;
    assert_eq!(tab.expect("note_changed").await, json!([{"text": "milk"}]));

    drop(bob);
    assert_eq!(names(&mut ann).await, ["Ann"]);
}

#[tokio::test]
async fn a_private_message_goes_to_one_window_and_never_to_a_room() {
    let board = Board::start().await;
    let (mut ann, mut bob) = (board.open("Ann").await, board.open("Bob").await);
    ann.ask(json!(["join_project", 1])).await;
    bob.ask(json!(["join_project", 1])).await;

    let letter = json!(["send_message", {"to": bob.id, "text": "Lunch?"}]);
    assert_eq!(ann.ask(letter).await, json!({"ok": true, "value": null}));
    let message = json!([{"from": ann.id, "name": "Ann", "text": "Lunch?"}]);
    assert_eq!(bob.expect("message").await, message);

    for (to, text) in [
        ("nobody", "x"),
        ("project:1", "x"),
        ("user:Bob", "x"),
        (&*bob.id, " "),
    ] {
        let refused = ann
            .ask(json!(["send_message", {"to": to, "text": text}]))
            .await;
        assert_eq!(refused["ok"], false, "{to}");
    }
}

/// A board on a port of its own.
struct Board {
    app: Router,
    address: std::net::SocketAddr,
}

impl Board {
    async fn start() -> Self {
        let app = board::app();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(axum::serve(listener, app.clone()).into_future());
        Self { app, address }
    }

    /// A request without a network: the router is a function.
    async fn call(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let Ok(response) = self.app.clone().oneshot(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await;
        let body = serde_json::from_slice(&body.expect("a whole body"));
        (status, body.unwrap_or_default())
    }

    /// What a GET of that path answers with.
    async fn get(&self, path: &str) -> String {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let Ok(response) = self.app.clone().oneshot(request).await;
        let body = to_bytes(response.into_body(), usize::MAX).await;
        String::from_utf8(body.expect("a whole body").into()).expect("a text")
    }

    /// A window that has signed in.
    async fn open(&self, name: &str) -> Window {
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", self.address);
        let (mut connection, _) = connect_async(url).await.expect("a handshake");
        let sign_in = format!("40{}", json!({ "name": name }));
        connection
            .send(sign_in.into())
            .await
            .expect("an open connection");
        let mut window = Window {
            connection,
            id: String::new(),
        };
        let connected = window.packet("40").await;
        window.id = connected["sid"].as_str().expect("an id").to_owned();
        window
    }
}

/// One window: as much of the Socket.IO protocol as these tests need.
struct Window {
    connection: WebSocketStream<MaybeTlsStream<TcpStream>>,
    id: String,
}

impl Window {
    async fn tell(&mut self, event: Value) {
        let packet = format!("42{event}");
        self.connection
            .send(packet.into())
            .await
            .expect("an open connection");
    }

    /// Sends an event and waits for its acknowledgement.
    async fn ask(&mut self, event: Value) -> Value {
        let packet = format!("420{event}");
        self.connection
            .send(packet.into())
            .await
            .expect("an open connection");
        self.packet("430").await[0].take()
    }

    /// The arguments of the next event of that name; others before it are passed over.
    async fn expect(&mut self, name: &str) -> Value {
        loop {
            let mut event = self.packet("42").await;
            let arguments = event.as_array_mut().expect("an event is a list");
            if arguments.remove(0) == name {
                return event;
            }
        }
    }

    /// What follows in the next packet that begins like this.
    async fn packet(&mut self, start: &str) -> Value {
        loop {
            let message = self.connection.next().await.expect("an open connection");
            let message = message.expect("a message");
            if let Some(rest) = message
                .to_text()
                .ok()
                .and_then(|text| text.strip_prefix(start))
            {
                return serde_json::from_str(rest).expect("JSON");
            }
        }
    }
}
