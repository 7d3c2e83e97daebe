//! Every server under test: how it is built, how it is started, and how it is stopped again whatever happens.

use serde_json::Value;
use std::{
    collections::HashMap,
    ffi::OsString,
    fs, io,
    net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A server under test.
#[derive(Debug)]
pub struct Server {
    /// What the table calls it.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    program: Program,
    args: &'static [&'static str],
    /// The processors that it may use. The load has the second one, which it shares then.
    cores: &'static str,
    /// It sends each event of a burst on its own, so that a burst takes it longer by an order of magnitude.
    pub sends_each: bool,
    /// The cases that it can do; none named is all.
    pub cases: &'static [&'static str],
}

/// What runs it.
#[derive(Clone, Copy, Debug)]
enum Program {
    /// A binary of this crate.
    Ours(&'static str),
    /// A binary of `peers/`.
    Peer(&'static str),
    /// A script of `peers/node/`.
    Node(&'static str),
}

use Program::{Node, Ours, Peer};

/// Every server under test, ours first.
pub const SERVERS: &[Server] = &[
    Server {
        name: "rooms",
        about: "ours: axum on hyper, typed handlers, heartbeats and all",
        program: Ours("rooms"),
        args: &[],
        cores: "0",
        sends_each: false,
        cases: &[],
    },
    Server {
        name: "rooms-hyper",
        about: "the same on hyper alone",
        program: Ours("rooms"),
        args: &["--front", "hyper"],
        cores: "0",
        sends_each: false,
        cases: &[],
    },
    Server {
        name: "rooms-2",
        about: "ours with two worker threads, on both cores beside the load",
        program: Ours("rooms"),
        args: &["--workers", "2"],
        cores: "0,1",
        sends_each: false,
        cases: &[],
    },
    Server {
        name: "floor",
        about: "the kernel alone: pre-encoded frames, one send per event",
        program: Ours("floor"),
        args: &[],
        cores: "0",
        sends_each: true,
        cases: &[],
    },
    Server {
        name: "floor-64",
        about: "the same with up to 64 events per send",
        program: Ours("floor"),
        args: &["--batch", "64"],
        cores: "0",
        sends_each: false,
        cases: &[],
    },
    Server {
        name: "upgrade",
        about: "axum and hyper alone, which upgrade; answers by hand",
        program: Ours("upgrade"),
        args: &[],
        cores: "0",
        sends_each: false,
        cases: &["idle", "echo", "churn"],
    },
    Server {
        name: "prototype",
        about: "lean tokio + hyper server by hand, one flusher",
        program: Peer("prototype"),
        args: &["--write", "flusher"],
        cores: "0",
        sends_each: false,
        cases: &[],
    },
    Server {
        name: "prototype-direct",
        about: "the same, written by the broadcaster itself",
        program: Peer("prototype"),
        args: &["--write", "direct"],
        cores: "0",
        sends_each: true,
        cases: &[],
    },
    Server {
        name: "socketioxide",
        about: "socketioxide on axum, with a queue that holds a burst",
        program: Peer("socketioxide"),
        args: &["--buffer", "1000000"],
        cores: "0",
        sends_each: false,
        cases: &[],
    },
    Server {
        name: "socketioxide-128",
        about: "the same with its default queue, which loses most of a burst",
        program: Peer("socketioxide"),
        args: &[],
        cores: "0",
        sends_each: false,
        cases: &[],
    },
    Server {
        name: "node",
        about: "Socket.IO on Node with ws",
        program: Node("server.js"),
        args: &[],
        cores: "0",
        sends_each: true,
        cases: &[],
    },
    Server {
        name: "tungstenite",
        about: "bare tokio-tungstenite, a task per client, 4 KiB read buffer",
        program: Peer("tungstenite"),
        args: &["--read-buffer", "4096"],
        cores: "0",
        sends_each: false,
        cases: &[],
    },
    Server {
        name: "tungstenite-defaults",
        about: "the same with its default read buffer of 128 KiB",
        program: Peer("tungstenite"),
        args: &[],
        cores: "0",
        sends_each: false,
        cases: &[],
    },
    Server {
        name: "tokio-websockets",
        about: "bare tokio-websockets, a task per client",
        program: Peer("tokio_websockets"),
        args: &[],
        cores: "0",
        sends_each: false,
        cases: &[],
    },
];

/// Ours as one of several that are joined: it takes `--adapter` and `--engine`.
pub const MEMBER: Server = Server {
    name: "member",
    about: "ours on axum with an adapter",
    program: Ours("member"),
    args: &[],
    cores: "0",
    sends_each: false,
    cases: &[],
};

/// The server of that name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static Server, Error> {
    SERVERS
        .iter()
        .find(|server| server.name == name)
        .ok_or_else(|| Error::Unknown(name.to_owned()))
}

impl Server {
    /// The processors that it may use, as `taskset` takes them.
    pub fn cores(&self) -> &'static str {
        self.cores
    }
}

/// Why a server could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing under test has this name.
    #[error("no server is called {0}")]
    Unknown(String),
    /// A tool did not do its work.
    #[error("{tool} ended with {status}")]
    Build {
        /// Which one.
        tool: &'static str,
        /// How it ended.
        status: ExitStatus,
    },
    /// The build went well, but made no such program.
    #[error("the build made no {0}")]
    NotBuilt(String),
    /// A program could not be started or waited for.
    #[error("failed to run {0}")]
    Run(String, #[source] io::Error),
    /// A server ended, or did not listen in time.
    #[error("{0} does not listen")]
    NotListening(String),
    /// A program took too long and was ended.
    #[error("{0} took over {1:?}")]
    TooLong(String, Duration),
}

/// Programs built for measuring.
#[derive(Debug)]
pub struct Programs(HashMap<String, PathBuf>);

impl Programs {
    /// Builds the load generator and what the servers need, all with the same profile.
    ///
    /// # Errors
    /// When cargo or npm fail.
    pub fn build(servers: &[&Server]) -> Result<Programs, Error> {
        let mut ours = vec!["load"];
        let mut peers = Vec::new();
        let mut node = false;
        for server in servers {
            match server.program {
                Ours(binary) => ours.push(binary),
                Peer(binary) => peers.push(binary),
                Node(_) => node = true,
            }
        }
        let mut programs = Programs(HashMap::new());
        programs.cargo(&here().join("Cargo.toml"), &ours)?;
        if !peers.is_empty() {
            programs.cargo(&here().join("peers/Cargo.toml"), &peers)?;
        }
        let scripts = here().join("peers/node");
        if node && !is_installed(&scripts) {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--silent"])
                .current_dir(&scripts)
                .stdout(Stdio::null());
            let failed = |e| Error::Run("npm".to_owned(), e);
            let status = npm.status().map_err(failed)?;
            if !status.success() {
                return Err(Error::Build {
                    tool: "npm",
                    status,
                });
            }
            fs::copy(scripts.join(LOCK), scripts.join(INSTALLED)).map_err(failed)?;
        }
        Ok(programs)
    }

