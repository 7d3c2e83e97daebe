//! The board on two servers: each with its own sockets, joined by Redis, behind one address.
//!
//! This is all that a cluster takes. Contract and handlers are those of a server that is alone, and none of them knows.
//!
//! The servers share their tasks as they would share a database. To keep the example small, they do it by living in one
//! process; the sockets of the one are nothing that the other could reach but through Redis.

mod proxy;
mod redis;

use self::{proxy::Proxy, redis::RedisServer};
use crate::{AppState, app_with, people::Server};
use axum::Router;
use rooms_layer::{RecoveryConfig, RoomsLayer};
use rooms_redis::{Redis, Streams};
use std::{error::Error, net::Ipv4Addr};
use tokio::{net::TcpListener, task::JoinSet};

/// Two servers and their Redis. They end when this is dropped.
pub struct Cluster {
    _servers: JoinSet<std::io::Result<()>>,
    _redis: RedisServer,
}

impl Cluster {
    /// Starts all of it, and returns what is to be served at the one address: a proxy in front of the servers.
    ///
    /// # Errors
    ///
    /// Fails when `redis-server` is not installed or does not start, and when no port is free.
    pub async fn start() -> Result<(Self, Router), Box<dyn Error>> {
        let redis = RedisServer::start().await?;
        let state = AppState::with_samples();
        let mut servers = JoinSet::new();
        let mut addresses = Vec::new();
        for number in 1..=2 {
            // Of the three adapters for Redis the one with one order for all: a window that comes back, to whichever
            // server, gets the changes that it missed and needs not load the board anew.
            let adapter = Streams::connect(Redis::standalone(&redis.url())?).await?;
            let rooms = RoomsLayer::with_adapter(adapter).recovery(RecoveryConfig::default());
            let server = Server(Some(number));
            let app = app_with(
                rooms,
                AppState {
                    server,
                    ..state.clone()
                },
            );

            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            addresses.push(listener.local_addr()?);
            servers.spawn(axum::serve(listener, app).into_future());
        }
        let cluster = Self {
            _servers: servers,
            _redis: redis,
        };
        Ok((cluster, Proxy::new(addresses).routes()))
    }
}
