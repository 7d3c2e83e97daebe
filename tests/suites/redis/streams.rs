//! What only a stream can: nothing is lost while a server is away.

use crate::{Mode, Over, Said, Server, hears, url};
use rooms_layer::{prelude::*, rooms::adapter::Health};
use rooms_redis::Redis;
use rooms_tests::{engines, proxy::Proxy};
use std::time::Duration;

fn redis(url: &str) -> Redis {
    let redis = Redis::standalone(url).expect("a URL");
    redis.timeout(Duration::from_millis(500))
}

#[tokio::test]
async fn a_server_that_was_cut_off_reads_on_where_it_was() {
    let engine = engines::redis::Redis::start().await;
    let network = Proxy::start(engine.address()).await;
    let first = Server::start(Mode::Streams, redis(&engine.url())).await;
    let second = Server::start(Mode::Streams, redis(&url(network.address()))).await;
    let mut client = second.client_in("room").await;
    hears(&first.io(), "room", &mut client).await;

    network.refuse();
    network.reset();
    second
        .is(|health| matches!(health, Health::Down { .. }))
        .await;
    for number in 1..=500 {
        let sent = first.io().to(DynRoom("room".to_owned())).emit(Said(number));
        sent.expect("it is emitted").await.expect("Redis has it");
    }
    first
        .io()
        .emit(Over)
        .expect("it is emitted")
        .await
        .expect("Redis has it");
    network.heal();
    second.is(Health::is_up).await;
    let mut next = 1;
    while next <= 500 {
        match client.until::<Said>().await {
            // Of the warming up.
            Said(0) => {}
            Said(number) => {
                assert_eq!(number, next, "in order, nothing lost and nothing twice");
                next += 1;
            }
        }
    }
    client.expect::<Over>().await;
}

#[tokio::test]
async fn a_server_that_missed_more_than_is_kept_goes_on() {
    let engine = engines::redis::Redis::start().await;
    let network = Proxy::start(engine.address()).await;
    let first = Server::start(Mode::Streams, redis(&engine.url())).await;
    let second = Server::start(Mode::Streams, redis(&url(network.address()))).await;
    let mut client = second.client_in("room").await;
    hears(&first.io(), "room", &mut client).await;
    network.refuse();
    network.reset();
    second
        .is(|health| matches!(health, Health::Down { .. }))
        .await;
    for number in 1..=10 {
        let sent = first.io().to(DynRoom("room".to_owned())).emit(Said(number));
        sent.expect("it is emitted").await.expect("Redis has it");
    }
    engine.ask("XTRIM socket.io MAXLEN 3").await;
    network.heal();
    second.is(Health::is_up).await;
    for number in 8..=10 {
        let heard = loop {
            match client.until::<Said>().await {
                // Of the warming up.
                Said(0) => {}
                Said(number) => break number,
            }
        };
        assert_eq!(heard, number, "what is still there");
    }
    hears(&first.io(), "room", &mut client).await;
}
