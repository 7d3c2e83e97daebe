//! What one server does with the sockets of another.

use super::Case;
use crate::cluster::{Cluster, eventually, heard_from, to};
use rooms_layer::wire::Value;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("sockets of other servers join rooms", join),
        Case::new("sockets of other servers leave rooms", leave),
        Case::new("sockets of other servers are disconnected", disconnect),
    ]
}

async fn join(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    clients[1].join("a").await;
    clients[2].join("a").await;
    for (number, server) in cluster.iter().enumerate() {
        let room = format!("joined {number}");
        server.command_join(&to(&["a"]), &room).await;
        eventually("all have joined", async || {
            server.fetch(&to(&[&room])).await.len() == 2
        })
        .await;
        // Servers that subscribe to the rooms they have may take a moment longer, where the engine can't tell them when.
        let (here, there) = (&mut clients[1..2], &cluster[(number + 1) % 3]);
        eventually("it is heard", async || {
            there.emit(&to(&[&room]), "joined").await;
            !heard_from(there, here).await[0].is_empty()
        })
        .await;
        let heard = heard_from(there, &mut clients[..1]).await;
        assert!(heard[0].is_empty(), "who was not selected has not joined");
        for client in &mut clients {
            drain(there, client).await;
        }
    }
}

/// Has a client hear everything until now.
async fn drain(server: &crate::server::Server, client: &mut crate::client::Client) {
    server.emit(&to(&[client.id().as_str()]), "drained").await;
    loop {
        let (_, mut arguments) = client.event().await;
        if arguments.pop() == Some("drained".into()) {
            return;
        }
    }
}

async fn leave(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    for (number, server) in cluster.iter().enumerate() {
        for client in &mut clients {
            client.join("a").await;
            client.join("b").await;
        }
        let chosen = clients[(number + 1) % 3].id().to_string();
        server.command_leave(&to(&[&chosen]), "a").await;
        eventually("it has left", async || {
            server.fetch(&to(&["a"])).await.len() == 2
        })
        .await;
        server.emit(&to(&["a"]), "a").await;
        server.emit(&to(&["b"]), "b").await;
        let heard = heard_from(server, &mut clients).await;
        for (client, heard) in clients.iter().zip(heard) {
            let mut expected = vec![Value::from("a"), "b".into()];
            if client.id().as_str() == chosen {
                expected.remove(0);
            }
            assert_eq!(heard, expected, "told by server {number}");
        }
    }
}

async fn disconnect(cluster: Cluster) {
    for (number, server) in cluster.iter().enumerate() {
        let mut clients = cluster.client_of_each("/").await;
        clients[(number + 1) % 3].join("out").await;
        clients[(number + 2) % 3].join("out").await;
        server.command_disconnect(&to(&["out"])).await;
        let mut stays = clients.swap_remove(number);
        for client in &mut clients {
            client.disconnected().await;
        }
        eventually("nobody is in the room", async || {
            server.fetch(&to(&["out"])).await.is_empty()
        })
        .await;
        let heard = heard_from(server, std::slice::from_mut(&mut stays)).await;
        assert_eq!(heard, [Vec::new()]);
    }
}
