use super::{Direction, Proxy};
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

/// Long enough for what comes to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough to see that what must not come does not: what passes passes in microseconds.
const MOMENT: Duration = Duration::from_millis(50);

/// Both ends of a connection through a proxy.
async fn connected() -> (Proxy, TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).await;
    let (client, server) = connect(&proxy, &listener).await;
    (proxy, listener, client, server)
}

async fn connect(proxy: &Proxy, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server)
}

/// Sends text and checks that it arrives.
async fn passes(from: &mut TcpStream, to: &mut TcpStream, text: &str) {
    from.write_all(text.as_bytes()).await.unwrap();
    arrives(to, text).await;
}

async fn arrives(to: &mut TcpStream, text: &str) {
    let mut arrived = vec![0; text.len()];
    let read = timeout(PATIENCE, to.read_exact(&mut arrived)).await;
    read.expect("it arrives").unwrap();
    assert_eq!(arrived, text.as_bytes());
}

/// Checks that nothing arrives.
async fn nothing_arrives(to: &mut TcpStream) {
    let read = timeout(MOMENT, to.read(&mut [0; 16])).await;
    assert!(read.is_err(), "something arrived: {read:?}");
}

async fn is_reset(stream: &mut TcpStream) {
    let read = timeout(PATIENCE, stream.read(&mut [0; 16])).await;
    let error = read.expect("the end comes").expect_err("not a goodbye");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn without_faults_everything_passes_and_goodbyes_too() {
    let (_proxy, _listener, mut client, mut server) = connected().await;
    passes(&mut client, &mut server, "there").await;
    passes(&mut server, &mut client, "and back").await;
    client.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0; 16]).await.unwrap(), 0, "a goodbye");
    passes(&mut server, &mut client, "still back").await;
    drop(server);
    assert_eq!(client.read(&mut [0; 16]).await.unwrap(), 0, "a goodbye");
}

#[tokio::test]
async fn a_delay_holds_back_and_keeps_the_order() {
    let (proxy, _listener, mut client, mut server) = connected().await;
    proxy.delay(Duration::from_millis(30));
    let begun = Instant::now();
    passes(&mut client, &mut server, "one").await;
    passes(&mut client, &mut server, "two").await;
    assert!(begun.elapsed() >= Duration::from_millis(60), "two delays");
}

#[tokio::test]
async fn a_stall_holds_everything_back_and_loses_nothing() {
    let (proxy, _listener, mut client, mut server) = connected().await;
    passes(&mut client, &mut server, "before").await;
    proxy.stall();
    client.write_all(b"up").await.unwrap();
    server.write_all(b"down").await.unwrap();
    nothing_arrives(&mut server).await;
    nothing_arrives(&mut client).await;
    proxy.heal();
    arrives(&mut server, "up").await;
    arrives(&mut client, "down").await;
}

#[tokio::test]
async fn one_direction_can_be_lost_while_the_other_works() {
    let cases = [(Direction::Up, "up"), (Direction::Down, "down")];
    for (direction, name) in cases {
        let (proxy, listener, mut client, mut server) = connected().await;
        passes(&mut client, &mut server, "before").await;
        proxy.swallow(direction);
        let (lossy, whole) = match direction {
            Direction::Up => (&mut client, &mut server),
            Direction::Down => (&mut server, &mut client),
        };
        lossy.write_all(b"lost").await.unwrap();
        nothing_arrives(whole).await;
        passes(whole, lossy, name).await;
        proxy.heal();
        is_reset(whole).await;
        is_reset(lossy).await;
        let (mut client, mut server) = connect(&proxy, &listener).await;
        passes(&mut client, &mut server, "a new connection").await;
    }
}

#[tokio::test]
async fn a_reset_ends_the_connections_that_there_are() {
    let (proxy, listener, mut client, mut server) = connected().await;
    passes(&mut client, &mut server, "before").await;
    proxy.reset();
    is_reset(&mut client).await;
    is_reset(&mut server).await;
    let (mut client, mut server) = connect(&proxy, &listener).await;
    passes(&mut client, &mut server, "a new connection").await;
}

#[tokio::test]
async fn what_is_forgotten_carries_nothing_even_when_it_is_healed() {
    let (proxy, listener, mut client, mut server) = connected().await;
    passes(&mut client, &mut server, "before").await;
    proxy.forget();
    client.write_all(b"lost").await.unwrap();
    nothing_arrives(&mut server).await;
    proxy.heal();
    server.write_all(b"lost").await.unwrap();
    nothing_arrives(&mut client).await;
    let (mut other, mut others) = connect(&proxy, &listener).await;
    passes(&mut other, &mut others, "a new connection").await;
    proxy.reset();
    is_reset(&mut client).await;
    is_reset(&mut server).await;
}

#[tokio::test]
async fn a_connection_is_cut_after_so_many_bytes() {
    let (proxy, listener, client, server) = connected().await;
    proxy.cut_after(5);
    for (mut client, mut server) in [(client, server), connect(&proxy, &listener).await] {
        passes(&mut client, &mut server, "123").await;
        client.write_all(b"4567").await.unwrap();
        let mut rest = Vec::new();
        let end = timeout(PATIENCE, server.read_to_end(&mut rest)).await;
        let error = end.expect("the end comes").expect_err("not a goodbye");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        // A reset may overtake bytes that were not read yet; more than the five never come.
        assert!(b"45".starts_with(&rest), "{rest:?}");
        is_reset(&mut client).await;
        proxy.heal();
        proxy.cut_after(5);
    }
}

#[tokio::test]
async fn connections_can_be_refused_until_it_is_healed() {
    let (proxy, listener, mut client, mut server) = connected().await;
    passes(&mut client, &mut server, "before").await;
    proxy.refuse();
    is_reset(&mut client).await;
    let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
    is_reset(&mut refused).await;
    proxy.heal();
    let (mut client, mut server) = connect(&proxy, &listener).await;
    passes(&mut client, &mut server, "again").await;
}
