//! Clients whose packets are msgpack, alone and beside others.

use super::*;
use crate::wire::{
    Limits,
    msgpack::{Reader, Writer, decode_value, encode_value},
    socket_io::Parsers,
};
use bytes::Bytes;

fn house_of(parsers: Parsers) -> House {
    let config = NamespaceConfig {
        parsers,
        ..NamespaceConfig::default()
    };
    house_with(Notes::default(), config)
}

/// The packet that this JSON stands for.
fn message(json: &str) -> Vec<u8> {
    let mut out = Writer::new();
    encode_value(json, &[""; 0], &mut out).unwrap();
    out.into_bytes()
}

impl Client {
    async fn pack(&mut self, json: &str) {
        let frame = tungstenite::Message::binary(message(json));
        self.stream.send(frame).await.unwrap();
    }

    /// What the next packet says, in JSON. A byte string in it is its placeholder.
    async fn unpack(&mut self) -> String {
        match self.stream.next().await.expect("a frame").unwrap() {
            tungstenite::Message::Binary(message) => {
                let mut reader = Reader::new(&message);
                let json = decode_value(&mut reader, &Limits::default()).unwrap();
                reader.finish().unwrap();
                json.text
            }
            other => panic!("not binary: {other:?}"),
        }
    }
}

impl House {
    /// A client that is in `/` and speaks msgpack.
    async fn packing_member(&self) -> Client {
        let mut client = self.visit().await;
        client.pack(r#"{"type":0,"nsp":"/"}"#).await;
        let reply = client.unpack().await;
        assert!(
            reply.starts_with(r#"{"type":0,"nsp":"/","data":{"sid":""#),
            "{reply}"
        );
        client
    }
}

#[tokio::test]
async fn a_client_is_spoken_to_as_it_speaks() {
    let house = house_of(Parsers::Both);
    let mut client = house.visit().await;
    client
        .pack(r#"{"type":0,"nsp":"/","data":{"token":"bad"}}"#)
        .await;
    assert_eq!(
        client.unpack().await,
        r#"{"type":4,"nsp":"/","data":{"message":"bad token","data":401}}"#
    );
    client.pack(r#"{"type":0,"nsp":"/nowhere"}"#).await;
    assert_eq!(
        client.unpack().await,
        r#"{"type":4,"nsp":"/nowhere","data":{"message":"Invalid namespace"}}"#
    );
    for path in ["/", "/side"] {
        client
            .pack(&format!(r#"{{"type":0,"nsp":"{path}"}}"#))
            .await;
        let reply = client.unpack().await;
        assert!(
            reply.starts_with(&format!(r#"{{"type":0,"nsp":"{path}","data":{{"sid":""#)),
            "{reply}"
        );
    }
    client
        .pack(r#"{"id":7,"data":["hello","é"],"options":{"compress":true},"nsp":"/side","type":2}"#)
        .await;
    assert_eq!(
        client.unpack().await,
        r#"{"type":3,"nsp":"/side","data":["é"],"id":7}"#
    );

    client.pack(r#"{"type":2,"nsp":"/","data":["ask"]}"#).await;
    assert_eq!(
        client.unpack().await,
        r#"{"type":2,"nsp":"/","data":["question"],"id":0}"#
    );
    client
        .pack(r#"{"type":3,"nsp":"/","data":["42"],"id":0}"#)
        .await;
    let notes = house.notes.wait_for(5).await;
    assert_eq!(notes[2..], ["hello é", "ask ", "answer 42"]);

    client
        .pack(r#"{"type":2,"nsp":"/side","data":["leave me"]}"#)
        .await;
    assert_eq!(client.unpack().await, r#"{"type":1,"nsp":"/side"}"#);
    client.pack(r#"{"type":1,"nsp":"/"}"#).await;
    let notes = house.notes.wait_for(10).await;
    assert_eq!(notes[9], "disconnected client namespace disconnect []");
    client.leave().await;
}

#[tokio::test]
async fn one_broadcast_is_for_clients_of_either_format() {
    let house = house_of(Parsers::Both);
    let mut texts = [house.member().await, house.member().await];
    let mut packs = [house.packing_member().await, house.packing_member().await];
    let emit = |name: &str| {
        let mut data = DataWriter::event(name);
        data.push(&Bytes::from_static(b"\0\xff")).unwrap();
        let sent = house
            .main
            .emit(&Selection::everybody(), Flags::default(), data.finish());
        assert_eq!(sent.unwrap().local, 4);
    };
    for name in ["first", "second"] {
        emit(name);
        for client in &mut texts {
            let text = client.next().await;
            assert_eq!(
                text,
                format!(r#"451-["{name}",{{"_placeholder":true,"num":0}}]"#)
            );
            let attachment = client.stream.next().await.unwrap().unwrap();
            assert_eq!(attachment, tungstenite::Message::binary(&b"\0\xff"[..]));
        }
        for client in &mut packs {
            let text = client.unpack().await;
            assert_eq!(
                text,
                format!(
                    r#"{{"type":2,"nsp":"/","data":["{name}",{{"_placeholder":true,"num":0}}]}}"#
                )
            );
        }
    }
    let question = house.notes.peer(3).emit_with_ack(event("question"), MINUTE);
    let answer = async {
        packs[1].unpack().await;
        packs[1]
            .pack(r#"{"type":3,"nsp":"/","data":[{"deep":[1.5]}],"id":0}"#)
            .await;
    };
    let (answer, ()) = tokio::join!(question, answer);
    assert_eq!(answer.unwrap().raw(0), Some(r#"{"deep":[1.5]}"#));
}

/// The reserved names are here though Node's parser lets them pass in msgpack.
#[tokio::test]
async fn what_breaks_the_rules_ends_the_connection() {
    for packet in [
        r#"{"type":2,"nsp":"/","data":["disconnect"]}"#,
        r#"{"type":2,"nsp":"/","data":{}}"#,
        r#"{"type":2,"nsp":"/side","data":["elsewhere"]}"#,
        r#"{"type":5,"nsp":"/","data":["binary"]}"#,
        r#"{"type":0,"nsp":"/"}"#,
        r#""text""#,
    ] {
        let house = house_of(Parsers::Both);
        let bystander = house.packing_member().await;
        let mut client = house.packing_member().await;
        client.pack(packet).await;
        client.end().await;
        assert_eq!(
            house.notes.calls()[2],
            "disconnecting forced close []",
            "{packet}"
        );
        assert_eq!(house.main.count(&Selection::everybody()), 1, "{packet}");
        bystander.leave().await;
    }
}

#[tokio::test]
async fn a_format_that_is_not_served_ends_the_connection() {
    for (parsers, text, packs) in [
        (Parsers::Json, true, false),
        (Parsers::Msgpack, false, true),
        (Parsers::Both, true, true),
    ] {
        let house = house_of(parsers);
        let mut client = house.visit().await;
        client.send("40").await;
        let frame = client.stream.next().await;
        let is_reply = matches!(frame, Some(Ok(tungstenite::Message::Text(_))));
        assert_eq!(is_reply, text, "{parsers:?}");
        let mut client = house.visit().await;
        client.pack(r#"{"type":0,"nsp":"/"}"#).await;
        let frame = client.stream.next().await;
        let is_reply = matches!(frame, Some(Ok(tungstenite::Message::Binary(_))));
        assert_eq!(is_reply, packs, "{parsers:?}");
    }
}

#[tokio::test]
async fn nobody_changes_the_format_later() {
    let house = house_of(Parsers::Both);
    let mut client = house.packing_member().await;
    client.send(r#"42["text"]"#).await;
    client.end().await;
    let mut client = house.member().await;
    client.pack(r#"{"type":2,"nsp":"/","data":["e"]}"#).await;
    client.end().await;
}

#[tokio::test]
async fn a_client_comes_back_as_it_speaks() {
    let hub = Hub::new(Box::new(InMemory));
    assert!(hub.configure(NamespaceConfig {
        parsers: Parsers::Both,
        ..NamespaceConfig::default()
    }));
    assert!(hub.recover(crate::rooms::RecoveryConfig::default()));
    let house = house_on(hub, &usual(), Notes::default());
    let say = |name: &str| {
        let everybody = Selection::everybody();
        let sent = house.main.emit(&everybody, Flags::default(), event(name));
        sent.unwrap();
    };
    let told = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };

    let mut client = house.visit().await;
    client.pack(r#"{"type":0,"nsp":"/"}"#).await;
    let reply = told(&client.unpack().await);
    say("first");
    let first = told(&client.unpack().await);
    let (offset, pid) = (&first["data"][1], &reply["data"]["pid"]);
    drop(client.stream);
    client.task.await.unwrap();
    say("missed");

    let mut client = house.visit().await;
    let connect = format!(r#"{{"type":0,"nsp":"/","data":{{"pid":{pid},"offset":{offset}}}}}"#);
    client.pack(&connect).await;
    assert_eq!(told(&client.unpack().await)["data"][0], "missed");
    assert_eq!(told(&client.unpack().await), reply);
}
