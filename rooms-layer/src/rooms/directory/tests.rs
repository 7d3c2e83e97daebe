use std::collections::{BTreeSet, HashMap};

use proptest::{prelude::*, sample::Index};

use super::*;

/// What the index should be: every socket with the rooms that it is in. Everything else follows from that.
#[derive(Default)]
struct Model {
    sockets: HashMap<String, (Slot, u64, BTreeSet<String>)>,
}

impl Model {
    fn count(&self, room: &str) -> usize {
        self.sockets
            .values()
            .filter(|(_, _, rooms)| rooms.contains(room))
            .count()
    }

    fn recipients(&self, selection: &Selection) -> BTreeSet<u64> {
        let any = |rooms: &BTreeSet<String>, names: &[Box<str>]| {
            names.iter().any(|name| rooms.contains(&**name))
        };
        self.sockets
            .values()
            .filter(|(_, _, rooms)| {
                selection
                    .rooms
                    .as_deref()
                    .is_none_or(|names| any(rooms, names))
            })
            .filter(|(_, _, rooms)| !any(rooms, &selection.except))
            .map(|&(_, handle, _)| handle)
            .collect()
    }
}

/// The directory and the model, doing the same steps and comparing what comes of each.
#[derive(Default)]
struct Pair {
    directory: Directory<u64>,
    model: Model,
    handles: u64,
    /// Slots of sockets that are gone.
    stale: Vec<Slot>,
    snapshots: Vec<(Snapshot<u64>, BTreeSet<u64>)>,
}

impl Pair {
    fn insert(&mut self, id: &str) {
        self.handles += 1;
        let result = self.directory.insert(id.into(), self.handles);
        if self.model.sockets.contains_key(id) {
            assert_eq!(result, Err(IdTaken));
        } else {
            let slot = result.expect("the id is free");
            self.model
                .sockets
                .insert(id.into(), (slot, self.handles, [id.into()].into()));
        }
    }

    fn remove(&mut self, id: &str) {
        let Some((slot, handle, rooms)) = self.model.sockets.remove(id) else {
            return;
        };
        let removed = self.directory.remove(slot).expect("the socket is there");
        assert_eq!((removed.id.as_str(), removed.handle), (id, handle));
        if rooms.contains(id) {
            assert_eq!(&*removed.rooms[0].name, id);
        }
        for room in &removed.rooms {
            assert_eq!(room.deleted, self.model.count(&room.name) == 0, "{room:?}");
        }
        assert_eq!(
            unique(removed.rooms.iter().map(|room| room.name.to_string())),
            rooms
        );
        self.stale.push(slot);
    }

    fn join(&mut self, id: &str, room: &str) {
        let before = self.model.count(room);
        let Some((slot, _, rooms)) = self.model.sockets.get_mut(id) else {
            return;
        };
        let changed = rooms.insert(room.into());
        let expected = Joined {
            changed,
            created: changed && before == 0,
        };
        assert_eq!(
            self.directory.join(*slot, room),
            expected,
            "{id} joins {room}"
        );
    }

    fn leave(&mut self, id: &str, room: &str) {
        let Some((slot, _, rooms)) = self.model.sockets.get_mut(id) else {
            return;
        };
        let (slot, changed) = (*slot, rooms.remove(room));
        let expected = Left {
            changed,
            deleted: changed && self.model.count(room) == 0,
        };
        assert_eq!(
            self.directory.leave(slot, room),
            expected,
            "{id} leaves {room}"
        );
    }

    fn select(&mut self, selection: &Selection) {
        let expected = self.model.recipients(selection);
        let slots = self.directory.slots(selection);
        assert_eq!(
            unique(
                slots
                    .iter()
                    .map(|&slot| *self.directory.handle(slot).unwrap())
            ),
            expected
        );
        self.snapshots
            .push((self.directory.select(selection), expected));
    }

    fn check(&self) {
        let Self {
            directory, model, ..
        } = self;
        assert_eq!(directory.len(), model.sockets.len());
        assert_eq!(directory.is_empty(), model.sockets.is_empty());

        let mut members = HashMap::<&str, BTreeSet<&str>>::new();
        for (id, &(slot, handle, ref rooms)) in &model.sockets {
            assert_eq!(directory.find(id), Some((slot, &handle)));
            assert_eq!(directory.id(slot).map(SocketId::as_str), Some(id.as_str()));
            assert_eq!(
                unique(directory.rooms_of(slot)),
                rooms.iter().map(String::as_str).collect()
            );
            for room in rooms {
                assert!(directory.contains(slot, room));
                members.entry(room).or_default().insert(id);
            }
        }
        assert_eq!(unique(directory.rooms()), members.keys().copied().collect());
        for (room, members) in members {
            assert_eq!(directory.count(room), members.len());
            assert_eq!(
                unique(directory.members_of(room).map(SocketId::as_str)),
                members
            );
        }
        for &slot in &self.stale {
            assert!(directory.id(slot).is_none() && directory.handle(slot).is_none());
        }
        for (snapshot, expected) in &self.snapshots {
            assert_eq!(
                &unique(walked(snapshot).into_iter()),
                expected,
                "a snapshot stays what it was"
            );
        }
    }
}

