//! Who hears what.

use super::Case;
use crate::{
    cluster::{Cluster, all, heard_from, to},
    rigs::Need,
};
use rooms_layer::{rooms::Selection, wire::Value};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "rooms span servers, and each socket is reached once",
            union_once,
        ),
        Case::new("rooms and sockets are left out", except),
        Case::new("a socket is reached by its id", own_id),
        Case::new("who sends is left out", sender_left_out),
        Case::new(
            "who has left hears no more, and who is back does",
            leave_and_return,
        ),
        Case::new("rooms may have any name", names),
        Case::new("rooms that look like sockets are rooms", socket_like_names)
            .needs(&[Need::AnyName]),
        Case::new("each recipient hears a publisher in order", order),
        Case::new("dynamic namespaces are apart", namespaces),
    ]
}

/// A client of each server: the first is in `a`, the second in `a` and `b`, the third in `b`.
async fn scene(cluster: &Cluster) -> Vec<crate::client::Client> {
    let mut clients = cluster.client_of_each("/").await;
    for (client, rooms) in clients.iter_mut().zip([&["a"][..], &["a", "b"], &["b"]]) {
        for room in rooms {
            client.join(room).await;
        }
    }
    clients
}

/// Emits from each server in turn, and looks at who hears it.
async fn reaches(
    cluster: &Cluster,
    clients: &mut [crate::client::Client],
    cases: Vec<(&str, Selection, [bool; 3])>,
) {
    for (number, server) in cluster.iter().enumerate() {
        for (name, to, expected) in &cases {
            server.emit(to, *name).await;
            let heard = heard_from(server, clients).await;
            let once = |hears: &bool| vec![Value::from(*name); usize::from(*hears)];
            let expected: Vec<_> = expected.iter().map(once).collect();
            assert_eq!(heard, expected, "{name}, from server {number}");
        }
    }
}

async fn union_once(cluster: Cluster) {
    let mut clients = scene(&cluster).await;
    let cases = vec![
        ("everybody", all(), [true, true, true]),
        ("a room", to(&["a"]), [true, true, false]),
        ("another room", to(&["b"]), [false, true, true]),
        ("two rooms", to(&["a", "b"]), [true, true, true]),
        ("a room twice", to(&["a", "a"]), [true, true, false]),
        ("nobody's room", to(&["c"]), [false, false, false]),
        ("a room and nobody's", to(&["c", "b"]), [false, true, true]),
    ];
    reaches(&cluster, &mut clients, cases).await;
}

async fn except(cluster: Cluster) {
    let mut clients = scene(&cluster).await;
    let ids: Vec<_> = clients
        .iter()
        .map(|client| client.id().to_string())
        .collect();
    let cases = vec![
        ("all but a room", all().except(["a"]), [false, false, true]),
        (
            "all but two",
            all().except(["a", "b"]),
            [false, false, false],
        ),
        ("a but b", to(&["a"]).except(["b"]), [true, false, false]),
        (
            "a and b but a",
            to(&["a", "b"]).except(["a"]),
            [false, false, true],
        ),
        (
            "all but the first",
            all().except([&*ids[0]]),
            [false, true, true],
        ),
        (
            "a but the second",
            to(&["a"]).except([&*ids[1]]),
            [true, false, false],
        ),
        ("all but nobody's", all().except(["c"]), [true, true, true]),
    ];
    reaches(&cluster, &mut clients, cases).await;
}

async fn own_id(cluster: Cluster) {
    let mut clients = scene(&cluster).await;
    let ids: Vec<_> = clients
        .iter()
        .map(|client| client.id().to_string())
        .collect();
    let cases = vec![
        ("the first", to(&[&ids[0]]), [true, false, false]),
        ("the last", to(&[&ids[2]]), [false, false, true]),
        ("two of them", to(&[&ids[0], &ids[2]]), [true, false, true]),
        ("one and its room", to(&[&ids[1], "a"]), [true, true, false]),
        (
            "an id of nobody",
            to(&["AAAAAAAAAAAAAAAAAAAA"]),
            [false, false, false],
        ),
    ];
    reaches(&cluster, &mut clients, cases).await;
}

async fn sender_left_out(cluster: Cluster) {
    let mut clients = scene(&cluster).await;
    for sender in 0..clients.len() {
        let is_in_a = sender < 2;
        clients[sender].tell(None, &[], "all".into()).await;
        clients[sender].tell(Some(&["a"]), &[], "a".into()).await;
        clients[sender]
            .tell(Some(&["a", "b"]), &["b"], "a, not b".into())
            .await;
        let heard = heard_from(&cluster[sender], &mut clients).await;
        for (number, heard) in heard.into_iter().enumerate() {
            let mut expected = vec![Value::from("all"), "a".into(), "a, not b".into()];
            if number > 0 {
                expected.pop();
            }
            if number == 2 {
                expected.pop();
            }
            if number == sender {
                expected.clear();
            }
            assert_eq!(heard, expected, "{sender} tells {number} (in a: {is_in_a})");
        }
    }
}

