//! The ways to Redis and NATS where these are particular about who connects: certificates of an authority of one's own,
//! passwords, tokens.

use rooms_layer::{Adapter, Emitter, prelude::*, test::Client};
use rooms_nats::{ConnectOptions, Nats, NatsConfig};
use rooms_redis::{
    Classic, ClassicConfig, ConnectError, EmitterConfig, Redis, Sharded, ShardedConfig, Streams,
    StreamsConfig, emitter,
};
use rooms_tests::engines::{self, Process, free_port, tls::Authority};
use serde::{Deserialize, Serialize};
use std::{error::Error, fs, path::Path, time::Duration};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Event, Debug, PartialEq, Serialize, Deserialize)]
#[event(name = "said", server, broadcast, to(dynamic))]
struct Said(u32);

/// Whether the client of one server hears the other one, and a process without sockets.
async fn check_joined<A: Adapter>(first: A, second: A, out: Option<Emitter<Main>>) {
    let (first, second) = (
        RoomsLayer::with_adapter(first),
        RoomsLayer::with_adapter(second),
    );
    let mut client = Client::<Main>::connect(&second, ())
        .await
        .expect("it is let in");
    let room = || DynRoom("room".to_owned());
    let joined = client.server_socket().join(room());
    joined.await.expect("the engine is there");
    let sent = first.io::<Main>().to(room()).emit(Said(1));
    sent.expect("it is queued")
        .await
        .expect("the engine has it");
    let heard = timeout(PATIENCE, client.expect::<Said>()).await;
    assert_eq!(heard.expect("in time"), Said(1));
    if let Some(out) = out {
        let sent = out.to(room()).emit(Said(2)).expect("it is queued");
        sent.await.expect("the engine has it");
        let heard = timeout(PATIENCE, client.expect::<Said>()).await;
        assert_eq!(heard.expect("in time"), Said(2));
    }
}

/// An error and what it was caused by, in one line.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A `redis-server` that is encrypted at one port, and for the tests alone not at another.
async fn encrypted_redis(authority: &Authority, more: &[&str]) -> (engines::redis::Redis, u16) {
    let port = free_port();
    let (root, certificate, key) = (authority.root(), authority.certificate(), authority.key());
    let tls_port = port.to_string();
    let mut arguments = vec![
        "--tls-port",
        &tls_port,
        "--tls-ca-cert-file",
        text(&root),
        "--tls-cert-file",
        text(&certificate),
        "--tls-key-file",
        text(&key),
    ];
    arguments.extend(more);
    (engines::redis::Redis::start_with(&arguments).await, port)
}

const NO_CLIENT_CERTIFICATES: [&str; 2] = ["--tls-auth-clients", "no"];

fn encrypted(port: u16) -> Redis {
    let redis = Redis::standalone(&format!("rediss://127.0.0.1:{port}/"));
    redis.expect("a URL")
}

fn trusting(redis: Redis, authority: &Authority) -> Redis {
    let root = fs::read(authority.root()).expect("a file of ours");
    redis.root_certificate(root).expect("a certificate")
}

#[tokio::test]
async fn redis_is_reached_over_tls_in_every_mode_and_by_emitters() {
    let authority = Authority::new();
    let (_engine, port) = encrypted_redis(&authority, &NO_CLIENT_CERTIFICATES).await;
    let redis = || trusting(encrypted(port), &authority);
    let out = async |config: EmitterConfig| {
        let made = emitter::<Main>(redis(), config).await;
        Some(made.expect("Redis is there"))
    };
    let there = "Redis is there";

    let classic = || async { Classic::connect(redis()).await.expect(there) };
    let classics = (classic().await, classic().await);
    check_joined(
        classics.0,
        classics.1,
        out(ClassicConfig::default().into()).await,
    )
    .await;

    let sharded = || async { Sharded::connect(redis()).await.expect(there) };
    let shardeds = (sharded().await, sharded().await);
    check_joined(
        shardeds.0,
        shardeds.1,
        out(ShardedConfig::default().into()).await,
    )
    .await;

    let streams = || async { Streams::connect(redis()).await.expect(there) };
    let streamses = (streams().await, streams().await);
    check_joined(
        streamses.0,
        streamses.1,
        out(StreamsConfig::default().into()).await,
    )
    .await;
}

#[tokio::test]
async fn a_redis_that_nobody_vouches_for_is_not_connected_to() {
    let (known, unknown) = (Authority::new(), Authority::new());
    let (_engine, port) = encrypted_redis(&unknown, &NO_CLIENT_CERTIFICATES).await;
    for redis in [encrypted(port), trusting(encrypted(port), &known)] {
        let error = Classic::connect(redis)
            .await
            .expect_err("it is not trusted");
        let ConnectError::Unreachable { cause } = &error else {
            panic!("{error}");
        };
        assert!(cause.contains("invalid peer certificate"), "{cause}");
    }
}

#[tokio::test]
async fn a_redis_that_asks_for_a_certificate_gets_one() {
    let authority = Authority::new();
    let (_engine, port) = encrypted_redis(&authority, &["--tls-auth-clients", "yes"]).await;
    let redis = || trusting(encrypted(port), &authority);
    let nameless = Classic::connect(redis()).await;
    nameless.expect_err("it shows no certificate");
    let named = || async {
        let read = |path| fs::read(path).expect("a file of ours");
        let (certificate, key) = (read(authority.certificate()), read(authority.key()));
        let redis = redis().client_certificate(certificate, key);
        let connected = Classic::connect(redis.expect("a certificate")).await;
        connected.expect("Redis is there")
    };
    check_joined(named().await, named().await, None).await;
}

