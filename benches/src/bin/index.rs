//! What the index of rooms costs by its size, and how a crowd is served without a kernel.
//!
//! `index [--members 1000000] [--only index|crowd|scaling]`. Goals stand beside the figures, and a miss is marked. The
//! crowd takes some 3 GB for a million members.

use clap::{Parser, ValueEnum};
use rooms_bench::{
    clock::{process_cpu, thread_cpu},
    in_memory::{Sink, Taken},
};
use rooms_layer::{
    prelude::*,
    rooms::{Directory, Slot},
};
use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime;

#[derive(Parser)]
struct Cli {
    /// The largest number of sockets and of rooms.
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Only this.
    #[arg(long, value_enum)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    Index,
    Crowd,
    Scaling,
}

fn main() {
    let Cli { members, only } = Cli::parse();
    let wanted = |part| only.is_none_or(|only| only == part);
    if wanted(Part::Index) {
        index(members);
    }
    if wanted(Part::Crowd) {
        crowd(members);
    }
    if wanted(Part::Scaling) {
        scaling();
    }
}

/// Prints a figure with its goal.
fn line(what: &str, figure: f64, unit: &str, goal: Option<(f64, bool)>) {
    let goal = match goal {
        None => String::new(),
        Some((goal, more)) => {
            let met = if more { figure >= goal } else { figure <= goal };
            let sign = if more { "at least" } else { "at most" };
            format!(
                "   goal: {sign} {goal}{}",
                if met { "" } else { ", MISSED" }
            )
        }
    };
    println!("{what:44} {figure:10.3} {unit:12}{goal}");
}

/// As many sockets as rooms: each makes a room, joins another one, is looked up, and leaves both.
fn index(most: usize) {
    println!("The index, per second of CPU time of one thread, names of 12 bytes");
    let mut size = 1_000;
    while size <= most {
        let names: Vec<String> = (0..size).map(|n| format!("room:{n:07}")).collect();
        let ids: Vec<String> = (0..size).map(|n| format!("socket{n:014}")).collect();
        let (mut made, mut joined, mut found, mut left, mut ended, mut listed) = Default::default();
        // Small ones several times, so that each figure stands on as many steps.
        let rounds = (most / size).clamp(1, 100);
        for _ in 0..rounds {
            let mut directory: Directory<Arc<()>> = Directory::new();
            let handle = Arc::new(());
            let slots: Vec<Slot> = ids
                .iter()
                .map(|id| {
                    directory
                        .insert(id.as_str().into(), handle.clone())
                        .expect("a free id")
                })
                .collect();
            // A prime, so that neighbours in time are none in memory.
            let other = |n: usize| &names[(n * 7_919 + 1) % size];
            made += timed(|| {
                each(&slots, |n, slot| {
                    assert!(directory.join(slot, &names[n]).changed)
                })
            });
            joined += timed(|| {
                each(&slots, |n, slot| {
                    assert!(directory.join(slot, other(n)).changed)
                })
            });
            found += timed(|| {
                each(&slots, |n, slot| {
                    assert!(black_box(directory.contains(slot, other(n))))
                });
            });
            listed += timed(|| {
                assert_eq!(black_box(directory.rooms().map(str::len).count()), 2 * size);
            });
            left += timed(|| {
                each(&slots, |n, slot| {
                    assert!(directory.leave(slot, other(n)).changed)
                })
            });
            ended += timed(|| {
                each(&slots, |n, slot| {
                    assert!(directory.leave(slot, &names[n]).changed)
                })
            });
            assert_eq!(directory.rooms().count(), size, "only their own are left");
        }
        let steps = (size * rounds) as f64;
        let millions = |time: Duration| steps / time.as_secs_f64() / 1e6;
        let goal = Some((2.0, true));
        println!("{size} sockets, {size} rooms");
        line("  join that makes the room", millions(made), "M/s", None);
        line("  join", millions(joined), "M/s", goal);
        line("  is it in that room", millions(found), "M/s", None);
        line("  leave", millions(left), "M/s", goal);
        line("  leave that ends the room", millions(ended), "M/s", None);
        line(
            "  walk over all rooms, per room",
            millions(listed) * 2.0,
            "M/s",
            None,
        );
        size *= 10;
    }
}

fn each(slots: &[Slot], mut f: impl FnMut(usize, Slot)) {
    slots.iter().enumerate().for_each(|(n, slot)| f(n, *slot));
}

fn timed(f: impl FnOnce()) -> Duration {
    let began = thread_cpu();
    f();
    thread_cpu() - began
}

#[derive(Room)]
enum Room {
    Crowd(u32),
    Other,
}

#[derive(Event)]
#[event(client)]
struct Enter(u32);

#[derive(Event)]
#[event(server, to(Room::Crowd))]
struct News<'a>(&'a str);

#[derive(Namespace)]
#[namespace(path = "/", rooms(Room), client(Enter), server(News<'_>))]
struct App;

#[handler(App)]
async fn enter(socket: Socket<App>, Enter(room): Enter) {
    socket.join(Room::crowd(room));
}

