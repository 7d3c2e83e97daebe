//! What servers ask each other.

use super::Case;
use crate::{
    cluster::{Cluster, all, eventually, to},
    rigs::Need,
    server::{AMPLE, Server, event},
};
use rooms_layer::{
    rooms::adapter::{Answer, Local, Question},
    wire::Value,
};
use std::{collections::BTreeSet, time::Duration};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("all sockets acknowledge", acks),
        Case::new("acknowledgements with binary", binary_acks),
        Case::new("who is silent costs its own answer only", silent_client),
        Case::new("nobody is asked, and nobody waited for", nobody),
        Case::new("sockets are fetched with their rooms", fetch),
        Case::new("sockets are counted, and rooms named", counts).needs(&[Need::Counts]),
        Case::new("servers are told of an event", tell),
        Case::new("servers answer an event", tell_with_ack),
    ]
}

fn answer(word: &str, value: &str) -> Value {
    vec![Value::from(word), value.into()].into()
}

async fn acks(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    let [first, second, third] = &mut clients[..] else {
        unreachable!("three servers")
    };
    second.join("a").await;
    third.join("a").await;
    for server in cluster.iter() {
        let everybody = all();
        let asked = server.ask(&everybody, "all?", AMPLE);
        let (asked, ..) = tokio::join!(
            asked,
            first.answer("1"),
            second.answer("2"),
            third.answer("3")
        );
        assert!(asked.complete);
        let expected = ["1", "2", "3"].map(|word| answer(word, "all?"));
        assert_eq!(asked.sorted(), expected);

        let room = to(&["a"]);
        let asked = server.ask(&room, "a?", AMPLE);
        let (asked, ..) = tokio::join!(asked, second.answer("2"), third.answer("3"));
        assert!(asked.complete);
        assert_eq!(asked.sorted(), ["2", "3"].map(|word| answer(word, "a?")));
    }
}

async fn binary_acks(cluster: Cluster) {
    let mut client = cluster[2].client("/").await;
    client.join("a").await;
    let binary = Value::Binary(vec![0, 255].into());
    let question = Value::Object(vec![("blob".into(), binary)]);
    for server in cluster.iter() {
        let room = to(&["a"]);
        let asked = server.ask(&room, question.clone(), AMPLE);
        let (asked, told) = tokio::join!(asked, client.answer("yes"));
        assert_eq!(told, question);
        assert!(asked.complete);
        assert_eq!(asked.answers, [vec!["yes".into(), question.clone()].into()]);
    }
}

async fn silent_client(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    let [first, _, third] = &mut clients[..] else {
        unreachable!("three servers")
    };
    let everybody = all();
    let asked = cluster[0].ask(&everybody, "who?", Duration::from_millis(500));
    let (asked, ..) = tokio::join!(asked, first.answer("1"), third.answer("3"));
    assert!(!asked.complete, "one is missing");
    assert_eq!(asked.sorted(), ["1", "3"].map(|word| answer(word, "who?")));

    // How many, by the door.
    let Some(ours) = cluster[0].as_ours() else {
        return;
    };
    let data = event("confirm", &"who?".into());
    let question = Question::Acks(&data);
    let asked = ours.question_for(&everybody, question, Duration::from_millis(500));
    let (asked, ..) = tokio::join!(asked, third.answer("3"));
    let mut acked = 0;
    let mut unanswered = 0;
    for answer in asked {
        match answer {
            Answer::Acked(..) => acked += 1,
            Answer::Unanswered(sockets) => unanswered += sockets,
            other => panic!("no server is missing: {other:?}"),
        }
    }
    assert_eq!((acked, unanswered), (1, 1));
}

async fn nobody(cluster: Cluster) {
    for server in cluster.iter() {
        let room = to(&["nobody's"]);
        let asked = server.ask(&room, "who?", Duration::from_secs(3_600)).await;
        assert!(asked.complete);
        assert_eq!(asked.answers, []);
        assert_eq!(server.fetch(&room).await, []);
    }
}

