use super::{
    Board, Random, Report, Soak,
    board::Published,
    connection::{Connection, Packet},
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// How long what is on its way may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// After so long a silence it is worth a look whether all is there. What comes once too often has this long to come, too.
const PAUSE: Duration = Duration::from_millis(100);

/// The name of a room. Everybody is in the one without a name.
pub(super) fn room(index: usize) -> String {
    format!("room-{index}")
}

/// What a client does.
#[derive(Debug)]
pub(super) struct Plan {
    ports: Arc<[u16]>,
    home: usize,
    /// The rooms that it is always in.
    steady: [String; 2],
    /// The room that it enters and leaves.
    visited: String,
    random: Random,
}

impl Plan {
    pub(super) fn new(soak: Soak<'_>, index: usize, ports: Arc<[u16]>) -> Self {
        Self {
            home: index % ports.len(),
            ports,
            steady: [room(index % soak.rooms), room((index + 1) % soak.rooms)],
            visited: room((index + 2) % soak.rooms),
            random: Random::new(soak.seed, 1 + index),
        }
    }
}

/// Lives until everything has come that was published.
pub(super) async fn run(mut plan: Plan, board: Arc<Board>) -> Report {
    let mut ledger = Ledger::default();
    let mut is_first = true;
    loop {
        let port = plan.ports[plan.home];
        let lived = live(&mut plan, port, &board, &mut ledger, &mut is_first).await;
        if lived.is_ok() {
            return ledger.report;
        }
        ledger.went_away();
        plan.home = plan.random.below(plan.ports.len());
        // Not all at once, and not in vain without a break.
        sleep(Duration::from_millis(10 + plan.random.below(20) as u64)).await;
    }
}

async fn live(
    plan: &mut Plan,
    port: u16,
    board: &Board,
    ledger: &mut Ledger,
    is_first: &mut bool,
) -> io::Result<()> {
    let mut connection = Connection::open(port, "").await?;
    ledger.enter("", &board.said(""));
    let [one, other] = plan.steady.clone();
    for room in [one, other] {
        move_to(&mut connection, "join", &room, board, ledger).await?;
        ledger.enter(&room, &board.said(&room));
    }
    ledger.came_back();
    if std::mem::take(is_first) {
        board.entered();
    }
    let visited = plan.visited.clone();
    let mut is_visiting = false;
    loop {
        if board.is_closed() {
            return finish(&mut connection, board, ledger).await;
        }
        let stay = Duration::from_millis(300 + plan.random.below(700) as u64);
        hear(&mut connection, Instant::now() + stay, board, ledger).await?;
        ledger.report.moves += 1;
        if is_visiting {
            // What is on its way while it leaves may come or not.
            ledger.leave(&visited);
            move_to(&mut connection, "leave", &visited, board, ledger).await?;
        } else {
            move_to(&mut connection, "join", &visited, board, ledger).await?;
            ledger.enter(&visited, &board.said(&visited));
        }
        is_visiting = !is_visiting;
    }
}

async fn move_to(
    connection: &mut Connection,
    how: &str,
    room: &str,
    board: &Board,
    ledger: &mut Ledger,
) -> io::Result<()> {
    let id = connection.ask(&json!([how, room])).await?;
    loop {
        match connection.packet().await? {
            Packet::Ack { id: of, yes: true } if of == id => return Ok(()),
            Packet::Ack { .. } => return Err(io::Error::other("a room is refused")),
            tick => ledger.hear(tick, board),
        }
    }
}

/// Takes what comes until a time, or until nothing more is published.
async fn hear(
    connection: &mut Connection,
    until: Instant,
    board: &Board,
    ledger: &mut Ledger,
) -> io::Result<()> {
    while !board.is_closed() {
        let Ok(packet) = timeout(until - Instant::now().min(until), connection.packet()).await
        else {
            break;
        };
        ledger.hear(packet?, board);
    }
    Ok(())
}

/// Takes what comes until all of it is there, or until nothing has come for long.
async fn finish(connection: &mut Connection, board: &Board, ledger: &mut Ledger) -> io::Result<()> {
    let mut last = Instant::now();
    loop {
        match timeout(PAUSE, connection.packet()).await {
            Ok(packet) => {
                ledger.hear(packet?, board);
                last = Instant::now();
            }
            Err(_) if ledger.is_whole(board) || last.elapsed() > PATIENCE => break,
            Err(_) => {}
        }
    }
    ledger.settle(board);
    Ok(())
}

/// What a client has heard, and what it has to hear.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The rooms that it is in: what each publisher's next number there is.
    inside: BTreeMap<String, HashMap<String, u64>>,
    /// What its next numbers were when it lost its connection.
    before: BTreeMap<String, HashMap<String, u64>>,
    /// All that came by this connection: the next number in each room of each publisher, and those that were left out.
    heard: HashMap<(String, String), (u64, BTreeSet<u64>)>,
    /// The next numbers of all that ever came by others.
    earlier: HashMap<(String, String), u64>,
    pub(super) report: Report,
}

