//! Servers of Node's Socket.IO in a process of their own, as members of a cluster: `tests/adapters/node/peer.mjs`.

use base64::{Engine, prelude::BASE64_STANDARD};
use rooms_layer::wire::Value;
use serde_json::{Map, json};
use std::{
    collections::HashMap,
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdout, Command},
    sync::{mpsc, oneshot},
};

/// A process with servers of Node's in it. It ends when this is dropped.
#[derive(Debug)]
pub struct Peer {
    commands: mpsc::UnboundedSender<String>,
    waiting: Waiting,
    next: AtomicU64,
    _process: Child,
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Answer>>>>;
type Answer = Result<serde_json::Value, String>;

impl Peer {
    /// Starts the process.
    ///
    /// # Panics
    ///
    /// Panics when it can't be started.
    pub fn start() -> Self {
        Self::start_in("adapters/node")
    }

    /// Starts a process with servers of Socket.IO 2, `tests/adapters/node-2/peer.mjs`, which has other commands.
    ///
    /// # Panics
    ///
    /// Panics when it can't be started.
    pub fn start_former() -> Self {
        Self::start_in("adapters/node-2")
    }

    fn start_in(folder: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        assert!(
            folder.join("node_modules").is_dir(),
            "the npm packages of {} are missing: run tests/setup.sh",
            folder.display()
        );
        let mut process = Command::new("node")
            .arg("peer.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node is missing: run tests/setup.sh");
        let mut stdin = process.stdin.take().expect("it is piped");
        let stdout = process.stdout.take().expect("it is piped");
        let (commands, mut queue) = mpsc::unbounded_channel::<String>();
        tokio::spawn(async move {
            while let Some(line) = queue.recv().await {
                if stdin.write_all(line.as_bytes()).await.is_err() {
                    break;
                }
            }
        });
        let waiting = Waiting::default();
        tokio::spawn(read(stdout, waiting.clone()));
        Self {
            commands,
            waiting,
            next: AtomicU64::new(0),
            _process: process,
        }
    }

    /// Has the process do something; what it returns.
    ///
    /// # Panics
    ///
    /// Panics when it fails, and when the process has ended.
    pub async fn call(&self, name: &str, parameters: serde_json::Value) -> serde_json::Value {
        match self.try_call(name, parameters).await {
            Ok(answer) => answer,
            Err(error) => panic!("the Node peer failed to {name}: {error}"),
        }
    }

    /// Has the process do something, and does not wait until it has.
    pub fn cast(&self, name: &str, parameters: serde_json::Value) {
        // The answer is for nobody, and a process that has ended has nothing left to do.
        drop(self.send(name, parameters));
    }

    /// Has the process do something; what it returns.
    ///
    /// # Errors
    ///
    /// Fails with what the process says.
    pub async fn try_call(
        &self,
        name: &str,
        parameters: serde_json::Value,
    ) -> Result<serde_json::Value, String> {
        let answer = self.send(name, parameters).await;
        answer.unwrap_or_else(|_| Err("the process has ended".to_owned()))
    }

    fn send(&self, name: &str, mut command: serde_json::Value) -> oneshot::Receiver<Answer> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = oneshot::channel();
        self.waiting.lock().expect("nobody panics").insert(id, tell);
        command["id"] = json!(id);
        command["do"] = json!(name);
        if self.commands.send(format!("{command}\n")).is_err() {
            self.waiting.lock().expect("nobody panics").remove(&id);
        }
        told
    }
}

async fn read(stdout: ChildStdout, waiting: Waiting) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut answer: serde_json::Value = match serde_json::from_str(&line) {
            Ok(answer) => answer,
            Err(_) => panic!("the Node peer said something else: {line}"),
        };
        let id = answer["id"].as_u64().expect("an answer has an id");
        let outcome = match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["ok"].take()),
        };
        let told = waiting.lock().expect("nobody panics").remove(&id);
        if let Some(told) = told {
            told.send(outcome).ok();
        }
    }
    // Whoever still waits, waits in vain.
    waiting.lock().expect("nobody panics").clear();
}

/// A value as it travels to and from the process.
pub fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Binary(bytes) => json!({ "$bin": BASE64_STANDARD.encode(bytes) }),
        Value::Array(elements) => elements.iter().map(to_json).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| (key.clone(), to_json(value)));
            serde_json::Value::Object(entries.collect())
        }
        other => serde_json::to_value(other).expect("a plain value is JSON"),
    }
}

/// The other way.
///
/// # Panics
///
/// Panics when a byte string is not base64.
pub fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Array(elements) => {
            elements.iter().map(from_json).collect::<Vec<_>>().into()
        }
        serde_json::Value::Object(entries) => match binary(entries) {
            Some(bytes) => Value::Binary(bytes.into()),
            None => {
                let entries = entries.iter();
                let entries = entries.map(|(key, value)| (key.clone(), from_json(value)));
                Value::Object(entries.collect())
            }
        },
        other => rooms_layer::wire::value::to_value(other).expect("JSON is a value"),
    }
}

fn binary(entries: &Map<String, serde_json::Value>) -> Option<Vec<u8>> {
    let text = entries.get("$bin")?.as_str()?;
    Some(BASE64_STANDARD.decode(text).expect("base64"))
}