async fn leave_and_return(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    // As fast as it goes, so that whoever follows these changes may fall behind and has to catch up.
    for _ in 0..20 {
        clients[2].join("door").await;
        clients[2].leave("door").await;
    }
    for round in 0..3 {
        for server in cluster.iter() {
            server.emit(&to(&["door"]), "outside").await;
            let heard = heard_from(server, &mut clients).await;
            assert_eq!(heard, vec![Vec::new(); 3], "round {round}");
        }
        clients[2].join("door").await;
        for server in cluster.iter() {
            server.emit(&to(&["door"]), "inside").await;
            let heard = heard_from(server, &mut clients).await;
            assert_eq!(heard[2], [Value::from("inside")], "round {round}");
        }
        clients[2].leave("door").await;
    }
}

async fn names(cluster: Cluster) {
    // 1,000 bytes, of the 1,024 that a server takes by default.
    let long = "long ".repeat(200);
    let names = [
        "with space",
        "a.b",
        "a.*",
        "*",
        ">",
        "a.>",
        "#",
        "a#b",
        "/",
        "ü€😀",
        "\"{}\\",
        "$JS.x",
        "%41",
        "=41",
        "a\nb",
        "[x]?",
        "{tag}",
        "-",
        &long,
    ];
    let mut clients = cluster.client_of_each("/").await;
    for name in names {
        clients[2].join(name).await;
        for name in names.iter().filter(|other| **other != name) {
            cluster[0].emit(&to(&[name]), *name).await;
        }
        cluster[0].emit(&to(&[name]), "mine").await;
        cluster[1].emit(&to(&[name, "other"]), "mine too").await;
        let heard = heard_from(&cluster[0], &mut clients).await;
        let of_second = heard_from(&cluster[1], &mut clients).await;
        let mut heard = [heard, of_second].concat();
        let mut third = heard.remove(2);
        third.extend(heard.remove(4));
        // Two publishers, in either order.
        third.sort_by_key(|value| value.as_str().map(str::len));
        assert_eq!(third, [Value::from("mine"), "mine too".into()], "{name:?}");
        clients[2].leave(name).await;
    }
}

async fn socket_like_names(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    let name = "project_0123456789ab";
    assert_eq!(name.len(), 20, "as long as an id");
    clients[1].join(name).await;
    clients[2].join(name).await;
    let cases = vec![
        ("the room", to(&[name]), [false, true, true]),
        (
            "all but the room",
            all().except([name]),
            [true, false, false],
        ),
    ];
    reaches(&cluster, &mut clients, cases).await;
}

async fn order(cluster: Cluster) {
    const COUNT: i64 = 500;
    let mut clients = scene(&cluster).await;
    let listener = clients[1].id().to_string();
    let ways = [
        to(&["a"]),
        all(),
        to(&["b"]),
        to(&["a", "b"]),
        to(&[&listener]),
    ];
    for (number, server) in cluster.iter().enumerate() {
        // As fast as it goes, so that whoever reads several sources has much to read of each.
        for count in 0..COUNT {
            let to = &ways[count as usize % ways.len()];
            server.emit_at_once(to, vec![Value::from(number as i64), count.into()]);
        }
    }
    let mut heard = Vec::new();
    for server in cluster.iter() {
        let mut of_one = heard_from(server, &mut clients[1..2]).await;
        heard.append(&mut of_one[0]);
    }
    for number in 0..3 {
        let expected: Vec<_> = (0..COUNT)
            .map(|count| Value::from(vec![Value::from(number), count.into()]))
            .collect();
        let from_one =
            |value: &&Value| matches!(value, Value::Array(of) if of[0] == Value::from(number));
        let of_one: Vec<_> = heard.iter().filter(from_one).cloned().collect();
        assert_eq!(of_one, expected, "what server {number} said");
    }
}

async fn namespaces(cluster: Cluster) {
    let mut main = cluster.client_of_each("/").await;
    let mut ones = cluster.client_of_each("/space-1").await;
    let mut twos = cluster.client_of_each("/space-2").await;
    for clients in [&mut main, &mut ones, &mut twos] {
        for client in clients {
            client.join("a").await;
        }
    }
    for server in cluster.iter() {
        for namespace in ["/", "/space-1", "/space-2"] {
            server.emit_in(namespace, &to(&["a"]), namespace).await;
            server.emit_in(namespace, &all(), "end").await;
        }
        for (clients, namespace) in [
            (&mut main, "/"),
            (&mut ones, "/space-1"),
            (&mut twos, "/space-2"),
        ] {
            for client in clients {
                assert_eq!(client.heard().await, [Value::from(namespace)]);
            }
        }
    }
    // One that nobody is in any more, and then somebody is again.
    drop(ones);
    let mut ones = cluster.client_of_each("/space-1").await;
    for client in &mut ones {
        client.join("b").await;
    }
    cluster[0].emit_in("/space-1", &to(&["a"]), "gone").await;
    cluster[0].emit_in("/space-1", &to(&["b"]), "here").await;
    cluster[0].emit_in("/space-1", &all(), "end").await;
    for client in &mut ones {
        assert_eq!(client.heard().await, [Value::from("here")]);
    }
}
