use super::{
    nats::Nats,
    redis::{Cluster, Redis, Sentinel},
};
use std::time::Duration;
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

#[tokio::test]
async fn a_program_ends_with_its_handle_and_can_be_started_again_where_it_was() {
    let nats = Nats::start().await;
    let address = nats.address();
    let greets = async || {
        let mut stream = TcpStream::connect(address).await?;
        let mut greeting = [0; 5];
        stream.read_exact(&mut greeting).await?;
        Ok::<_, std::io::Error>(greeting)
    };
    assert_eq!(&greets().await.expect("it listens"), b"INFO ");
    nats.process().kill();
    greets().await.expect_err("it is gone");
    nats.process().restart();
    nats.ready().await;
    greets().await.expect("it is back");

    nats.process().stop();
    let silent = timeout(Duration::from_millis(50), greets()).await;
    silent.expect_err("it stands still");
    nats.process().resume();
    greets().await.expect("it goes on");

    drop(nats);
    greets().await.expect_err("it is gone");
}

#[tokio::test]
async fn several_nats_servers_form_a_cluster() {
    let members = Nats::start_cluster(3).await;
    for member in &members {
        let said = member.monitor("/jsz").await.expect("it monitors");
        assert!(said.contains(r#""cluster_size": 3"#), "{said}");
    }
}

#[tokio::test]
async fn redis_keeps_what_it_is_told_to_keep() {
    let always = ["--appendonly", "yes", "--appendfsync", "always"];
    let cases: [(&[&str], &str); 2] = [(&[], "$-1"), (&always, "$1")];
    for (arguments, kept) in cases {
        let redis = Redis::start_with(arguments).await;
        assert_eq!(redis.ask("SET key 1").await, "+OK\r\n");
        redis.process().restart();
        redis.ready().await;
        let answer = redis.ask("GET key").await;
        assert!(answer.starts_with(kept), "{arguments:?}: {answer}");
    }
}

#[tokio::test]
async fn a_replica_takes_over_from_a_master_that_is_gone() {
    let sentinel = Sentinel::start().await;
    let replica = sentinel.servers[1].port();
    sentinel.servers[0].process().kill();
    let address = format!("address=127.0.0.1:{replica}");
    super::redis::until(&sentinel.watchers[0], "INFO sentinel", &address).await;
    super::redis::until(&sentinel.servers[1], "INFO replication", "role:master").await;
}

#[tokio::test]
async fn six_redis_servers_form_a_cluster() {
    let cluster = Cluster::start().await;
    let masters = async || {
        let mut masters = 0;
        for server in &cluster.servers {
            masters += usize::from(server.ask("ROLE").await.contains("master"));
        }
        masters
    };
    assert_eq!(masters().await, 3);
}
