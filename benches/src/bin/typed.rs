//! What types cost: an event to its typed handler, beside one that reaches a handler without types by the same way, and an emit to
//! one client; each beside the same done by hand with strings.
//!
//! `typed [--events 1000000]`. CPU time; one worker, clients in memory. The difference between the first two is what types cost. By
//! hand there is no connection: no task, no order, no namespace, no room, no acknowledgement, no panic that is caught and no limit on
//! anything.

use bytes::Bytes;
use clap::Parser;
use rooms_bench::{
    by_hand::{TEXT, client_frame, frame},
    clock::process_cpu,
    in_memory::{Sink, Taken},
};
use rooms_layer::prelude::*;
use serde::{Deserialize, Serialize};
use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

#[derive(Parser)]
struct Cli {
    /// Events of each run.
    #[arg(long, default_value_t = 1_000_000)]
    events: u32,
}

#[derive(Room)]
enum Room {
    One,
}

/// An object of three fields, both ways.
#[derive(Event, Serialize, Deserialize)]
#[event(to(Room::One))]
struct Note {
    id: u64,
    title: String,
    done: bool,
}

#[derive(Namespace)]
#[namespace(path = "/", rooms(Room), client(Note), server(Note), state = Arc<AtomicU64>)]
struct App;

#[handler(App)]
async fn note(
    socket: Socket<App>,
    State(sum): State<Arc<AtomicU64>>,
    Note { id, title, done }: Note,
) {
    black_box((title, done));
    if sum.fetch_add(id, Ordering::Relaxed) == 0 {
        socket.join(Room::one());
    }
}

const PACKET: &str = r#"42["note",{"id":1,"title":"write it down","done":false}]"#;

fn main() {
    let Cli { events } = Cli::parse();
    let mut figures = [const { Vec::new() }; 5];
    for _ in 0..5 {
        let [dispatch, emit] = on_one_worker(typed(events));
        for (figure, time) in figures.iter_mut().zip([
            dispatch,
            on_one_worker(untyped(events)),
            dispatch_by_hand(events),
            emit,
            emit_by_hand(events),
        ]) {
            figure.push(time.as_secs_f64() * 1e9 / f64::from(events));
        }
    }
    let names = [
        "event to its handler",
        "  without types",
        "  by hand",
        "emit to one client",
        "  by hand",
    ];
    for (name, mut figure) in names.into_iter().zip(figures) {
        figure.sort_unstable_by(f64::total_cmp);
        println!(
            "{name:24} {:8.0} ns   ({:.0} - {:.0})",
            figure[2], figure[0], figure[4]
        );
    }
}

fn on_one_worker<T: Send + 'static>(run: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async move { tokio::spawn(run).await.expect("no panic") })
}

/// How long it takes until so many events of one client are summed up, and what that client is sent.
async fn summed_up(rooms: &RoomsLayer, sum: &AtomicU64, events: u32) -> (Duration, Taken) {
    let packets = std::iter::once("40").chain(std::iter::repeat_n(PACKET, events as usize));
    let (sink, taken) = Sink::saying(packets);
    let began = process_cpu();
    sink.connect(rooms);
    while sum.load(Ordering::Relaxed) < u64::from(events) {
        tokio::task::yield_now().await;
    }
    (process_cpu() - began, taken)
}

/// How long a handler takes for so many events that has to read them itself.
async fn untyped(events: u32) -> Duration {
    let sum = Arc::new(AtomicU64::new(0));
    let summing = sum.clone();
    let main = Main::serve(()).fallback(move |socket, event| {
        let sum = summing.clone();
        async move {
            if event.name() == "note" {
                let Note { id, title, done } = event.get(0).expect("a note");
                black_box((socket, title, done));
                sum.fetch_add(id, Ordering::Relaxed);
            }
        }
    });
    let rooms = RoomsLayer::new().namespace(main);
    summed_up(&rooms, &sum, events).await.0
}

/// How long typed handlers take for so many events, and so many typed emits until they are written.
async fn typed(events: u32) -> [Duration; 2] {
    let sum = Arc::new(AtomicU64::new(0));
    let rooms = RoomsLayer::new().namespace(App::serve(sum.clone()).on(note));
    let io = rooms.io::<App>();
    let (dispatch, taken) = summed_up(&rooms, &sum, events).await;

    let title = "write it down".to_owned();
    let note = Note {
        id: 1,
        title,
        done: false,
    };
    let wanted = taken.bytes() + u64::from(events) * frame_len();
    let began = process_cpu();
    for n in 0..events {
        io.to(Room::one()).emit_ref(&note).expect("an open server");
        if n % 64 == 63 {
            tokio::task::yield_now().await;
        }
    }
    written(&taken, wanted).await;
    [dispatch, process_cpu() - began]
}

async fn written(taken: &Taken, wanted: u64) {
    while taken.bytes() < wanted {
        tokio::task::yield_now().await;
    }
    assert_eq!(taken.bytes(), wanted);
}

fn frame_len() -> u64 {
    let mut bytes = Vec::new();
    frame(&mut bytes, TEXT, PACKET.as_bytes());
    bytes.len() as u64
}

/// The frames of as many events taken apart, decoded and told by their name.
fn dispatch_by_hand(events: u32) -> Duration {
    // As much at a time as our server reads.
    const AT_A_TIME: usize = 512;
    let mut said = Vec::new();
    for _ in 0..AT_A_TIME {
        rooms_bench::load::masked_text(&mut said, PACKET.as_bytes());
    }
    let mut sum = 0;
    let began = process_cpu();
    for _ in 0..(events as usize).div_ceil(AT_A_TIME) {
        let mut bytes = said.clone();
        let mut rest = bytes.as_mut_slice();
        while let Ok(Some(found)) = client_frame(rest) {
            let text = std::str::from_utf8(&rest[found.payload]).expect("text");
            let (name, note): (&str, Note) = serde_json::from_str(&text[2..]).expect("an event");
            if name == "note" {
                sum += black_box(note).id;
            }
            rest = &mut rest[found.len..];
        }
    }
    let time = process_cpu() - began;
    assert!(sum >= u64::from(events));
    time
}

/// As many events written as text and framed, and their bytes handed to somebody who counts them.
fn emit_by_hand(events: u32) -> Duration {
    let title = "write it down".to_owned();
    let note = Note {
        id: 1,
        title,
        done: false,
    };
    let mut written = 0;
    let began = process_cpu();
    for _ in 0..events {
        let mut packet = b"42".to_vec();
        serde_json::to_writer(&mut packet, &("note", &note)).expect("memory");
        let mut bytes = Vec::with_capacity(packet.len() + 10);
        frame(&mut bytes, TEXT, &packet);
        written += black_box(Bytes::from(bytes)).len() as u64;
    }
    let time = process_cpu() - began;
    assert_eq!(written, u64::from(events) * frame_len());
    time
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[tokio::test]
    async fn a_few_events_come_through() {
        typed(1_000).await;
        untyped(1_000).await;
        dispatch_by_hand(1_000);
        emit_by_hand(1_000);
    }
}
