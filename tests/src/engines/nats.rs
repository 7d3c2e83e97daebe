//! `nats-server`.

use super::{PATIENCE, Process, answer, await_answer, free_port};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// A server, or one of several that form a cluster; with JetStream.
#[derive(Debug)]
pub struct Nats {
    process: Process,
    port: u16,
    monitor: u16,
}

impl Nats {
    /// Starts one that is alone.
    ///
    /// # Panics
    ///
    /// Panics when it does not start.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one that is alone, with more arguments.
    ///
    /// # Panics
    ///
    /// Panics when it does not start.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let nats = Self::spawn("alone", arguments);
        nats.ready().await;
        nats
    }

    /// Starts several that form a cluster.
    ///
    /// # Panics
    ///
    /// Panics when they do not start.
    pub async fn start_cluster(count: usize) -> Vec<Self> {
        let routes: Vec<_> = (0..count).map(|_| free_port()).collect();
        let urls: Vec<_> = routes.iter().map(|port| url(*port)).collect();
        let urls = urls.join(",");
        let members = routes.iter().enumerate().map(|(index, port)| {
            let listen = url(*port);
            let name = format!("member-{index}");
            let arguments = [
                "--cluster",
                &listen,
                "--cluster_name",
                "tests",
                "--routes",
                &urls,
            ];
            Self::spawn(&name, &arguments)
        });
        let members: Vec<_> = members.collect();
        for member in &members {
            member.ready().await;
            member.has_leader(count).await;
        }
        members
    }

    /// Waits until the cluster has all its members and somebody who decides.
    async fn has_leader(&self, count: usize) {
        let begun = Instant::now();
        loop {
            let said = self.monitor("/jsz").await.unwrap_or_default();
            let is_whole = said.contains(&format!(r#""cluster_size": {count}"#));
            if is_whole && said.contains(r#""leader": "member"#) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "no leader: {said}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn spawn(name: &str, arguments: &[&str]) -> Self {
        let (port, monitor) = (free_port(), free_port());
        let process = Process::start("nats-server", |folder| {
            let (port, monitor) = (port.to_string(), monitor.to_string());
            let ours = [
                "--addr",
                "127.0.0.1",
                "--port",
                &port,
                "--http_port",
                &monitor,
            ];
            let stored = ["--jetstream", "--store_dir", folder, "--name", name];
            let all = ours.iter().chain(&stored).chain(arguments);
            all.map(|argument| (*argument).to_owned()).collect()
        });
        Self {
            process,
            port,
            monitor,
        }
    }

    /// Waits until it can do what it is there for, JetStream included.
    ///
    /// # Panics
    ///
    /// Panics when it can't for long.
    pub async fn ready(&self) {
        let monitor = local(self.monitor);
        let request = "GET /healthz HTTP/1.0\r\n\r\n";
        if let Err(error) = await_answer(monitor, request, r#"{"status":"ok"}"#).await {
            panic!("{error}\n{}", self.process.said());
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        local(self.port)
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        url(self.port)
    }

    /// What its monitoring says at this path.
    ///
    /// # Errors
    ///
    /// Fails when it does not answer.
    pub async fn monitor(&self, path: &str) -> Result<String, String> {
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        // What is nested is indented.
        answer(local(self.monitor), request.as_bytes(), "\n}").await
    }

    /// How many bytes of messages it has sent to clients.
    ///
    /// # Panics
    ///
    /// Panics when it does not tell.
    pub async fn sent(&self) -> u64 {
        let told = self.monitor("/varz").await;
        let told = told.unwrap_or_else(|error| panic!("{error}"));
        let sent = told.split_once(r#""out_bytes": "#);
        let digits = sent.and_then(|(_, sent)| sent.split(',').next());
        digits
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or_else(|| panic!("it does not tell: {told}"))
    }

    /// The program.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn url(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}
