use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::{io, time::Duration};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// How long a server may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until somebody listens.
pub(super) async fn ready(port: u16) {
    let listens = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, listens)
        .await
        .expect("a server starts in time");
}

/// A connection in one namespace. It ends with an error, as connections to killed servers do.
#[derive(Debug)]
pub(super) struct Connection {
    stream: WebSocketStream<TcpStream>,
    /// As it stands before the payload: empty, or with a comma.
    namespace: &'static str,
    next: u64,
}

#[derive(Debug, PartialEq)]
pub(super) enum Packet {
    Tick {
        publisher: String,
        room: String,
        number: u64,
    },
    Ack {
        id: u64,
        yes: bool,
    },
}

impl Connection {
    pub(super) async fn open(port: u16, namespace: &'static str) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let url = format!("ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket");
        let (stream, _) = client_async(url, stream).await.map_err(io::Error::other)?;
        let mut connection = Self {
            stream,
            namespace,
            next: 0,
        };
        connection.text().await?;
        connection.send(format!("40{namespace}")).await?;
        let reply = connection.text().await?;
        match reply.starts_with(&format!("40{namespace}")) {
            true => Ok(connection),
            false => Err(io::Error::other(reply)),
        }
    }

    async fn send(&mut self, packet: String) -> io::Result<()> {
        let sent = self.stream.send(Message::text(packet)).await;
        sent.map_err(io::Error::other)
    }

    /// Sends an event; the number of its acknowledgement.
    pub(super) async fn ask(&mut self, event: &Value) -> io::Result<u64> {
        self.next += 1;
        let (namespace, id) = (self.namespace, self.next);
        self.send(format!("42{namespace}{id}{event}")).await?;
        Ok(id)
    }

    /// The next packet.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped: what is read stays in the stream, but for a ping, which is asked again.
    pub(super) async fn packet(&mut self) -> io::Result<Packet> {
        let text = self.text().await?;
        parse(&text, self.namespace).ok_or_else(|| io::Error::other(text))
    }

    async fn text(&mut self) -> io::Result<String> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => {
                    self.send("3".to_owned()).await?;
                }
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                other => return Err(io::Error::other(format!("{other:?}"))),
            }
        }
    }
}

pub(super) fn parse(packet: &str, namespace: &str) -> Option<Packet> {
    if let Some(event) = packet.strip_prefix("42") {
        let event: Vec<Value> = serde_json::from_str(event).ok()?;
        return Some(Packet::Tick {
            publisher: event.get(1)?.as_str()?.to_owned(),
            room: event.get(2)?.as_str()?.to_owned(),
            number: event.get(3)?.as_u64()?,
        });
    }
    let ack = packet.strip_prefix("43")?.strip_prefix(namespace)?;
    let (id, answer) = ack.split_at(ack.find('[')?);
    Some(Packet::Ack {
        id: id.parse().ok()?,
        yes: answer == "[true]",
    })
}