    fn cargo(&mut self, manifest: &Path, binaries: &[&str]) -> Result<(), Error> {
        let failed = |e| Error::Run("cargo".to_owned(), e);
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command.args([
            "build",
            "--locked",
            "--message-format",
            "json-render-diagnostics",
            "--manifest-path",
        ]);
        command.arg(manifest).args(["--profile", "measured"]);
        // Named here rather than in two manifests: a comparison needs one profile for both workspaces.
        for setting in [
            "inherits='release'",
            "lto='fat'",
            "codegen-units=1",
            "debug='line-tables-only'",
        ] {
            command.args(["--config", &format!("profile.measured.{setting}")]);
        }
        for binary in binaries {
            command.args(["--bin", binary]);
        }
        let output = command.stderr(Stdio::inherit()).output().map_err(failed)?;
        if !output.status.success() {
            return Err(Error::Build {
                tool: "cargo",
                status: output.status,
            });
        }
        for message in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(message) = serde_json::from_str::<Value>(message) else {
                continue;
            };
            if let (Some(name), Some(path)) = (
                message["target"]["name"].as_str(),
                message["executable"].as_str(),
            ) {
                self.0.insert(name.to_owned(), PathBuf::from(path));
            }
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Result<&Path, Error> {
        self.0
            .get(name)
            .map(PathBuf::as_path)
            .ok_or_else(|| Error::NotBuilt(name.to_owned()))
    }

    /// The load generator, pinned to the second core.
    ///
    /// # Errors
    /// When it was not built.
    pub fn load(&self) -> Result<Command, Error> {
        Ok(pinned("1", [self.get("load")?]))
    }

    /// The command line of a server, without its port.
    ///
    /// # Errors
    /// When it was not built.
    pub fn command_line(&self, server: &Server) -> Result<Vec<OsString>, Error> {
        let mut line: Vec<OsString> = match server.program {
            Ours(binary) | Peer(binary) => vec![self.get(binary)?.into()],
            Node(script) => vec!["node".into(), here().join("peers/node").join(script).into()],
        };
        line.extend(server.args.iter().map(OsString::from));
        Ok(line)
    }
}

/// A server process, which ends with this value.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    /// Where it listens.
    pub address: SocketAddrV4,
}

impl Running {
    /// Starts a command line on these processors, with `--port PORT` at its end, and waits until it listens.
    ///
    /// # Errors
    /// When it cannot be started, ends, or does not listen within `patience`.
    pub fn start(line: &[OsString], cores: &str, patience: Duration) -> Result<Running, Error> {
        let mut running = Running::spawn(line, cores)?;
        running.listens(patience)?;
        Ok(running)
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(line: &[OsString], cores: &str) -> Result<Running, Error> {
        let name = line
            .iter()
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        let failed = |e| Error::Run(name.clone(), e);
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, free_port().map_err(failed)?);
        let mut command = pinned(cores, line);
        command.arg("--port").arg(address.port().to_string());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(failed)?;
        Ok(Running {
            name,
            child,
            address,
        })
    }

