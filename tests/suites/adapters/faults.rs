//! What happens when the engine or the network fails: the rows of the second table.
//!
//! Everywhere the same is asked: sockets of one server reach each other, questions end at their deadline with what has arrived, the
//! adapter says how it is, and everything goes on by itself.
//!
//! ```sh
//! ROOMS_OUTAGE=60 cargo test -p rooms-tests --test adapters -- faults # the same, each outage a minute longer
//! ```

use crate::{
    cases::Case,
    client::{Client, PATIENCE},
    cluster::{Cluster, eventually, to},
    rigs::Need,
    server::{Ours, Server},
};
use rooms_layer::{
    Adapter,
    rooms::adapter::{Answer, Health, Question},
    wire::Value,
};
use rooms_tests::proxy::{Direction, Proxy};
use std::{
    env,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

pub(crate) fn all() -> Vec<Case> {
    vec![
        Case::new("the engine is killed and started again", killed),
        Case::new("the engine stands still and goes on", stands_still),
        Case::new("a server is cut off and comes back", cut_off),
        Case::new("a server is not heard and comes back", |cluster| {
            one_way(cluster, Direction::Up)
        }),
        Case::new("a server hears nothing and comes back", |cluster| {
            one_way(cluster, Direction::Down)
        }),
        Case::new("the network of a server stands still and goes on", stalled),
        Case::new("the network forgets the connections of a server", forgotten),
        Case::new("somebody publishes garbage", garbage),
        Case::new("a server that was cut off misses nothing", kept).needs(&[Need::Recovery]),
        Case::new("clients come back over a restart of the engine", recovery)
            .needs(&[Need::Recovery]),
    ]
}

/// How much longer than it must each outage lasts: not at all, or so many seconds as the environment says.
pub(crate) fn outage() -> Duration {
    let seconds = env::var("ROOMS_OUTAGE").ok();
    let seconds = seconds.map(|text| text.parse().expect("`ROOMS_OUTAGE` is a number of seconds"));
    Duration::from_secs(seconds.unwrap_or(0))
}

/// The outage goes on for a while. Everywhere sockets of one server reach each other.
async fn lasts(cluster: &Cluster, clients: &mut [[Client; 2]]) {
    let ends = Instant::now() + outage();
    while Instant::now() < ends {
        for (server, pair) in cluster.iter().zip(&mut *clients) {
            reach_each_other(server, pair).await;
        }
        sleep(Duration::from_secs(1)).await;
    }
}

fn ours(server: &Server) -> &Ours {
    server.as_ours().expect("only ours are looked at")
}

/// Waits until the adapter says that it works, or that it does not.
async fn is_up(server: &Server, up: bool) {
    let tap = &ours(server).tap;
    let mut health = tap.health();
    while health.is_up() != up {
        let changed = timeout(PATIENCE, tap.health_changed(health.clone())).await;
        health = changed.unwrap_or_else(|_| panic!("the adapter stays {health}"));
    }
    assert_ne!(health, Health::Closed);
}

/// Two clients of each server, all in room `a`.
async fn clients(cluster: &Cluster) -> Vec<[Client; 2]> {
    let mut clients = Vec::new();
    for server in cluster.iter() {
        let mut pair = [server.client("/").await, server.client("/").await];
        for client in &mut pair {
            client.join("a").await;
        }
        clients.push(pair);
    }
    // Some engines tell how many servers there are when they are asked something, and not before.
    for server in cluster.iter() {
        all_answer(server).await;
    }
    // On a busy machine an adapter may have taken a pause for a fault. What is down already would not be seen to go down.
    for server in cluster.iter() {
        is_up(server, true).await;
    }
    clients
}

/// Waits until both other servers answer.
async fn all_answer(server: &Server) {
    eventually("all servers answer", async || {
        let answers = ours(server)
            .question_for(&to(&["a"]), Question::Count, Duration::from_secs(1))
            .await;
        matches!(answers[..], [Answer::Counted(2), Answer::Counted(2)])
    })
    .await;
}

/// The sockets of a server reach each other, whatever is with the others.
async fn reach_each_other(server: &Server, pair: &mut [Client; 2]) {
    let text = format!("here {:?}", Instant::now());
    server.emit_here(&to(&["a"]), text.as_str());
    for client in pair {
        hears(client, &text).await;
    }
}

/// Whoever waits until the others are told of something hears that they are not.
async fn is_refused(server: &Server) {
    let told = timeout(PATIENCE, server.try_emit(&to(&["nobody"]), "lost")).await;
    told.expect("it is not waited for long")
        .expect_err("the others can't be told");
}

/// Waits for an event; what comes before it was said when something else was tried.
async fn hears(client: &mut Client, text: &str) {
    while client.event().await.1.first() != Some(&Value::from(text)) {}
}

/// A question ends in time, and says who is missing: `None` where the server knows of nobody.
async fn asks(server: &Server, missing: Option<usize>) {
    let time = Duration::from_secs(1);
    let begun = Instant::now();
    let answers = ours(server)
        .question_for(&to(&["a"]), Question::Count, time)
        .await;
    assert!(begun.elapsed() < 2 * time, "a question ends in time");
    let said = answers.iter().find_map(|answer| match answer {
        Answer::Missing(servers) => Some(*servers),
        _ => None,
    });
    assert_eq!(said, missing, "{answers:?}");
}

/// Everybody hears everybody, each once, as if nothing had been.
async fn all_is_well(cluster: &Cluster, clients: &mut [[Client; 2]]) {
    for server in cluster.iter() {
        is_up(server, true).await;
    }
    for (number, server) in cluster.iter().enumerate() {
        all_answer(server).await;
        let text = format!("all is well, says {number}");
        server.emit(&to(&["a"]), text.as_str()).await;
        server.emit(&to(&["a"]), "end").await;
        for client in clients.iter_mut().flatten() {
            hears(client, &text).await;
            assert_eq!(client.heard().await, [], "once");
        }
    }
}

async fn killed(cluster: Cluster) {
    let mut clients = clients(&cluster).await;
    cluster.engine().process().kill();
    for (server, pair) in cluster.iter().zip(&mut clients) {
        is_up(server, false).await;
        reach_each_other(server, pair).await;
        asks(server, Some(2)).await;
        is_refused(server).await;
    }
    lasts(&cluster, &mut clients).await;
    cluster.engine().process().restart();
    all_is_well(&cluster, &mut clients).await;
}

async fn stands_still(cluster: Cluster) {
    let mut clients = clients(&cluster).await;
    cluster.engine().process().stop();
    asks(&cluster[0], Some(2)).await;
    for (server, pair) in cluster.iter().zip(&mut clients) {
        is_up(server, false).await;
        reach_each_other(server, pair).await;
    }
    lasts(&cluster, &mut clients).await;
    cluster.engine().process().resume();
    all_is_well(&cluster, &mut clients).await;
}

async fn cut_off(cluster: Cluster) {
    let mut clients = clients(&cluster).await;
    let network = cluster[2].network.as_ref().expect("there is a network");
    network.refuse();
    is_up(&cluster[2], false).await;
    reach_each_other(&cluster[2], &mut clients[2]).await;
    asks(&cluster[2], Some(2)).await;
    // The others notice nothing but that one is missing.
    cluster[0].emit(&to(&["a"]), "without it").await;
    for client in clients[..2].iter_mut().flatten() {
        hears(client, "without it").await;
    }
    eventually("nobody waits for it any more", async || {
        let question = Question::Count;
        let answers = ours(&cluster[0])
            .question_for(&to(&["a"]), question, Duration::from_secs(1))
            .await;
        matches!(answers[..], [Answer::Counted(2)])
    })
    .await;
    lasts(&cluster, &mut clients).await;
    network.heal();
    all_is_well(&cluster, &mut clients).await;
}

async fn one_way(cluster: Cluster, direction: Direction) {
    unheard(cluster, |network| network.swallow(direction)).await;
}

async fn stalled(cluster: Cluster) {
    unheard(cluster, Proxy::stall).await;
}

/// Nothing is reset, so that only silence tells.
async fn unheard(cluster: Cluster, fault: impl FnOnce(&Proxy)) {
    let mut clients = clients(&cluster).await;
    let network = cluster[2].network.as_ref().expect("there is a network");
    fault(network);
    is_up(&cluster[2], false).await;
    reach_each_other(&cluster[2], &mut clients[2]).await;
    cluster[0].emit(&to(&["a"]), "without it").await;
    for client in clients[..2].iter_mut().flatten() {
        hears(client, "without it").await;
    }
    lasts(&cluster, &mut clients).await;
    network.heal();
    all_is_well(&cluster, &mut clients).await;
}

/// New connections work from the start, and the old ones end when all is over, so that engines stop counting them.
async fn forgotten(cluster: Cluster) {
    let mut clients = clients(&cluster).await;
    let network = cluster[2].network.as_ref().expect("there is a network");
    network.forget();
    is_up(&cluster[2], false).await;
    reach_each_other(&cluster[2], &mut clients[2]).await;
    let [client, _] = &mut clients[2];
    eventually("it hears the others again", async || {
        cluster[0].emit(&to(&["a"]), "again").await;
        timeout(Duration::from_millis(100), hears(client, "again"))
            .await
            .is_ok()
    })
    .await;
    network.reset();
    all_is_well(&cluster, &mut clients).await;
}

async fn garbage(cluster: Cluster) {
    let mut clients = clients(&cluster).await;
    let deep = [
        &b"\x99\x01\x03\xa1x\x01\xa1/\xc0\x90\xc2"[..],
        &[0x91; 100_000],
    ]
    .concat();
    let pieces: [&[u8]; 15] = [
        b"",
        b"{",
        b"\xc1",
        &[0xff; 1_000],
        b"\xdd\xff\xff\xff\xff",
        b"\x98\x01\x07\xa1x\x01\x00\xc3\x00\xdd\xff\xff\xff\xff",
        b"{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[[[]]]}}}",
        b"\x93\xa1x\x82\xa4type\x02\xa4data\x92\xa1e\x01\x80",
        b"{}",
        b"{\"type\":3}",
        b"{\"type\":7}",
        b"{\"type\":-1,\"nsp\":\"/\"}",
        b"{\"type\":5,\"requestId\":\"x\",\"opts\":{\"rooms\":7}}",
        b"{\"requestId\":\"x\",\"sockets\":3}",
        &deep,
    ];
    for piece in pieces {
        cluster.engine().forge(&cluster.name, piece).await;
    }
    all_is_well(&cluster, &mut clients).await;
}

/// What is recorded is read when the way is there again.
async fn kept(cluster: Cluster) {
    let mut clients = clients(&cluster).await;
    let network = cluster[2].network.as_ref().expect("there is a network");
    network.refuse();
    is_up(&cluster[2], false).await;
    for number in 0..50_i64 {
        cluster[0].emit(&to(&["a"]), number).await;
    }
    cluster[0].emit(&to(&["a"]), "end").await;
    lasts(&cluster, &mut clients).await;
    network.heal();
    let all: Vec<_> = (0..50_i64).map(Value::from).collect();
    for client in &mut clients[2] {
        assert_eq!(client.heard().await, all);
    }
}

async fn recovery(cluster: Cluster) {
    let mut client = cluster[0].client("/").await;
    client.join("a").await;
    cluster[1].emit(&to(&["a"]), "end").await;
    assert_eq!(client.heard().await, []);
    let (id, ticket) = (client.id().clone(), client.ticket());
    drop(client);
    cluster[1].emit(&to(&["a"]), "before").await;
    // In order, so that everything is on its disk.
    cluster.engine().process().terminate();
    is_up(&cluster[1], false).await;
    sleep(outage()).await;
    cluster.engine().process().restart();
    cluster.engine().ready().await;
    for server in cluster.iter() {
        is_up(server, true).await;
    }
    cluster[2].emit(&to(&["a"]), "after").await;
    cluster[2].emit(&to(&["a"]), "end").await;
    let mut client = ours(&cluster[1]).client("/", Some(&ticket)).await;
    assert_eq!(client.id(), &id);
    assert_eq!(
        client.heard().await,
        [Value::from("before"), "after".into()]
    );
}