fn runtime(workers: usize) -> runtime::Runtime {
    runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Connects that many clients in memory, and waits until all are in the crowd.
async fn fill(rooms: &RoomsLayer, io: &Io<App>, crowd: u32, count: usize) -> Vec<Taken> {
    let entry = format!(r#"42["enter",{crowd}]"#);
    let (sample, _) = Sink::saying(["40", &entry]);
    let said = sample.said();
    let mut all = Vec::with_capacity(count);
    for n in 0..count {
        let (sink, taken) = Sink::with(said.clone());
        sink.connect(rooms);
        all.push(taken);
        if n % 1_000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    while io.to(Room::crowd(crowd)).count().await < count {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    all
}

fn served() -> (RoomsLayer, Io<App>) {
    let rooms = RoomsLayer::new().namespace(App::serve(()).on(enter));
    let io = rooms.io::<App>();
    (rooms, io)
}

/// One room with everybody in it: how long an emit takes, and how long joins take beside it.
fn crowd(members: usize) {
    println!("A room of {members}, clients in memory, two workers");
    let runtime = runtime(2);
    runtime.block_on(async {
        let (rooms, io) = served();
        let taken = fill(&rooms, &io, 0, members).await;
        let ids = io.to(Room::crowd(0)).sockets().await;
        let before: u64 = taken.iter().map(Taken::bytes).sum();

        let over = Arc::new(AtomicBool::new(false));
        // Joins that room and others, and leaves them, from a thread that has nothing else to do.
        let hopper = {
            let (io, over, id) = (io.clone(), over.clone(), ids[members / 2].clone());
            std::thread::spawn(move || {
                let mut times = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    for room in [Room::Crowd(0), Room::Other] {
                        let began = Instant::now();
                        drop(io.to(&id).leave(&room));
                        times.push(began.elapsed());
                        let began = Instant::now();
                        drop(io.to(&id).join(&room));
                        times.push(began.elapsed());
                    }
                }
                times.sort_unstable();
                times
            })
        };
        let (mut emits, mut cpus) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let (began, cpu) = (Instant::now(), thread_cpu());
            io.to(Room::crowd(0))
                .emit(News("hello"))
                .expect("an open server");
            emits.push(began.elapsed());
            cpus.push(thread_cpu() - cpu);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        over.store(true, Ordering::Relaxed);
        let hops = hopper.join().expect("joins and leaves");
        emits.sort_unstable();
        cpus.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        line(
            "  emit, until all are queued (median)",
            ms(emits[2]),
            "ms",
            Some((150.0, false)),
        );
        line("  its CPU time (median)", ms(cpus[2]), "ms", None);
        line("  emit, the longest", ms(emits[4]), "ms", None);
        let at = |share: f64| ms(hops[((hops.len() - 1) as f64 * share) as usize]);
        line("  join or leave beside it (median)", at(0.5), "ms", None);
        line(
            "  join or leave beside it (p99.9)",
            at(0.999),
            "ms",
            Some((1.0, false)),
        );
        line(
            "  join or leave beside it, the longest",
            at(1.0),
            "ms",
            None,
        );
        println!("  ({} joins and leaves)", hops.len());
        // The hopper may have been out.
        let wanted = 5 * (members as u64 - 1) * frame_len(r#"42["news","hello"]"#);
        let patience = Instant::now();
        while taken.iter().map(Taken::bytes).sum::<u64>() < before + wanted {
            assert!(
                patience.elapsed() < Duration::from_secs(60),
                "events are missing"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    runtime.shutdown_background();
}

fn frame_len(packet: &str) -> u64 {
    let mut frame = Vec::new();
    rooms_bench::by_hand::frame(&mut frame, rooms_bench::by_hand::TEXT, packet.as_bytes());
    frame.len() as u64
}

/// The same work on one worker and on two: four rooms, a task that emits into each.
fn scaling() {
    const ROOMS: u32 = 4;
    const MEMBERS: usize = 5_000;
    const EVENTS: u64 = 200;
    println!(
        "{ROOMS} rooms of {MEMBERS}, clients in memory, {EVENTS} events to each from a task of its own"
    );
    let deliveries = (u64::from(ROOMS) * MEMBERS as u64 * EVENTS) as f64;
    let mut rates = [Vec::new(), Vec::new()];
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..5 {
        for workers in [1, 2] {
            let runtime = runtime(workers);
            let (time, cpu) = runtime.block_on(async {
                let (rooms, io) = served();
                let mut taken = Vec::new();
                for room in 0..ROOMS {
                    taken.extend(fill(&rooms, &io, room, MEMBERS).await);
                }
                let text = "x".repeat(64);
                let packet = frame_len(&format!(r#"42["news","{text}"]"#));
                let bytes = || taken.iter().map(Taken::bytes).sum::<u64>();
                let wanted = bytes() + packet * deliveries as u64;
                let (began, cpu) = (Instant::now(), process_cpu());
                for room in 0..ROOMS {
                    let (io, text) = (io.clone(), text.clone());
                    tokio::spawn(async move {
                        for _ in 0..EVENTS {
                            io.to(Room::crowd(room))
                                .emit(News(&text))
                                .expect("an open server");
                            tokio::task::yield_now().await;
                        }
                    });
                }
                while bytes() < wanted {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                assert_eq!(bytes(), wanted);
                (began.elapsed(), process_cpu() - cpu)
            });
            runtime.shutdown_background();
            rates[workers - 1].push(deliveries / time.as_secs_f64() / 1e6);
            costs[workers - 1].push(cpu.as_secs_f64() / deliveries * 1e9);
        }
    }
    for runs in rates.iter_mut().chain(&mut costs) {
        runs.sort_unstable_by(f64::total_cmp);
    }
    let [one, two] = [rates[0][2], rates[1][2]];
    line("  one worker", one, "M/s", None);
    line("  two workers", two, "M/s", None);
    line("  ratio", two / one, "", Some((1.8, true)));
    line("  CPU time, one worker", costs[0][2], "ns", None);
    // A busy machine holds the ratio above down; what workers cost each other shows here all the same.
    line("  CPU time, two workers", costs[1][2], "ns", None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn small_sizes_run() {
        index(1_000);
        crowd(100);
    }
}