    /// Waits until it listens.
    ///
    /// # Errors
    /// When it ends, or does not listen within `patience`.
    pub fn listens(&mut self, patience: Duration) -> Result<(), Error> {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let ended = !matches!(self.child.try_wait(), Ok(None));
            if ended || began.elapsed() > patience {
                return Err(Error::NotListening(self.name.clone()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When it does not end within `patience`.
    pub fn terminate(mut self, patience: Duration) -> Result<(), Error> {
        use rustix::process::{Pid, Signal, kill_process};
        // It may have ended by itself.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        wait(&mut self.child, &self.name, patience).map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end and returns what it wrote to stdout, or to stderr if it failed.
///
/// # Errors
/// When it cannot be started, or takes longer than `patience` and is killed.
pub fn run(mut command: Command, patience: Duration) -> Result<Result<String, String>, Error> {
    let name = format!("{command:?}");
    let failed = |e| Error::Run(name.clone(), e);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // What these programs write fits into a pipe, so nobody has to read meanwhile.
    let status = wait(&mut child, &name, patience)?;
    let output = child.wait_with_output().map_err(failed)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Ok(if status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    })
}

fn wait(child: &mut Child, name: &str, patience: Duration) -> Result<ExitStatus, Error> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if began.elapsed() < patience => thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                // Both fail only for a process that is gone already.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::TooLong(name.to_owned(), patience));
            }
            Err(e) => return Err(Error::Run(name.to_owned(), e)),
        }
    }
}

/// A program and its arguments on one core.
fn pinned<W: AsRef<std::ffi::OsStr>>(core: &str, line: impl IntoIterator<Item = W>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core]).args(line);
    command
}

/// A copy of the lock file says which one the packages were installed from.
fn is_installed(scripts: &Path) -> bool {
    let read = |name| fs::read(scripts.join(name)).ok();
    read(INSTALLED).is_some_and(|installed| read(LOCK) == Some(installed))
}

const LOCK: &str = "package-lock.json";
const INSTALLED: &str = "node_modules/.installed-lock.json";

/// A port that nobody listens on.
///
/// # Errors
/// When there is none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
