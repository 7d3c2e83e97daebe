//! Servers that come and go.

use super::Case;
use crate::{
    cluster::{Cluster, all, eventually, to},
    rigs::Need,
    server::{AMPLE, event},
};
use rooms_layer::rooms::adapter::{Answer, Question};
use std::time::{Duration, Instant};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a server that has closed is not waited for", closed),
        Case::new(
            "a server that vanishes is missing, by the deadline",
            vanished,
        )
        .needs(&[Need::Network, Need::Missing]),
    ]
}

async fn closed(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    clients.truncate(2);
    cluster[2].close().await;
    eventually("its sockets are gone", async || {
        cluster[0].fetch(&all()).await.len() == 2
    })
    .await;
    let [first, second] = &mut clients[..] else {
        unreachable!("two clients")
    };
    let begun = Instant::now();
    let everybody = all();
    let asked = cluster[0].ask(&everybody, "who?", AMPLE);
    let (asked, ..) = tokio::join!(asked, first.answer("1"), second.answer("2"));
    assert!(asked.complete);
    let heard = cluster[1].tell_with_ack("who?").await;
    assert_eq!((heard.answers.len(), heard.missing), (1, 0));
    assert!(begun.elapsed() < AMPLE / 2, "nobody was waited for");
}

async fn vanished(cluster: Cluster) {
    let mut clients = cluster.client_of_each("/").await;
    for client in &mut clients {
        client.join("a").await;
    }
    let ours = cluster[0].as_ours().expect("only ours know");
    let network = cluster[2].network.as_ref().expect("there is a network");
    // Neither side learns of it.
    network.stall();

    let time = Duration::from_secs(1);
    let data = event("confirm", &"who?".into());
    let begun = Instant::now();
    let room = to(&["a"]);
    let asked = ours.question_for(&room, Question::Acks(&data), time);
    let (asked, _) = tokio::join!(asked, clients[1].answer("2"));
    assert!(begun.elapsed() < 3 * time, "the deadline is kept");
    let mut acked = 0;
    for answer in &asked {
        acked += usize::from(matches!(answer, Answer::Acked(..)));
    }
    assert_eq!(acked, 1, "what has arrived is had: {asked:?}");
    assert!(
        matches!(asked.last(), Some(Answer::Missing(1))),
        "{asked:?}"
    );

    // It comes back by itself.
    network.heal();
    eventually("the server is back", async || {
        let found = ours.question_for(&room, Question::Sockets, time).await;
        found.len() == 2
            && found
                .iter()
                .all(|answer| matches!(answer, Answer::Found(_)))
    })
    .await;
}
