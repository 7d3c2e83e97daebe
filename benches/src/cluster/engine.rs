//! What servers talk through: started for a run, and asked how much it has sent.

use super::{Error, adapters::Kind};
use crate::{
    load::Joined,
    servers::{self, Running, free_port},
};
use std::{
    env,
    ffi::OsString,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// An engine that is nobody else's.
#[derive(Debug)]
pub(super) struct Engine {
    running: Running,
    kind: Kind,
    counters: Counters,
    /// What it keeps on disk.
    _folder: TempDir,
}

/// Where the counters are read.
#[derive(Debug)]
enum Counters {
    /// A connection to Redis, and how many bytes of the answers were sent to us.
    Redis(BufReader<TcpStream>, u64),
    /// The port of NATS's monitoring.
    Nats(u16),
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Engine {
    /// Starts one on these processors.
    pub(super) fn start(kind: Kind, cores: &str) -> Result<Engine, servers::Error> {
        let failed = |e| servers::Error::Run(format!("{kind:?}"), e);
        let folder = tempfile::tempdir().map_err(failed)?;
        let path: OsString = folder.path().into();
        let monitor = free_port().map_err(failed)?;
        let line: Vec<OsString> = match kind {
            Kind::Redis => {
                let words = [program("redis-server"), "--bind".into(), "127.0.0.1".into()];
                let disk = ["--save", "", "--appendonly", "no", "--dir"].map(Into::into);
                words.into_iter().chain(disk).chain([path]).collect()
            }
            Kind::Nats => {
                let words = [program("nats-server"), "--addr".into(), "127.0.0.1".into()];
                let port = ["--http_port".into(), monitor.to_string().into()];
                let disk = ["--jetstream".into(), "--store_dir".into(), path];
                words.into_iter().chain(port).chain(disk).collect()
            }
        };
        let running = Running::start(&line, cores, PATIENCE)?;
        let counters = match kind {
            Kind::Redis => {
                let stream = TcpStream::connect(running.address).map_err(failed)?;
                Counters::Redis(BufReader::new(stream), 0)
            }
            Kind::Nats => Counters::Nats(monitor),
        };
        Ok(Engine {
            running,
            kind,
            counters,
            _folder: folder,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.running.pid()
    }

    pub(super) fn url(&self) -> String {
        let scheme = match self.kind {
            Kind::Redis => "redis",
            Kind::Nats => "nats",
        };
        format!("{scheme}://{}", self.running.address)
    }

    /// How many bytes it has sent to servers, by its own count, once it has nothing more to send.
    fn sent(&mut self) -> Result<u64, Error> {
        let began = Instant::now();
        let mut before = self.counters.read()?;
        loop {
            thread::sleep(Duration::from_millis(50));
            let now = self.counters.read()?;
            // Servers that tell each other that they are there never end.
            if now == before || began.elapsed() > Duration::from_secs(2) {
                return Ok(now);
            }
            before = now;
        }
    }
}

/// How many events are emitted at once to count their deliveries, in two sizes of as many digits.
pub(super) const EVENTS: u32 = 100;
pub(super) const SHORT: usize = 2_000;
const LONG: usize = 6_000;

/// How often the engine delivers a broadcast. It counts bytes; two runs that differ in nothing but the length of their events tell how
/// often these were among them, whatever they were wrapped in and whatever else was sent.
pub(super) fn deliveries(engine: &mut Engine, clients: &mut Joined) -> Result<f64, Error> {
    let mut sent = |size| {
        let before = engine.sent()?;
        clients.blast(EVENTS, size)?;
        Ok::<_, Error>(engine.sent()? - before)
    };
    let (short, long) = (sent(SHORT)?, sent(LONG)?);
    Ok(times(short, long))
}

fn times(short: u64, long: u64) -> f64 {
    (long as f64 - short as f64) / (f64::from(EVENTS) * (LONG - SHORT) as f64)
}

impl Counters {
    fn read(&mut self) -> Result<u64, Error> {
        match self {
            Counters::Redis(stream, answers) => {
                let (info, length) = info(stream).map_err(counters)?;
                let sent = redis_sent(&info).ok_or_else(|| Error::Counters(info.clone()))?;
                // Counted are the answers before this one.
                let sent = sent - *answers;
                *answers += length;
                Ok(sent)
            }
            Counters::Nats(port) => {
                let answer = monitor(*port).map_err(counters)?;
                nats_sent(&answer).ok_or(Error::Counters(answer))
            }
        }
    }
}

fn counters(error: io::Error) -> Error {
    Error::Counters(error.to_string())
}

/// What Redis says of itself, and in how many bytes.
fn info(stream: &mut BufReader<TcpStream>) -> io::Result<(String, u64)> {
    stream.get_mut().write_all(b"INFO stats\r\n")?;
    let mut head = String::new();
    stream.read_line(&mut head)?;
    let length = head
        .strip_prefix('$')
        .and_then(|length| length.trim().parse().ok());
    let length: usize = length.ok_or_else(|| io::Error::other(head.clone()))?;
    let mut text = vec![0; length + 2];
    stream.read_exact(&mut text)?;
    let read = head.len() + text.len();
    Ok((String::from_utf8_lossy(&text).into_owned(), read as u64))
}

fn redis_sent(info: &str) -> Option<u64> {
    let mut lines = info.lines();
    lines.find_map(|line| line.strip_prefix("total_net_output_bytes:")?.parse().ok())
}

fn monitor(port: u16) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /varz HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn nats_sent(answer: &str) -> Option<u64> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let told: serde_json::Value = serde_json::from_str(body).ok()?;
    told["out_bytes"].as_u64()
}

/// Debian puts some servers where only root looks for programs.
fn program(name: &str) -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let mut places = folders.map(|folder| folder.join(name));
    let found = places.find(|place| place.is_file());
    found.map_or_else(|| name.into(), PathBuf::into_os_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_tell_what_they_have_sent() {
        let info = "# Stats\r\ntotal_net_input_bytes:7\r\ntotal_net_output_bytes:1234\r\ntotal_net_repl_output_bytes:9\r\n";
        assert_eq!(redis_sent(info), Some(1_234));
        assert_eq!(redis_sent("# Stats\r\n"), None);
        let varz = "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{\"in_bytes\": 1, \"out_bytes\": 77, \"cluster\": {}}";
        assert_eq!(nats_sent(varz), Some(77));
        assert_eq!(nats_sent("HTTP/1.0 404 Not Found\r\n\r\n"), None);
    }

    #[test]
    fn deliveries_do_not_depend_on_what_else_is_sent() {
        let wrapping = 200;
        let answers = 4 * u64::from(EVENTS);
        for wanted in [0, 1, 2, 4] {
            let sent =
                |size: usize| wanted * u64::from(EVENTS) * (size as u64 + wrapping) + answers;
            assert_eq!(times(sent(SHORT), sent(LONG)), wanted as f64);
        }
        assert_eq!(
            times(10, 0),
            -10.0 / 400_000.0,
            "less than nothing is noise"
        );
    }
}
