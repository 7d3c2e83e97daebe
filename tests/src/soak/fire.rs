use super::{Harm, harm};
use crate::engines::free_port;
use serde::{Deserialize, Serialize};
use std::{path::Path, process::Stdio};
use tokio::process::Command;

/// Stock clients that come back to servers that are harmed: a run of `tests/adapters/node/fire.mjs`.
#[derive(Debug, Clone, Copy)]
pub struct Fire<'a> {
    /// How many servers there are.
    pub servers: usize,
    /// How many clients. Each hears every event.
    pub clients: usize,
    /// Events in a second, of all servers together.
    pub rate: u32,
    /// How long events are published.
    pub seconds: u32,
    /// How often a client loses its connection, in milliseconds.
    pub drop_every: u32,
    /// What is done to one of the servers after the other, again and again.
    pub harms: &'a [Harm],
    /// How long the servers are left alone in between, in milliseconds.
    pub harm_every: u32,
    /// What the choices are made of.
    pub seed: u32,
}

/// What became of the events.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// How many were published.
    pub events: u64,
    /// How many were published together with one that its server could not pass on, and said so: clients may miss these.
    pub refused: u64,
    /// How many reached a client.
    pub deliveries: u64,
    /// How many a client missed without anybody being told.
    pub lost: u64,
    /// How many a client got once more.
    pub doubled: u64,
    /// How many a new client got that it had got before it was new.
    pub again: u64,
    /// How many a client got after a later one.
    pub misordered: u64,
    /// How often a client that had heard something was back, within the window.
    pub returns: u64,
    /// How many of these were recovered.
    pub recovered: u64,
    /// How many were new clients, and told so.
    pub fresh: u64,
    /// How often a client came back before it had heard anything, and can't be recovered.
    pub unseen: u64,
    /// How often harm was done to a server.
    pub harms: u64,
    /// How often a client's connection was broken.
    pub drops: u64,
    /// How many clients there were at the end.
    pub connected: usize,
    /// How long events were published.
    pub seconds: f64,
    /// How many were published in a second.
    pub rate: u64,
    /// The first of what went wrong.
    pub details: Vec<String>,
}

impl Fire<'_> {
    /// Runs against servers that are started with this command, to which a port is added.
    ///
    /// # Panics
    ///
    /// Panics when it can't be run to its end.
    pub async fn run(self, server: &[&str]) -> Outcome {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters/node");
        assert!(
            folder.join("node_modules").is_dir(),
            "the npm packages of {} are missing: run tests/setup.sh",
            folder.display()
        );
        let ports: Vec<_> = (0..self.servers).map(|_| free_port()).collect();
        let clock = self.harms.contains(&Harm::Clock).then(harm::library);
        let plan = serde_json::json!({
            "server": server,
            "ports": ports,
            "clients": self.clients,
            "rate": self.rate,
            "seconds": self.seconds,
            "dropEvery": self.drop_every,
            "harms": self.harms.iter().map(|harm| harm.to_json()).collect::<Vec<_>>(),
            "harmEvery": self.harm_every,
            "clock": clock,
            "seed": self.seed,
        });
        let run = Command::new("node")
            .arg("fire.mjs")
            .arg(plan.to_string())
            .current_dir(folder)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("node is missing: run tests/setup.sh");
        let said = String::from_utf8_lossy(&run.stdout);
        let outcome = said.lines().last().map(serde_json::from_str);
        match outcome {
            Some(Ok(outcome)) if run.status.success() => outcome,
            _ => panic!(
                "no outcome: {said}\n{}",
                String::from_utf8_lossy(&run.stderr)
            ),
        }
    }
}