async fn fetch(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    clients[0].join("a").await;
    clients[1].join("a").await;
    clients[1].join("b").await;
    let ids: Vec<_> = clients
        .iter()
        .map(|client| client.id().to_string())
        .collect();
    let socket = |number: usize, rooms: &[&str]| {
        let rooms: Vec<_> = rooms.iter().map(|room| (*room).to_owned()).collect();
        (ids[number].clone(), rooms)
    };
    for server in cluster.iter() {
        for (selection, mut expected) in [
            (
                all(),
                vec![socket(0, &["a"]), socket(1, &["a", "b"]), socket(2, &[])],
            ),
            (to(&["a"]), vec![socket(0, &["a"]), socket(1, &["a", "b"])]),
            (to(&["a"]).except(["b"]), vec![socket(0, &["a"])]),
            (to(&[&ids[2]]), vec![socket(2, &[])]),
            (
                to(&["a", "b"]),
                vec![socket(0, &["a"]), socket(1, &["a", "b"])],
            ),
        ] {
            expected.sort();
            assert_eq!(server.fetch(&selection).await, expected, "{selection:?}");
        }
    }
}

async fn counts(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    clients[1].join("a").await;
    clients[2].join("a").await;
    clients[2].join("b").await;
    let ids = clients.iter().map(|client| client.id().to_string());
    let mut names: BTreeSet<_> = ids.collect();
    names.extend(["a".to_owned(), "b".to_owned()]);
    for ours in cluster.iter().filter_map(Server::as_ours) {
        let local = ours.tap.line("/").local.clone();
        for (selection, expected) in [
            (all(), 3),
            (to(&["a"]), 2),
            (all().except(["b"]), 2),
            (to(&["c"]), 0),
        ] {
            let mut count = local.sockets(&selection).len();
            for answer in ours.question(&selection, Question::Count).await {
                match answer {
                    Answer::Counted(sockets) => count += sockets,
                    other => panic!("not a count: {other:?}"),
                }
            }
            assert_eq!(count, expected, "{selection:?}");
        }
        let mut named: BTreeSet<_> = local.rooms().into_iter().collect();
        for answer in ours.question(&all(), Question::Rooms).await {
            match answer {
                Answer::Named(rooms) => named.extend(rooms),
                other => panic!("not rooms: {other:?}"),
            }
        }
        assert_eq!(named, names);
    }
}

async fn tell(cluster: Cluster) {
    for (number, server) in cluster.iter().enumerate() {
        server.tell(number as i64).await;
    }
    for (number, server) in cluster.iter().enumerate() {
        let others: BTreeSet<_> = (0..3).filter(|other| *other != number as i64).collect();
        eventually("all have told", async || {
            let heard = server.heard().await;
            let numbers = heard.iter().map(|value| match value {
                Value::Int(number) => *number,
                other => panic!("not a number: {other:?}"),
            });
            let heard: Vec<_> = numbers.collect();
            assert!(heard.len() <= 2, "each tells each other once: {heard:?}");
            heard.into_iter().collect::<BTreeSet<_>>() == others
        })
        .await;
    }
}

async fn tell_with_ack(cluster: Cluster) {
    for (number, server) in cluster.iter().enumerate() {
        let heard = server.tell_with_ack("how are you?").await;
        assert_eq!(
            (heard.answers.len(), heard.missing),
            (2, 0),
            "server {number}"
        );
        let mut expected = Vec::new();
        for (other, server) in cluster.iter().enumerate() {
            if other != number {
                let word = match server.as_ours() {
                    Some(_) => "from ours",
                    None => "from node",
                };
                expected.push(Value::from(word));
                assert!(server.heard().await.contains(&"how are you?".into()));
            }
        }
        let sorted = |mut values: Vec<Value>| {
            values.sort_by_key(|value| format!("{value:?}"));
            values
        };
        assert_eq!(sorted(heard.answers), sorted(expected));
    }
}
