use super::*;
use crate::protocol::{
    limits,
    streams::{read_session, write_session},
};
use proptest::prelude::*;

fn id(number: u64) -> StreamId {
    format!("{number}-0").parse().unwrap()
}

fn session() -> Session {
    let mut session = Session::new(SocketId::from("s"), "token", "fence".into());
    session.joined(&["s".into()], id(10));
    session
}

fn rooms(names: &[&str]) -> Vec<Box<str>> {
    names.iter().map(|name| (*name).into()).collect()
}

#[test]
fn what_came_before_a_socket_does_not_concern_it() {
    let session = session();
    let everybody = Selection::everybody();
    assert!(!session.concerns(&everybody, id(10)));
    assert!(session.concerns(&everybody, id(11)));
    assert!(!session.concerns(&Selection::of(["r"]), id(11)));
    assert!(session.concerns(&Selection::of(["r", "s"]), id(11)));
    assert!(!session.concerns(&Selection::of::<&str>([]), id(11)));
    assert!(!session.concerns(&everybody.except(["s"]), id(11)));
}

#[test]
fn rooms_count_for_as_long_as_the_socket_was_there() {
    let mut session = session();
    session.joined(&rooms(&["r"]), id(20));
    session.left(&rooms(&["r"]), id(30));
    session.joined(&rooms(&["r"]), id(40));
    let r = Selection::of(["r"]);
    let heard = (15..45).filter(|number| session.concerns(&r, id(*number)));
    let expected: Vec<u64> = (21..=30).chain(41..45).collect();
    assert_eq!(heard.collect::<Vec<_>>(), expected);
    // Whoever was left out at that time stays left out.
    let but_r = Selection::everybody().except(["r"]);
    let heard = (15..45).filter(|number| session.concerns(&but_r, id(*number)));
    let expected: Vec<u64> = (15..=20).chain(31..=40).collect();
    assert_eq!(heard.collect::<Vec<_>>(), expected);
}

#[test]
fn too_many_rooms_that_were_left_make_the_past_unknown() {
    let mut session = session();
    for number in 0..=REMEMBERED_STAYS as u64 {
        let room = rooms(&[&number.to_string()]);
        session.joined(&room, id(100 + 2 * number));
        session.left(&room, id(101 + 2 * number));
    }
    assert!(!session.is_known(id(100)));
    assert!(session.is_known(id(101)));
}

#[test]
fn another_history_makes_the_past_unknown() {
    let mut session = session();
    session.restart(id(50));
    assert!(!session.is_known(id(49)));
    assert!(session.is_known(id(50)));
    assert!(!session.concerns(&Selection::everybody(), id(50)));
    assert!(session.concerns(&Selection::everybody(), id(51)));
}

#[test]
fn a_session_of_node_is_taken_over() {
    let saved = SavedSession {
        sid: "s".into(),
        pid: "p".into(),
        rooms: Names(rooms(&["s", "r"])),
        ..SavedSession::default()
    };
    let session = Session::restore(saved, "fence".into()).unwrap();
    assert_eq!(session.rooms(), rooms(&["r"]));
    assert!(session.is_known(StreamId::ZERO));
    assert!(session.concerns(&Selection::of(["r"]), id(1)));
}

#[test]
fn a_forged_session_is_refused() {
    let broken = |change: fn(&mut SavedSession)| {
        let mut saved = session().saved("/", "e");
        change(&mut saved);
        Session::restore(saved, "fence".into())
    };
    assert!(broken(|_| {}).is_some());
    assert!(broken(|saved| saved.known_since = Some("x".into())).is_none());
    assert!(broken(|saved| drop(saved.since.insert("s".into(), "x".into()))).is_none());
    let stay = || SavedStay {
        room: "r".into(),
        from: "1-0".into(),
        to: "x".into(),
    };
    assert!(
        Session::restore(
            SavedSession {
                left: vec![stay()],
                ..SavedSession::default()
            },
            "fence".into()
        )
        .is_none()
    );
}

/// What happens to a socket, at a place of the stream.
#[derive(Debug, Clone)]
enum Step {
    Join(u8),
    Leave(u8),
    Emit(Vec<u8>, Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let some = || prop::collection::vec(0u8..4, 0..3);
    prop_oneof![
        (0u8..4).prop_map(Step::Join),
        (0u8..4).prop_map(Step::Leave),
        (some(), some()).prop_map(|(to, except)| Step::Emit(to, except)),
    ]
}

proptest! {
    /// Beside a list of rooms that is asked at each emit: the session tells the same afterwards, also when it has been in Redis.
    #[test]
    fn a_session_knows_what_its_socket_got(steps in prop::collection::vec(step(), 0..60)) {
        let name = |room: u8| format!("r{room}");
        let mut session = Session::new(SocketId::from("s"), "token", "fence".into());
        session.joined(&["s".into()], StreamId::ZERO);
        let mut is_in = std::collections::BTreeSet::new();
        let mut emitted = Vec::new();
        let mut at = 0;
        for step in steps {
            match step {
                Step::Join(room) => {
                    is_in.insert(room);
                    session.joined(&[name(room).into()], id(at));
                }
                Step::Leave(room) => {
                    is_in.remove(&room);
                    session.left(&[name(room).into()], id(at));
                }
                Step::Emit(to, except) => {
                    at += 1;
                    let meant = to.is_empty() || to.iter().any(|room| is_in.contains(room));
                    let left_out = except.iter().any(|room| is_in.contains(room));
                    let selection = match to.is_empty() {
                        true => Selection::everybody(),
                        false => Selection::of(to.into_iter().map(name)),
                    };
                    let selection = selection.except(except.into_iter().map(name));
                    emitted.push((at, selection, meant && !left_out));
                }
            }
        }
        let saved = write_session(&session.saved("/", "e"));
        let saved = read_session(saved.as_bytes(), &limits(1_000_000)).unwrap();
        let restored = Session::restore(saved, "fence".into()).unwrap();
        for (at, to, got) in emitted {
            prop_assert_eq!(session.concerns(&to, id(at)), got);
            prop_assert_eq!(restored.concerns(&to, id(at)), got);
        }
    }
}
