//! One client against one framework.

use crate::{
    clients::{Client, ROWS},
    framework::Framework,
    proxy::Proxy,
    server::Server,
};
use serde::Deserialize;
use std::{collections::BTreeMap, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Child,
    time::timeout,
};

/// How long a client may take for all rows. Each row has a deadline of its own, which is shorter.
const PATIENCE: Duration = Duration::from_secs(240);

/// What came of it.
pub(crate) struct Run {
    pub(crate) client: &'static str,
    pub(crate) framework: Framework,
    pub(crate) version: Option<String>,
    /// Of each row that the program told of: nothing, or why it failed.
    pub(crate) outcomes: BTreeMap<String, Result<(), String>>,
    /// Why rows may be missing.
    pub(crate) trouble: Option<String>,
}

/// What a program prints, a line each.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    Client {
        #[serde(rename = "client")]
        _name: String,
        version: String,
    },
    Row {
        row: String,
        pass: bool,
        #[serde(default)]
        why: String,
    },
    Request {
        request: Request,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Request {
    Cut,
    Restart,
}

pub(crate) async fn run(client: &'static Client, framework: Framework) -> Run {
    let mut run = Run {
        client: client.name,
        framework,
        version: None,
        outcomes: BTreeMap::new(),
        trouble: None,
    };
    let rows = || {
        ROWS.iter()
            .filter(|row| client.not_applicable(row, framework).is_none())
    };
    if rows().next().is_some() {
        let told = timeout(PATIENCE, run.drive(client, rows())).await;
        run.trouble = match told {
            Ok(Ok(())) => None,
            Ok(Err(trouble)) => Some(trouble),
            Err(_) => Some(format!("not done within {PATIENCE:?}")),
        };
    }
    run
}

impl Run {
    /// Runs the program to its end, and does what it asks for.
    async fn drive(
        &mut self,
        client: &Client,
        rows: impl Iterator<Item = &&'static str> + Clone,
    ) -> Result<(), String> {
        let recovery = rows.clone().any(|row| *row == "recovery");
        let mut server = Server::start(self.framework, recovery).await?;
        let proxy = Proxy::start(server.address()).await;
        let mut program = (client.program)()
            .args([server.url(), proxy.url()])
            .args(rows)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("it can't be run ({error}): run tests/setup.sh"))?;
        let complaints = complaints(&mut program);
        let stdout = program.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await.map_err(|error| error.to_string())? {
            match serde_json::from_str(&line) {
                Ok(Line::Client { version, .. }) => self.version = Some(version),
                Ok(Line::Row { row, pass, why }) => {
                    let outcome = if pass { Ok(()) } else { Err(why) };
                    self.outcomes.insert(row, outcome);
                }
                Ok(Line::Request {
                    request: Request::Cut,
                }) => proxy.cut(),
                Ok(Line::Request {
                    request: Request::Restart,
                }) => server.restart().await?,
                Err(_) => return Err(format!("it said {line:?}, which FIXTURE.md does not know")),
            }
        }
        let status = program.wait().await.map_err(|error| error.to_string())?;
        let complaints = complaints.await.expect("it only reads");
        match status.success() {
            true => Ok(()),
            false => Err(format!("it ended with {status}: {complaints}")),
        }
    }
}

/// What the program writes on its standard error, read all the time so that the pipe never fills.
fn complaints(program: &mut Child) -> tokio::task::JoinHandle<String> {
    let mut stderr = program.stderr.take().expect("stderr is piped");
    tokio::spawn(async move {
        let mut said = Vec::new();
        // What was read until it broke is better than nothing.
        let _ = stderr.read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    })
}
