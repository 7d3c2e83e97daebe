//! What the load generator and the servers under test have agreed on, beyond the words in `README.md`.

use clap::ValueEnum;
use serde::Deserialize;
use std::{borrow::Cow, fmt};

/// How many small rooms there are.
pub const SEATS: u32 = 10_000;
/// How many members each of them has.
pub const MEMBERS: u32 = 5;

/// To whom events at a steady rate go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum To {
    /// The room that all clients are in.
    Room,
    /// Everybody in the namespace.
    All,
    /// The room, without every second client, who is in the room `muted` too.
    Except,
    /// One of the small rooms, another each time.
    Seats,
    /// The room, with bytes for a payload.
    Binary,
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            To::Room => "room",
            To::All => "all",
            To::Except => "except",
            To::Seats => "seats",
            To::Binary => "binary",
        })
    }
}

impl To {
    /// How many of `clients` clients get one event.
    pub fn recipients(self, clients: usize) -> u64 {
        match self {
            To::Except => clients.div_ceil(2) as u64,
            To::Seats => u64::from(MEMBERS),
            To::Room | To::All | To::Binary => clients as u64,
        }
    }
}

/// The small room that an event goes to: all over the place, and the same on every server.
pub fn seat(seq: u32) -> u32 {
    seq.wrapping_mul(2_654_435_761) % SEATS
}

/// What each of `clients` clients sends when the namespace has let it in: the acknowledged `join`, `mute` (which joins too)
/// or `sit, [ROOM, ...]`.
pub fn entry(to: To, clients: usize) -> impl Fn(usize) -> Option<Cow<'static, [u8]>> {
    move |client| {
        Some(match to {
            To::Except if client % 2 == 1 => Cow::Borrowed(br#"420["mute"]"#),
            To::Seats => {
                let places = (SEATS * MEMBERS) as usize;
                let rooms = (client..places)
                    .step_by(clients)
                    .map(|seat| seat as u32 / MEMBERS);
                let rooms: Vec<String> = rooms.map(|room| room.to_string()).collect();
                Cow::Owned(format!(r#"420["sit",[{}]]"#, rooms.join(",")).into_bytes())
            }
            _ => Cow::Borrowed(br#"420["join"]"#),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    #[test]
    fn every_seat_is_taken_by_somebody_else() {
        for clients in [1000, 5000] {
            let entry = entry(To::Seats, clients);
            let mut rooms: HashMap<u32, HashSet<usize>> = HashMap::new();
            for client in 0..clients {
                let text =
                    String::from_utf8(entry(client).expect("an entry").into_owned()).expect("text");
                let numbers = text
                    .trim_start_matches(r#"420["sit",["#)
                    .trim_end_matches("]]");
                for room in numbers.split(',') {
                    rooms
                        .entry(room.parse().expect("a number"))
                        .or_default()
                        .insert(client);
                }
            }
            assert_eq!(rooms.len(), SEATS as usize);
            assert!(
                rooms
                    .values()
                    .all(|members| members.len() == MEMBERS as usize)
            );
        }
    }

    #[test]
    fn events_are_spread_over_the_seats() {
        let seats: HashSet<u32> = (0..20_000).map(seat).collect();
        assert!(seats.len() > 8_000, "{}", seats.len());
    }
}
