//! A way to a server that can be cut: what a network does to a connection, without a goodbye.

use std::net::SocketAddr;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    task::JoinSet,
};

/// Ends, with all that leads through it, with this value.
pub(crate) struct Proxy {
    address: SocketAddr,
    cut: watch::Sender<()>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let (cut, _) = watch::channel(());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, server, cut.clone()));
        Self {
            address,
            cut,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts the connections that there are. New ones come through.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(());
    }
}

async fn serve(listener: TcpListener, server: SocketAddr, cut: watch::Sender<()>) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        let mut cut = cut.subscribe();
        connections.spawn(async move {
            let Ok(mut far) = TcpStream::connect(server).await else {
                return;
            };
            select! {
                // A side that breaks is what this is for.
                _ = copy_bidirectional(&mut near, &mut far) => (),
                _ = cut.changed() => (),
            }
        });
    }
}
