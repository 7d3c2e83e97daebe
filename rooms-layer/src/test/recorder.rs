#[cfg(feature = "server")]
mod server;

use crate::{
    contract::{
        DynamicNamespace, Emitter, Event, Main, Namespace,
        bounds::{DecodeArgs, StaticNamespace, Target},
    },
    rooms::{
        Selection,
        adapter::{Broadcast, Command, Confirmed, Publisher},
    },
    wire::{Args, Data},
};
use std::{
    collections::VecDeque,
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard},
};

/// A cluster whose emits can be looked at: for tests of HTTP handlers, of workers, and of anything else that takes an
/// [`Io`](crate::Io) or an [`Emitter`].
///
/// ```
/// # use rooms_layer::{prelude::*, test::Recorder, Error};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Room)] enum Room { Project(u64) }
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(server, to(Room::Project))]
/// # struct Renamed { name: String }
/// async fn rename(io: Io<Main>, id: u64, name: String) -> Result<(), Error> {
///     io.to(Room::project(id)).emit(Renamed { name })?;
///     Ok(())
/// }
///
/// # test();
/// # #[tokio::main(flavor = "current_thread")] async fn test() {
/// let recorder = Recorder::<Main>::new();
/// rename(recorder.io(), 7, "new".to_owned()).await.unwrap();
/// let sent = recorder.next();
/// assert!(sent.is_to(Room::project(7)));
/// assert_eq!(sent.decode::<Renamed>().name, "new");
/// # }
/// ```
///
/// The same for a worker, which needs no feature `server`:
///
/// ```
/// # use rooms_layer::{prelude::*, test::Recorder, Emitter, Error};
/// # #[derive(Event)] #[event(server, broadcast)] struct Refresh;
/// fn nightly(out: &Emitter<Main>) -> Result<(), Error> {
///     out.emit(Refresh)?;
///     Ok(())
/// }
///
/// let recorder = Recorder::<Main>::new();
/// nightly(&recorder.emitter()).unwrap();
/// assert!(recorder.next().is_to_everyone());
/// ```
pub struct Recorder<N: Namespace> {
    log: Log,
    #[cfg(feature = "server")]
    rooms: crate::layer::RoomsLayer<Recording>,
    kind: PhantomData<fn() -> N>,
}

type Log = Arc<Mutex<VecDeque<Recorded>>>;

struct Recorded {
    /// `None`: the servers themselves.
    to: Option<Selection>,
    name: String,
    args: Args,
}

/// The other servers, of which the recorder is all there is.
#[derive(Clone)]
struct Recording(Log);

/// One emit, as a [`Recorder`] has seen it.
pub struct Sending<N: Namespace> {
    recorded: Recorded,
    kind: PhantomData<fn() -> N>,
}

impl<N: Namespace> Recorder<N> {
    /// Makes one with nothing recorded.
    pub fn new() -> Self {
        let log = Log::default();
        Self {
            #[cfg(feature = "server")]
            rooms: crate::layer::RoomsLayer::with_adapter(Recording(log.clone())),
            log,
            kind: PhantomData,
        }
    }

    /// Returns an emitter whose emits are recorded.
    pub fn emitter(&self) -> Emitter<N>
    where
        N: Namespace<Contract: StaticNamespace>,
    {
        self.emitters().of()
    }

    /// Returns an emitter to one of the namespaces `N` whose emits are recorded.
    pub fn emitter_at(&self, namespace: N) -> Emitter<N>
    where
        N: DynamicNamespace,
    {
        self.emitters().at(namespace)
    }

    /// Takes out the emit that was recorded first.
    ///
    /// # Panics
    ///
    /// Panics when nothing is left.
    pub fn next(&self) -> Sending<N> {
        let recorded = self.lock().pop_front();
        Sending {
            recorded: recorded.expect("something was emitted"),
            kind: PhantomData,
        }
    }

