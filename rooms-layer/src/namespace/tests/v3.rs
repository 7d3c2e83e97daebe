//! Clients of Engine.IO 3, which speak protocol 4 of Socket.IO.

use super::*;

impl House {
    async fn visit_by_v3(&self) -> Client {
        self.visit_of(Revision::V3, 64 * 1024).await
    }

    /// A client that is in `/`.
    pub(super) async fn member_by_v3(&self) -> Client {
        let mut client = self.visit_by_v3().await;
        assert_eq!(client.next().await, "40");
        client
    }
}

#[tokio::test]
async fn clients_are_in_the_main_namespace_unasked() {
    let house = house();
    let mut client = house.member_by_v3().await;
    client.send(r#"427["e","x"]"#).await;
    assert_eq!(client.next().await, r#"437["x"]"#);
    // Whoever leaves may come back, over the same connection.
    client.send("41").await;
    client.send("40").await;
    assert_eq!(client.next().await, "40");
    client.send(r#"428["e","y"]"#).await;
    assert_eq!(client.next().await, r#"438["y"]"#);
    client.leave().await;
    let calls = house.notes.calls();
    let connected = calls.iter().filter(|call| *call == "connected").count();
    assert_eq!(connected, 2, "{calls:?}");
}

#[tokio::test]
async fn a_client_that_is_in_may_not_ask_again() {
    for packet in ["40", "40?token=x", "40/?token=x,"] {
        let house = house();
        let mut client = house.member_by_v3().await;
        client.send(packet).await;
        assert!(client.end().await.is_empty(), "{packet}");
    }
}

#[tokio::test]
async fn other_namespaces_are_asked_for_with_a_query() {
    let house = house();
    let mut client = house.member_by_v3().await;
    for (asked, answer) in [
        ("40/side?token=bad,", "44/side,401"),
        ("40/side?x=1&token=%70anic,", r#"44/side,"internal error""#),
        (
            "40/nowhere?token=x,",
            r#"44/nowhere,{"message":"Invalid namespace"}"#,
        ),
        // A payload is what protocol 5 has for it.
        (r#"40/side?x=1,{"token":"bad"}"#, "40/side,"),
    ] {
        client.send(asked).await;
        assert_eq!(client.next().await, answer, "{asked}");
    }
    client.send(r#"42/side,1["e","x"]"#).await;
    assert_eq!(client.next().await, r#"43/side,1["x"]"#);
}

#[tokio::test]
async fn a_main_namespace_that_is_not_there_is_not_spoken_of() {
    let mounted = [("/side", contract::<u8>())];
    let house = house_of(&mounted, Notes::default(), NamespaceConfig::default());
    let mut client = house.visit_by_v3().await;
    client.send("40/side").await;
    assert_eq!(client.next().await, "40/side,");
    client.send("40").await;
    assert_eq!(client.next().await, r#"44{"message":"Invalid namespace"}"#);
}

#[tokio::test]
async fn a_client_counts_as_being_in_the_main_namespace() {
    let config = NamespaceConfig {
        max_joined_namespaces: 1,
        ..NamespaceConfig::default()
    };
    let house = house_with(Notes::default(), config);
    let mut client = house.member_by_v3().await;
    client.send("40/side,").await;
    let refused = r#"44/side,{"message":"too many namespaces"}"#;
    assert_eq!(client.next().await, refused);
}

/// To know whom a socket is called is to know nothing of its session.
#[tokio::test]
async fn the_id_of_a_socket_is_not_the_secret_of_its_session() {
    let house = house();
    let (mut client, open) = house.enter(Revision::V3, 64 * 1024).await;
    assert_eq!(client.next().await, "40");
    let id = house.notes.peer(0).id().to_string();
    assert!(!open.contains(&id), "{open}");
    assert!(house.hub.engine().session(&id).is_none());
}

#[tokio::test]
async fn a_server_that_is_closed_lets_nobody_in() {
    let house = house();
    house.hub.close();
    let client = house.visit_by_v3().await;
    assert!(client.end().await.is_empty());
    assert!(house.notes.calls().is_empty());
}
