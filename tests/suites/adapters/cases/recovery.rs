//! Clients that lose their connection and come back.

use super::Case;
use crate::{
    client::Client,
    cluster::{Cluster, all, eventually, to},
    rigs::Need,
    server::{Ours, Server},
};
use rooms_layer::wire::Value;

pub(super) fn cases() -> Vec<Case> {
    let cases = vec![
        Case::new(
            "who comes back to another server has missed nothing",
            another_server,
        ),
        Case::new("who comes back twice is there once", twice),
        Case::new(
            "coming and going in a stream of events, nothing is lost or doubled",
            in_a_stream,
        ),
        Case::new("who has said goodbye is new", goodbye),
        Case::new("a session that is not ours is nobody's", not_ours),
    ];
    let needs = |case: Case| case.needs(&[Need::Recovery]);
    cases.into_iter().map(needs).collect()
}

fn ours(server: &Server) -> &Ours {
    server.as_ours().expect("only ours have sessions")
}

/// A client of the last server, in room `a`, that has heard something.
async fn client(cluster: &Cluster) -> Client {
    let mut client = cluster[2].client("/").await;
    client.join("a").await;
    cluster[0].emit(&to(&["a"]), "end").await;
    assert_eq!(client.heard().await, []);
    client
}

async fn another_server(cluster: Cluster) {
    let client = client(&cluster).await;
    let (id, ticket) = (client.id().clone(), client.ticket());
    // Without a goodbye.
    drop(client);
    cluster[0].emit(&to(&["a"]), "to the room").await;
    cluster[1].emit(&to(&["b"]), "to another room").await;
    cluster[0].emit(&all().except(["a"]), "to all others").await;
    cluster[0].emit(&to(&[id.as_str()]), "to it").await;
    cluster[0].emit(&all(), "to all").await;

    let mut client = ours(&cluster[1]).client("/", Some(&ticket)).await;
    assert_eq!(client.id(), &id, "it is the same");
    cluster[2].emit(&to(&["a"]), "afterwards").await;
    cluster[2].emit(&to(&["a"]), "end").await;
    let expected = ["to the room", "to it", "to all", "afterwards"];
    assert_eq!(client.heard().await, expected.map(Value::from));

    // And again, from where it is now.
    let ticket = client.ticket();
    drop(client);
    cluster[1].emit(&to(&["a"]), "once more").await;
    cluster[1].emit(&to(&["a"]), "end").await;
    let mut client = ours(&cluster[0]).client("/", Some(&ticket)).await;
    assert_eq!(client.id(), &id);
    assert_eq!(client.heard().await, ["once more".into()]);
}

async fn twice(cluster: Cluster) {
    let mut first = client(&cluster).await;
    let ticket = first.ticket();
    for server in [&cluster[1], &cluster[1], &cluster[0]] {
        let second = ours(server).client("/", Some(&ticket)).await;
        assert_eq!(second.id(), first.id());
        // The earlier one, which may still believe that it is there.
        first.disconnected().await;
        first = second;
    }
    let found = cluster[2].fetch(&to(&["a"])).await;
    assert_eq!(found.len(), 1, "{found:?}");
    cluster[2].emit(&to(&["a"]), "end").await;
    assert_eq!(first.heard().await, []);
}

async fn in_a_stream(cluster: Cluster) {
    const COUNT: i64 = 400;
    let mut client = client(&cluster).await;
    let id = client.id().clone();
    let emitting = async {
        for number in 0..COUNT {
            let to = if number % 3 == 0 { all() } else { to(&["a"]) };
            cluster[(number % 2) as usize].emit(&to, number).await;
        }
        cluster[0].emit(&to(&["a"]), "end").await;
    };
    let hearing = async {
        let mut heard = Vec::new();
        loop {
            let (event, mut arguments) = client.event().await;
            match (&*event, arguments.pop()) {
                ("said", Some(Value::Int(number))) => heard.push(number),
                ("said", Some(_)) => return heard,
                _ => {}
            }
            if heard.len() % 37 == 5 {
                let ticket = client.ticket();
                let server = &cluster[heard.len() % 3];
                client = ours(server).client("/", Some(&ticket)).await;
                assert_eq!(client.id(), &id, "after {heard:?}");
            }
        }
    };
    let ((), heard) = tokio::join!(emitting, hearing);
    // Each is awaited before the next is emitted, so there is one order.
    let wrong = heard
        .iter()
        .zip(0..)
        .position(|(heard, expected)| *heard != expected);
    let around = wrong.map(|at| &heard[at.saturating_sub(5)..heard.len().min(at + 5)]);
    assert_eq!(around, None, "lost or doubled");
    assert_eq!(heard.len() as i64, COUNT);
}

async fn goodbye(cluster: Cluster) {
    let mut client = client(&cluster).await;
    let (id, ticket) = (client.id().clone(), client.ticket());
    client.leave_namespace().await;
    eventually("it is gone", async || {
        cluster[0].fetch(&to(&["a"])).await.is_empty()
    })
    .await;
    // The session is erased behind it; what its server does next, it does later.
    cluster[2].client("/").await.join("b").await;
    cluster[2].emit(&to(&["b"]), "later").await;
    let other = ours(&cluster[0]).client("/", Some(&ticket)).await;
    assert_ne!(other.id(), &id, "who says goodbye does not come back");
}

async fn not_ours(cluster: Cluster) {
    let client = client(&cluster).await;
    let ticket = client.ticket();
    let id = client.id().clone();
    drop(client);
    for (token, offset) in [
        ("AAAAAAAAAAAAAAAAAAAA", &*ticket.offset),
        (&ticket.token, "0-1-2"),
        (&ticket.token, "nonsense"),
        (&ticket.token, &format!("{}0", ticket.offset)),
    ] {
        let mut forged = ticket.clone();
        (forged.token, forged.offset) = (token.to_owned(), offset.to_owned());
        let other = ours(&cluster[0]).client("/", Some(&forged)).await;
        assert_ne!(other.id(), &id, "{forged:?}");
    }
    // None of that has cost it its session.
    let back = ours(&cluster[0]).client("/", Some(&ticket)).await;
    assert_eq!(back.id(), &id);
}