    /// Returns how many emits are recorded and not taken out.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Tells whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

impl<N: Namespace> Recorder<N> {
    fn emitters(&self) -> Emitter<Main> {
        let recording = Recording(self.log.clone());
        Emitter::new(move |_| Arc::new(recording.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Recorded>> {
        self.log.lock().expect("no code panics under this lock")
    }
}

impl<N: Namespace> Default for Recorder<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N: Namespace> Sending<N> {
    /// Returns the name of the event.
    pub fn name(&self) -> &str {
        &self.recorded.name
    }

    /// Tells whether it was addressed to this room, or to all of these and no other.
    pub fn is_to<T: Target<N>>(&self, target: T) -> bool {
        let mut expected = names(target);
        expected.sort();
        let to = self.recorded.to.as_ref();
        let mut rooms = to.and_then(|to| to.rooms.clone());
        if let Some(rooms) = &mut rooms {
            rooms.sort();
        }
        rooms == Some(expected)
    }

    /// Tells whether it was addressed to everybody in the namespace.
    pub fn is_to_everyone(&self) -> bool {
        let to = self.recorded.to.as_ref();
        to.is_some_and(|to| to.rooms.is_none())
    }

    /// Tells whether it was for the servers themselves: [`Emitter::server_side_emit`].
    ///
    /// ```
    /// # use rooms_layer::{prelude::*, test::Recorder};
    /// #[derive(Event)]
    /// #[event(cluster)]
    /// struct Reload;
    ///
    /// let recorder = Recorder::<Main>::new();
    /// recorder.emitter().server_side_emit(Reload).unwrap();
    /// let sent = recorder.next();
    /// assert!(sent.is_to_servers() && !sent.is_to_everyone());
    /// ```
    pub fn is_to_servers(&self) -> bool {
        self.recorded.to.is_none()
    }

    /// Tells whether the sockets in this room were left out.
    pub fn is_except<T: Target<N>>(&self, target: T) -> bool {
        let except = self.recorded.to.iter().flat_map(|to| &to.except);
        let except: Vec<_> = except.collect();
        names(target).iter().all(|room| except.contains(&room))
    }

    /// Reads the event. It may borrow from what was recorded.
    ///
    /// # Panics
    ///
    /// Panics when it is another event.
    pub fn decode<'de, E>(&'de self) -> E
    where
        E: Event + DecodeArgs<'de>,
    {
        assert_eq!(self.name(), E::NAME, "another event was emitted");
        match E::decode(&self.recorded.args) {
            Ok(event) => event,
            Err(rejection) => panic!("`{}` can't be read again: {rejection}", E::NAME),
        }
    }
}

fn names<N: Namespace, T: Target<N>>(target: T) -> Vec<Box<str>> {
    let mut names = Vec::new();
    target.collect(&mut names);
    names
}

impl Recording {
    fn record(&self, to: Option<&Selection>, data: &Data) {
        let name = serde_json::Deserializer::from_str(&data.json()[1..])
            .into_iter()
            .next();
        let name = name.and_then(Result::ok).expect("an event has a name");
        let recorded = Recorded {
            to: to.cloned(),
            name,
            args: Args::from_data(data).expect("what was encoded can be read"),
        };
        let mut log = self.0.lock().expect("no code panics under this lock");
        log.push_back(recorded);
    }
}

impl Publisher for Recording {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        self.record(Some(to), &broadcast.data);
        Confirmed::now()
    }

    fn command(&self, _to: &Selection, _command: &Command) -> Confirmed {
        Confirmed::now()
    }

    fn tell(&self, event: &Data) -> Confirmed {
        self.record(None, event);
        Confirmed::now()
    }
}

impl<N: Namespace> fmt::Debug for Recorder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<N: Namespace> fmt::Debug for Sending<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("event", &self.recorded.name)
            .field("to", &self.recorded.to)
            .finish_non_exhaustive()
    }
}
