//! `redis-server`: alone, watched by Sentinels, and as a cluster.

use super::{PATIENCE, Process, await_answer, free_port};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// One `redis-server`.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
}

impl Redis {
    /// Starts one that keeps nothing on disk.
    ///
    /// # Panics
    ///
    /// Panics when it does not start.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with more arguments, such as `--appendonly yes`.
    ///
    /// # Panics
    ///
    /// Panics when it does not start.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let redis = Self::spawn(arguments);
        redis.ready().await;
        redis
    }

    fn spawn(arguments: &[&str]) -> Self {
        let port = free_port();
        let process = Process::start("redis-server", |folder| {
            let port = port.to_string();
            let ours = ["--port", &port, "--bind", "127.0.0.1", "--dir", folder];
            let no_disk = ["--save", "", "--appendonly", "no"];
            let all = ours.iter().chain(&no_disk).chain(arguments);
            all.map(|argument| (*argument).to_owned()).collect()
        });
        Self { process, port }
    }

    /// Waits until it answers.
    ///
    /// # Panics
    ///
    /// Panics when it does not for long.
    pub async fn ready(&self) {
        let begun = Instant::now();
        loop {
            match await_answer(self.address(), "PING\r\n", "\r\n").await {
                Ok(answer) if answer == "+PONG\r\n" => return,
                // It reads what is on its disk.
                Ok(_) if begun.elapsed() < PATIENCE => sleep(Duration::from_millis(10)).await,
                Ok(said) | Err(said) => panic!("{said}\n{}", self.process.said()),
            }
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address as a URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The program.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// How many bytes it has sent to clients, the earlier answers to this question among them.
    ///
    /// # Panics
    ///
    /// Panics when it does not tell.
    pub async fn sent(&self) -> u64 {
        let told = await_answer(self.address(), "INFO stats\r\n", "\r\n\r\n").await;
        let told = told.unwrap_or_else(|error| panic!("{error}"));
        let mut lines = told.lines();
        let sent = lines.find_map(|line| line.strip_prefix("total_net_output_bytes:"));
        sent.and_then(|bytes| bytes.parse().ok())
            .unwrap_or_else(|| panic!("it does not tell: {told}"))
    }

    /// Sends one command as text, and returns the answer of one line.
    ///
    /// # Panics
    ///
    /// Panics when it does not answer.
    pub async fn ask(&self, command: &str) -> String {
        let answer = await_answer(self.address(), &format!("{command}\r\n"), "\r\n").await;
        answer.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Sends one command with arguments of any bytes, and returns the answer of one line.
    ///
    /// # Panics
    ///
    /// Panics when it does not answer.
    pub async fn command(&self, arguments: &[&[u8]]) -> String {
        let mut command = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments {
            command.extend(format!("${}\r\n", argument.len()).into_bytes());
            command.extend([argument, &b"\r\n"[..]].concat());
        }
        let answer = await_answer(self.address(), command, "\r\n").await;
        answer.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A master with a replica, and the Sentinels that make the replica master when it is gone.
#[derive(Debug)]
pub struct Sentinel {
    /// The master first.
    pub servers: Vec<Redis>,
    /// Those who watch.
    pub watchers: Vec<Redis>,
}

impl Sentinel {
    /// The name of the master.
    pub const MASTER: &str = "tests";

    /// Starts all, and waits until the replica has caught up and the Sentinels know of it and of each other.
    ///
    /// # Panics
    ///
    /// Panics when they do not start.
    pub async fn start() -> Self {
        let master = Redis::start().await;
        let port = master.port.to_string();
        let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &port]).await;
        let mut watchers = Vec::new();
        for _ in 0..3 {
            watchers.push(Self::watch(master.port).await);
        }
        until(&replica, "INFO replication", "master_link_status:up").await;
        for watcher in &watchers {
            let (name, known) = (Self::MASTER, "name=tests,status=ok");
            until(
                watcher,
                "INFO sentinel",
                &format!("{known},address=127.0.0.1:{port},slaves=1,sentinels=3"),
            )
            .await;
            until(watcher, &format!("SENTINEL CKQUORUM {name}"), "+OK").await;
        }
        Self {
            servers: vec![master, replica],
            watchers,
        }
    }

    async fn watch(master: u16) -> Redis {
        let port = free_port();
        let process = Process::start("redis-server", |folder| {
            // It writes to its configuration what it learns.
            let file = format!("{folder}/sentinel.conf");
            let name = Self::MASTER;
            let text = format!(
                "port {port}\nbind 127.0.0.1\ndir {folder}\n\
                 sentinel monitor {name} 127.0.0.1 {master} 2\n\
                 sentinel down-after-milliseconds {name} 1000\n\
                 sentinel failover-timeout {name} 5000\n"
            );
            fs::write(&file, text).expect("a file in a folder of ours");
            vec![file, "--sentinel".to_owned()]
        });
        let watcher = Redis { process, port };
        watcher.ready().await;
        watcher
    }
}

/// Three masters, each with a replica.
#[derive(Debug)]
pub struct Cluster {
    /// The masters first.
    pub servers: Vec<Redis>,
}

impl Cluster {
    /// Starts all six, and waits until each says that the cluster is whole.
    ///
    /// # Panics
    ///
    /// Panics when they do not start.
    pub async fn start() -> Self {
        let mut servers = Vec::new();
        for _ in 0..6 {
            let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
            servers.push(Redis::start_with(&arguments).await);
        }
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]);
        create.args(
            servers
                .iter()
                .map(|server| format!("127.0.0.1:{}", server.port)),
        );
        create.args(["--cluster-replicas", "1", "--cluster-yes"]);
        let created = tokio::task::spawn_blocking(move || create.output()).await;
        let created = created.expect("it does not panic");
        let created = created.expect("redis-cli is missing: run tests/setup.sh");
        let said = String::from_utf8_lossy(&created.stdout).into_owned();
        assert!(created.status.success(), "no cluster: {said}");
        for server in &servers {
            until(server, "CLUSTER INFO", "cluster_state:ok").await;
        }
        for replica in &servers[3..] {
            until(replica, "INFO replication", "master_link_status:up").await;
        }
        Self { servers }
    }
}

/// Asks until the answer has `text` in it.
///
/// # Panics
///
/// Panics when it does not for long.
pub async fn until(redis: &Redis, question: &str, text: &str) {
    let ends = std::time::Instant::now() + super::PATIENCE;
    loop {
        // All that is behind the question is answered when the last answer is there.
        let ask = format!("{question}\r\nPING\r\n");
        let answer = await_answer(redis.address(), &ask, "+PONG\r\n").await;
        let answer = answer.unwrap_or_else(|error| panic!("{error}"));
        if answer.contains(text) {
            return;
        }
        assert!(std::time::Instant::now() < ends, "no `{text}` in {answer}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
