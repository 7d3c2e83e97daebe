//! Emitters: ours to servers of ours and of Node's, and Node's to ours.

use crate::{MODES, Mode, PATIENCE, Said, Server, hears};
use rooms_layer::{Emitter, prelude::*};
use rooms_redis::{ClassicConfig, Redis, ShardedConfig, StreamsConfig, emitter};
use rooms_tests::{client, engines, peer::Peer};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

async fn emitter_for(mode: Mode, redis: Redis) -> Emitter<Main> {
    let made = match mode {
        Mode::Classic => emitter(redis, ClassicConfig::default()).await,
        Mode::Sharded => emitter(redis, ShardedConfig::default()).await,
        Mode::Streams => emitter(redis, StreamsConfig::default()).await,
    };
    made.expect("Redis is there")
}

fn room() -> DynRoom {
    DynRoom("room".to_owned())
}

#[tokio::test]
async fn an_emitter_reaches_servers_of_ours_and_of_node() {
    let peer = Peer::start();
    for (mode, of_node) in MODES.into_iter().zip(["classic", "sharded", "streams"]) {
        let engine = engines::redis::Redis::start().await;
        let redis = || Redis::standalone(&engine.url()).expect("a URL");
        let ours = Server::start(mode, redis()).await;
        let mut near = ours.client_in("room").await;
        let node = json!({ "adapter": of_node, "redis": engine.port(), "prefix": "socket.io" });
        let node = peer.call("open", node).await;
        let port = node["port"].as_u64().expect("a port");
        let address = format!("127.0.0.1:{port}").parse().expect("an address");
        let mut far = client::Client::connect(address).await;
        assert_eq!(far.ask(r#"["join","room"]"#).await, "[true]");

        let out = emitter_for(mode, redis()).await;
        // Until Node's server hears, which it does not tell.
        let begun = std::time::Instant::now();
        while timeout(Duration::from_millis(100), far.event())
            .await
            .is_err()
        {
            assert!(
                begun.elapsed() < PATIENCE,
                "{mode:?}: Node's server hears nothing"
            );
            let sent = out.to(room()).emit(Said(7)).expect("it is queued");
            sent.await.expect("Redis has it");
        }
        assert_eq!(near.until::<Said>().await, Said(7));

        // Commands work too: everybody leaves the room.
        out.to(room()).leave(room()).await.expect("Redis has it");
        let left = async {
            while near.server_socket().is_in(room()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, left).await.expect("it leaves in time");
        let server = node["server"].as_u64().expect("a number");
        let fetch = json!({ "server": server, "namespace": "/", "to": { "rooms": ["room"], "except": [] } });
        let empty = async { while peer.call("fetch", fetch.clone()).await != json!([]) {} };
        timeout(PATIENCE, empty)
            .await
            .expect("the others leave in time");
    }
}

#[tokio::test]
async fn an_emitter_of_node_reaches_our_servers() {
    let peer = Peer::start();
    let engine = engines::redis::Redis::start().await;
    let redis = || Redis::standalone(&engine.url()).expect("a URL");
    let (first, second) = (
        Server::start(Mode::Classic, redis()).await,
        Server::start(Mode::Classic, redis()).await,
    );
    let mut client = second.client_in("room").await;
    hears(&first.io(), "room", &mut client).await;
    let out = json!({ "redis": engine.port(), "prefix": "socket.io" });
    let out = peer.call("emitter", out).await["emitter"].clone();
    let to = json!({ "rooms": ["room"], "except": [] });

    let emit = json!({ "emitter": out, "namespace": "/", "to": to, "event": ["said", 9] });
    peer.call("emitterEmit", emit).await;
    while client.until::<Said>().await != Said(9) {}

    let join =
        json!({ "emitter": out, "namespace": "/", "to": to, "command": "join", "rooms": ["more"] });
    peer.call("emitterCommand", join).await;
    let more = DynRoom("more".to_owned());
    let joined = async {
        while !client.server_socket().is_in(&more) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, joined).await.expect("it joins in time");
    let away = json!({ "emitter": out, "namespace": "/", "to": to, "command": "disconnect", "close": false });
    peer.call("emitterCommand", away).await;
    timeout(PATIENCE, client.disconnected())
        .await
        .expect("it goes in time");
}

/// What was there before notepack 3 writes dates and `undefined` in another way. Of the servers broadcasts are understood, in both
/// directions; their requests have other numbers, also among servers of Node's.
#[tokio::test]
async fn servers_of_the_former_version_and_their_emitters_are_understood() {
    let peer = Peer::start_former();
    let engine = engines::redis::Redis::start().await;
    let redis = Redis::standalone(&engine.url()).expect("a URL");
    let ours = Server::start(Mode::Classic, redis).await;
    let mut client = client::Client::join(&ours.rooms, "{}").await;
    let room = client.id().to_string();
    let (redis, prefix) = (engine.port(), "socket.io");
    let theirs = json!({ "redis": redis, "prefix": prefix });
    let theirs = peer.call("open", theirs).await;
    let visit = json!({ "server": theirs, "room": "room" });
    let visitor = peer.call("visit", visit).await;

    let emit = json!({ "redis": redis, "prefix": prefix, "room": room });
    peer.call("emitWithEmitter", emit).await;
    is_the_event(&mut client).await;
    let emit = json!({ "server": theirs, "room": room });
    peer.call("emit", emit).await;
    is_the_event(&mut client).await;

    let to = DynRoom("room".to_owned());
    let heard = async {
        // Until it hears, which it does not tell.
        loop {
            let sent = ours.io().to(&to).emit(Said(5)).expect("it is queued");
            sent.await.expect("Redis has it");
            let heard = peer.call("heard", json!({ "client": visitor })).await;
            if heard != json!([]) {
                return heard[0].clone();
            }
        }
    };
    let heard = timeout(PATIENCE, heard).await.expect("it hears in time");
    assert_eq!(heard, json!([5]));
}

async fn is_the_event(client: &mut client::Client) {
    let event = timeout(PATIENCE, client.next()).await.expect("in time");
    assert_eq!(
        event,
        r#"451-["said",{"when":"1970-01-01T00:00:00.000Z","list":[null,1.5,-7,"text"]},{"_placeholder":true,"num":0}]"#
    );
    let attachment = timeout(PATIENCE, client.attachment()).await;
    assert_eq!(attachment.expect("in time"), [1, 2, 3]);
}