#[tokio::test]
async fn the_master_that_sentinels_name_is_reached_over_tls() {
    let authority = Authority::new();
    let (_engine, master) = encrypted_redis(&authority, &NO_CLIENT_CERTIFICATES).await;
    let port = free_port();
    let _sentinel = Process::start("redis-server", |folder| {
        let file = format!("{folder}/sentinel.conf");
        let (root, certificate, key) = (authority.root(), authority.certificate(), authority.key());
        let (root, certificate, key) = (text(&root), text(&certificate), text(&key));
        let lines = format!(
            "port 0\ntls-port {port}\nbind 127.0.0.1\ndir {folder}\ntls-replication yes\n\
             tls-auth-clients no\ntls-ca-cert-file {root}\ntls-cert-file {certificate}\n\
             tls-key-file {key}\nsentinel monitor tests 127.0.0.1 {master} 1\n"
        );
        fs::write(&file, lines).expect("a file of ours");
        vec![file, "--sentinel".to_owned()]
    });
    let connect = || async {
        let url = format!("rediss://127.0.0.1:{port}/");
        let redis = Redis::sentinel([&*url], "tests").expect("a URL");
        let redis = trusting(redis, &authority);
        let connected = async {
            loop {
                // Until the Sentinel has started, and knows that the master is there.
                match Classic::connect(redis.clone()).await {
                    Ok(connected) => return connected,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        timeout(PATIENCE, connected).await.expect("in time")
    };
    check_joined(connect().await, connect().await, None).await;
}

#[tokio::test]
async fn the_nodes_of_a_cluster_are_reached_over_tls() {
    let authority = Authority::new();
    let arguments = ["--cluster-enabled", "yes", "--tls-cluster", "yes"];
    let arguments = [&arguments[..], &NO_CLIENT_CERTIFICATES].concat();
    let (engine, port) = encrypted_redis(&authority, &arguments).await;
    let url = format!("rediss://127.0.0.1:{port}/");
    assert_eq!(engine.ask("CLUSTER ADDSLOTSRANGE 0 16383").await, "+OK\r\n");
    engines::redis::until(&engine, "CLUSTER INFO", "cluster_state:ok").await;
    let redis = || trusting(Redis::cluster([&*url]).expect("a URL"), &authority);
    let there = "the Cluster is there";
    let sharded = || async { Sharded::connect(redis()).await.expect(there) };
    check_joined(sharded().await, sharded().await, None).await;
    let classic = || async { Classic::connect(redis()).await.expect(there) };
    check_joined(classic().await, classic().await, None).await;
}

async fn nats(arguments: &[&str]) -> engines::nats::Nats {
    engines::nats::Nats::start_with(arguments).await
}

async fn connect_to_nats(
    options: ConnectOptions,
    url: &str,
) -> Result<Nats, rooms_nats::ConnectError> {
    let connecting = Nats::connect_with(options, url, NatsConfig::default());
    timeout(PATIENCE, connecting)
        .await
        .expect("an answer in time")
}

#[tokio::test]
async fn nats_is_reached_over_tls() {
    let authority = Authority::new();
    let (root, certificate, key) = (authority.root(), authority.certificate(), authority.key());
    let engine = nats(&[
        "--tlscert",
        text(&certificate),
        "--tlskey",
        text(&key),
        "--tlscacert",
        text(&root),
        // Who connects shows a certificate too.
        "--tlsverify",
    ])
    .await;
    let url = engine.url().replace("nats://", "tls://");
    let options = || {
        let options = ConnectOptions::new().add_root_certificates(authority.root());
        options.add_client_certificate(authority.certificate(), authority.key())
    };
    let connect = || async {
        connect_to_nats(options(), &url)
            .await
            .expect("NATS is there")
    };
    let out = rooms_nats::emitter_with::<Main>(options(), &url, NatsConfig::default()).await;
    check_joined(
        connect().await,
        connect().await,
        Some(out.expect("NATS is there")),
    )
    .await;

    let refused = connect_to_nats(ConnectOptions::new(), &url).await;
    let said = whole(&refused.expect_err("it is not trusted"));
    assert!(said.contains("invalid peer certificate"), "{said}");
}

#[tokio::test]
async fn nats_lets_in_who_knows_the_password_or_the_token() {
    let with_password = nats(&["--user", "ann", "--pass", "secret"]).await;
    let with_token = nats(&["--auth", "secret"]).await;
    let password = |password: &str| {
        ConnectOptions::with_user_and_password("ann".to_owned(), password.to_owned())
    };
    let token = |token: &str| ConnectOptions::with_token(token.to_owned());
    type Options<'a> = &'a dyn Fn(&str) -> ConnectOptions;
    let cases: [(_, Options<'_>); 2] = [(&with_password, &password), (&with_token, &token)];
    for (engine, options) in cases {
        let connect = || async {
            let connected = connect_to_nats(options("secret"), &engine.url()).await;
            connected.expect("it is let in")
        };
        check_joined(connect().await, connect().await, None).await;
        for wrong in [options("wrong"), ConnectOptions::new()] {
            let refused = connect_to_nats(wrong, &engine.url()).await;
            let said = whole(&refused.expect_err("it is not let in"));
            assert!(said.contains("authorization violation"), "{said}");
            assert!(!said.contains("wrong"), "secrets stay out of it: {said}");
        }
    }
}