/// Collects what must not repeat.
fn unique<T: Ord>(items: impl Iterator<Item = T>) -> BTreeSet<T> {
    let items: Vec<_> = items.collect();
    let count = items.len();
    let set = BTreeSet::from_iter(items);
    assert_eq!(set.len(), count, "something came twice");
    set
}

#[derive(Clone, Debug)]
enum Step {
    Insert(String),
    Remove(String),
    Join(String, String),
    Leave(String, String),
    /// Somebody of the crowd, which fills chunks, joins or leaves.
    CrowdJoin(Index, String),
    CrowdLeave(Index, String),
    CrowdRemove(Index),
    Select(Selection),
    Stale(Index, String),
}

/// Ids and room names come from one small set, so that rooms named like sockets are the rule.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d", "x", "hall", ""]).prop_map(String::from)
}

fn selection() -> impl Strategy<Value = Selection> {
    let names = || prop::collection::vec(name().prop_map(String::into_boxed_str), 0..4);
    (prop::option::weighted(0.8, names()), names())
        .prop_map(|(rooms, except)| Selection { rooms, except })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => name().prop_map(Step::Insert),
        2 => name().prop_map(Step::Remove),
        6 => (name(), name()).prop_map(|(id, room)| Step::Join(id, room)),
        4 => (name(), name()).prop_map(|(id, room)| Step::Leave(id, room)),
        3 => (any::<Index>(), name()).prop_map(|(who, room)| Step::CrowdJoin(who, room)),
        3 => (any::<Index>(), name()).prop_map(|(who, room)| Step::CrowdLeave(who, room)),
        2 => any::<Index>().prop_map(Step::CrowdRemove),
        4 => selection().prop_map(Step::Select),
        1 => (any::<Index>(), name()).prop_map(|(which, room)| Step::Stale(which, room)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_index_does_what_the_model_does(
        crowd in prop::sample::select(vec![0_usize, 1, 3, 254, 515]),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut pair = Pair::default();
        let member = |who: usize| format!("member {who}");
        for who in 0..crowd {
            pair.insert(&member(who));
            pair.join(&member(who), "hall");
        }
        for step in steps {
            match step {
                Step::Insert(id) => pair.insert(&id),
                Step::Remove(id) => pair.remove(&id),
                Step::Join(id, room) => pair.join(&id, &room),
                Step::Leave(id, room) => pair.leave(&id, &room),
                Step::CrowdJoin(who, room) if crowd > 0 => pair.join(&member(who.index(crowd)), &room),
                Step::CrowdLeave(who, room) if crowd > 0 => pair.leave(&member(who.index(crowd)), &room),
                Step::CrowdRemove(who) if crowd > 0 => pair.remove(&member(who.index(crowd))),
                Step::Select(selection) => pair.select(&selection),
                Step::Stale(which, room) if !pair.stale.is_empty() => {
                    let slot = pair.stale[which.index(pair.stale.len())];
                    assert_eq!(pair.directory.join(slot, &room), Joined::default());
                    assert_eq!(pair.directory.leave(slot, &room), Left::default());
                    assert!(!pair.directory.contains(slot, &room));
                    assert_eq!(pair.directory.rooms_of(slot).count(), 0);
                    assert!(pair.directory.remove(slot).is_none());
                }
                _ => {}
            }
        }
        pair.check();
    }
}

#[test]
fn a_selection_is_a_union_without_the_excepted() {
    let mut directory = Directory::new();
    for (id, rooms) in [
        ("a", ["x", "y"].as_slice()),
        ("b", &["x", "c"]),
        ("c", &["y"]),
        ("d", &[]),
    ] {
        let slot = directory.insert(id.into(), id).unwrap();
        for room in rooms {
            directory.join(slot, room);
        }
    }
    let (d, _) = directory.find("d").unwrap();
    directory.leave(d, "d");

    let cases: [(Selection, &[&str]); 13] = [
        (Selection::everybody(), &["a", "b", "c", "d"]),
        (Selection::everybody().except(["a"]), &["b", "c", "d"]),
        (Selection::everybody().except(["x", "y"]), &["d"]),
        (Selection::of::<&str>([]), &[]),
        (Selection::of(["nowhere"]), &[]),
        (Selection::of(["x"]), &["a", "b"]),
        (Selection::of(["x", "y", "x"]), &["a", "b", "c"]),
        (Selection::of(["x"]).except(["a"]), &["b"]),
        (Selection::of(["a", "x"]).except(["y"]), &["b"]),
        // Somebody joined the room that is named by the id of another.
        (Selection::of(["c"]), &["b", "c"]),
        (Selection::everybody().except(["c"]), &["a", "d"]),
        // Who left their own room is neither reached nor excepted by their id.
        (Selection::of(["d"]), &[]),
        (Selection::everybody().except(["d"]), &["a", "b", "c", "d"]),
    ];
    for (selection, expected) in cases {
        let snapshot = directory.select(&selection);
        let recipients = unique(snapshot.iter().copied());
        assert_eq!(
            recipients,
            unique(walked(&snapshot).into_iter()),
            "{selection:?}"
        );
        assert_eq!(
            recipients,
            expected.iter().copied().collect(),
            "{selection:?}"
        );
    }
}

#[test]
fn a_room_named_like_a_socket_lives_while_either_half_does() {
    let mut directory = Directory::new();
    let host = directory.insert("host".into(), ()).unwrap();
    let guest = directory.insert("guest".into(), ()).unwrap();

    assert_eq!(
        directory.join(guest, "host"),
        Joined {
            changed: true,
            created: false
        }
    );
    assert_eq!(directory.count("host"), 2);
    assert_eq!(
        directory.leave(host, "host"),
        Left {
            changed: true,
            deleted: false
        }
    );
    assert_eq!(
        directory.leave(host, "host"),
        Left {
            changed: false,
            deleted: false
        }
    );
    assert_eq!(
        directory.leave(guest, "host"),
        Left {
            changed: true,
            deleted: true
        }
    );
    assert_eq!(
        directory.join(guest, "host"),
        Joined {
            changed: true,
            created: true
        }
    );
    assert_eq!(
        directory.join(host, "host"),
        Joined {
            changed: true,
            created: false
        }
    );

    let removed = directory.remove(host).unwrap();
    assert_eq!(
        removed.rooms,
        [LeftRoom {
            name: "host".into(),
            deleted: false
        }]
    );
    assert_eq!(
        directory
            .members_of("host")
            .map(SocketId::as_str)
            .collect::<Vec<_>>(),
        ["guest"]
    );

    let host = directory.insert("host".into(), ()).unwrap();
    let removed = directory.remove(guest).unwrap();
    let rooms: Vec<_> = removed
        .rooms
        .iter()
        .map(|room| (&*room.name, room.deleted))
        .collect();
    assert_eq!(rooms, [("guest", true), ("host", false)]);
    assert_eq!(directory.rooms_of(host).collect::<Vec<_>>(), ["host"]);
}

#[test]
fn a_reused_place_is_not_the_socket_that_had_it() {
    let mut directory = Directory::new();
    let first = directory.insert("a".into(), 1).unwrap();
    let _ = directory.remove(first);
    let second = directory.insert("a".into(), 2).unwrap();

    assert_eq!(first.index, second.index);
    assert!(directory.remove(first).is_none());
    assert_eq!(directory.find("a"), Some((second, &2)));
}

#[test]
fn a_hundred_thousand_rooms_and_a_crowd() {
    const MANY: u32 = 100_000;
    let mut directory = Directory::new();
    let slots: Vec<_> = (0..MANY)
        .map(|n| directory.insert(n.to_string().into(), n).unwrap())
        .collect();
    for (n, &slot) in slots.iter().enumerate() {
        directory.join(slot, "crowd");
        directory.join(slots[0], &format!("room {n}"));
    }
    assert_eq!(directory.rooms().count(), 2 * MANY as usize + 1);
    assert_eq!(directory.rooms_of(slots[0]).count(), MANY as usize + 2);
    assert_eq!(directory.count("crowd"), MANY as usize);

    let crowd = directory.select(&Selection::of(["crowd"]));
    for &slot in &slots[1..] {
        assert_eq!(
            directory.leave(slot, "crowd"),
            Left {
                changed: true,
                deleted: false
            }
        );
    }
    assert_eq!(directory.count("crowd"), 1);
    assert_eq!(crowd.iter().count(), MANY as usize);

    let removed = directory.remove(slots[0]).unwrap();
    assert!(removed.rooms.iter().all(|room| room.deleted));
    assert_eq!(directory.rooms().count(), MANY as usize - 1);
}

/// A socket in no rooms takes an entry, a place among everybody and a place in the table of ids; growing by doubling
/// leaves at most as much again unused. The handle and the id's text come on top.
#[test]
fn a_socket_in_no_rooms_costs_little() {
    type Handle = Arc<()>;
    let table_entry = size_of::<u32>() + 1;
    let socket = size_of::<Socket<Handle>>() + size_of::<Member<Handle>>() + table_entry
        - 2 * size_of::<Handle>();
    assert!(2 * socket < 200, "{socket} bytes");
}

/// A membership takes a place in the room and one in the socket's list; growing by doubling leaves at most as much again
/// unused.
#[test]
fn a_membership_costs_little() {
    assert!(2 * (size_of::<Member<Arc<()>>>() + size_of::<Membership>()) < 64);
    assert!(size_of::<Room<Arc<()>>>() <= 48);
}

/// The recipients as a broadcast walks over them.
fn walked<H: Copy>(snapshot: &Snapshot<H>) -> Vec<H> {
    let mut walked = Vec::new();
    snapshot.for_each(|&handle| walked.push(handle));
    walked
}