impl Ledger {
    /// It is let in, after so much was asked for.
    pub(super) fn enter(&mut self, room: &str, said: &HashMap<String, Published>) {
        let next = said.iter().map(|(name, said)| (name.clone(), said.asked));
        let next: HashMap<_, _> = next.collect();
        for (publisher, from) in self.before.remove(room).unwrap_or_default() {
            let to = next.get(&publisher).copied().unwrap_or(from);
            self.report.while_away += to.saturating_sub(from);
        }
        self.inside.insert(room.to_owned(), next);
    }

    pub(super) fn leave(&mut self, room: &str) {
        self.inside.remove(room);
    }

    pub(super) fn went_away(&mut self) {
        if !self.inside.is_empty() {
            self.report.outages += 1;
            self.before = std::mem::take(&mut self.inside);
        }
        for (key, (next, _)) in self.heard.drain() {
            let earlier = self.earlier.entry(key).or_default();
            *earlier = next.max(*earlier);
        }
    }

    /// It is where it was before, but for the room that it visits.
    fn came_back(&mut self) {
        self.before.clear();
    }

    pub(super) fn hear(&mut self, packet: Packet, board: &Board) {
        let Packet::Tick {
            publisher,
            room,
            number,
        } = packet
        else {
            return;
        };
        board.delivered();
        self.take(publisher, room, number);
    }

    pub(super) fn take(&mut self, publisher: String, room: String, number: u64) {
        let report = &mut self.report;
        report.deliveries += 1;
        let key = (publisher, room);
        let (heard, left_out) = self.heard.entry(key.clone()).or_default();
        if number < *heard {
            match left_out.remove(&number) {
                true => report.misordered += 1,
                false => report.doubled += 1,
            }
            let (publisher, room) = key;
            report.complain(|| format!("{publisher} in {room:?}: {number} behind {heard}"));
            return;
        }
        // The server of a new client may be behind the one that it had before.
        report.again += u64::from(number < self.earlier.get(&key).copied().unwrap_or_default());
        left_out.extend(*heard..number);
        *heard = number + 1;
        let (publisher, room) = key;
        let Some(inside) = self.inside.get_mut(&room) else {
            return;
        };
        let next = inside.entry(publisher.clone()).or_default();
        // What was asked for before it was let in may come or not.
        if number > *next {
            report.lost += number - *next;
            report.complain(|| format!("{publisher} in {room:?}: {next} to {number} are missing"));
        }
        *next = (*next).max(number + 1);
    }

    /// What the engine has taken and has not come: the room, the publisher, from where and to where.
    fn missing(&self, board: &Board) -> Vec<(String, String, u64, u64)> {
        let mut missing = Vec::new();
        for (room, inside) in &self.inside {
            for (publisher, said) in board.said(room) {
                let next = inside.get(&publisher).copied().unwrap_or_default();
                if next < said.confirmed {
                    missing.push((room.clone(), publisher, next, said.confirmed));
                }
            }
        }
        missing
    }

    pub(super) fn is_whole(&self, board: &Board) -> bool {
        self.missing(board).is_empty()
    }

    /// What has not come until now is lost.
    pub(super) fn settle(&mut self, board: &Board) {
        for (room, publisher, from, to) in self.missing(board) {
            self.report.lost += to - from;
            self.report.complain(|| {
                format!("{publisher} in {room:?}: the last, {from} to {to}, are missing")
            });
        }
    }
}
