//! Emitters: what they pass on, and that servers carry it out.

use rooms_layer::{
    Emitter, Error, RoomsLayer, SocketId,
    prelude::*,
    rooms::{
        Adapter, AdapterError, Selection,
        adapter::{
            Answers, Broadcast, Channel, Command, Confirmed, Local, Moved, Opening, Publisher,
            Question,
        },
    },
    test::{Client, Recorder},
    wire::Data,
};
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, Mutex, Weak},
    time::Instant,
};

#[derive(Room, Debug, PartialEq)]
enum Room {
    Project(u64),
    Muted,
}

#[derive(Event, Serialize, Deserialize, Debug, PartialEq)]
#[event(server, to(Room::Project(project)))]
struct Built {
    project: u64,
    log: Bytes,
}

#[derive(Event, Debug, PartialEq)]
#[event(server, broadcast)]
struct Refresh(u8);

#[derive(Namespace)]
#[namespace(path = "/builds", rooms(Room), server(Built, Refresh))]
struct Builds;

#[derive(Namespace)]
#[namespace(path = "/workspace-{id}", rooms(Room), server(Refresh))]
struct Workspace {
    id: u64,
}

/// One namespace of a server, and its path.
type Server = (String, Weak<dyn Local>);

/// An engine with one server: whatever is published is noted, and handed to the server as far as it is there.
#[derive(Clone, Default)]
struct Engine {
    notes: Arc<Mutex<Vec<String>>>,
    servers: Arc<Mutex<Vec<Server>>>,
    /// Why it takes nothing.
    down: Option<&'static str>,
}

impl Engine {
    fn emitter(&self) -> Emitter<Builds> {
        let engine = self.clone();
        Emitter::new(move |namespace| {
            Arc::new(Line {
                engine: engine.clone(),
                namespace: namespace.to_owned(),
            })
        })
    }

    fn note(&self, note: String) -> Confirmed {
        self.notes.lock().unwrap().push(note);
        match self.down {
            Some(cause) => Confirmed::when(std::future::ready(Err(AdapterError::new(cause)))),
            None => Confirmed::now(),
        }
    }

    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap())
    }
}

impl Adapter for Engine {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        let server = (opening.namespace.to_owned(), opening.local);
        self.servers.lock().unwrap().push(server);
        Box::new(Silent)
    }
}

/// The way of an emitter.
struct Line {
    engine: Engine,
    namespace: String,
}

impl Line {
    fn servers(&self) -> Vec<Arc<dyn Local>> {
        let servers = self.engine.servers.lock().unwrap();
        let here = servers.iter().filter(|(path, _)| *path == self.namespace);
        here.filter_map(|(_, local)| local.upgrade()).collect()
    }
}

impl Publisher for Line {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        for server in self.servers() {
            server.deliver(to, broadcast.clone());
        }
        self.engine.note(format!(
            "{} {}{} +{} to {:?} except {:?}",
            self.namespace,
            broadcast.data.json(),
            if broadcast.volatile { " volatile" } else { "" },
            broadcast.data.attachments().len(),
            to.rooms,
            to.except,
        ))
    }

    fn command(&self, to: &Selection, command: &Command) -> Confirmed {
        for server in self.servers() {
            server.obey(to, command);
        }
        let note = format!("{} {command:?} to {:?}", self.namespace, to.rooms);
        self.engine.note(note)
    }

    fn tell(&self, event: &Data) -> Confirmed {
        self.engine
            .note(format!("{} {}", self.namespace, event.json()))
    }
}

/// The server has nobody to speak to.
struct Silent;

impl Publisher for Silent {
    fn broadcast(&self, _: &Selection, _: &Broadcast) -> Confirmed {
        Confirmed::now()
    }

    fn command(&self, _: &Selection, _: &Command) -> Confirmed {
        Confirmed::now()
    }

    fn tell(&self, _: &Data) -> Confirmed {
        Confirmed::now()
    }
}

impl Channel for Silent {
    fn ask(&self, _: &Selection, _: Question<'_>, _: Instant) -> Option<Answers> {
        None
    }

    fn moved(&self, _: &SocketId, _: Moved<'_>) -> Confirmed {
        Confirmed::now()
    }
}

#[tokio::test]
async fn what_is_emitted_is_passed_on() -> Result<(), Error> {
    let engine = Engine::default();
    let out = engine.emitter();
    let built = || Built {
        project: 7,
        log: Bytes::from_static(b"ok"),
    };
    let json = r#"["built",{"project":7,"log":{"_placeholder":true,"num":0}}]"#;

    let sent = out.publish(built())?;
    assert_eq!(sent.local, 0, "there are no sockets here");
    sent.await?;
    out.to(Room::project(8)).emit_ref(&built())?;
    out.except(Room::muted()).volatile().emit(Refresh(1))?;
    out.emit(Refresh(2))?;
    out.to(SocketId::from("x")).emit(Refresh(3))?;
    assert_eq!(
        engine.notes(),
        [
            format!(r#"/builds {json} +1 to Some(["project:7"]) except []"#),
            format!(r#"/builds {json} +1 to Some(["project:8"]) except []"#),
            r#"/builds ["refresh",1] volatile +0 to None except ["muted"]"#.to_owned(),
            r#"/builds ["refresh",2] +0 to None except []"#.to_owned(),
            r#"/builds ["refresh",3] +0 to Some(["x"]) except []"#.to_owned(),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn other_namespaces_have_ways_of_their_own() -> Result<(), Error> {
    let engine = Engine::default();
    let out = engine.emitter();
    out.of::<Main>().emit(Refresh(1))?;
    out.at(Workspace { id: 3 }).emit(Refresh(2))?;
    out.at(Workspace { id: 3 })
        .of::<Builds>()
        .join(Room::muted())
        .await?;
    assert_eq!(
        engine.notes(),
        [
            r#"/ ["refresh",1] +0 to None except []"#,
            r#"/workspace-3 ["refresh",2] +0 to None except []"#,
            r#"/builds Join(["muted"]) to None"#,
        ]
    );
    Ok(())
}

#[tokio::test]
async fn an_engine_that_is_down_is_told_to_those_who_wait() {
    let engine = Engine {
        down: Some("no route"),
        ..Engine::default()
    };
    let out = engine.emitter();
    let said = out.emit(Refresh(1)).unwrap().await.unwrap_err().to_string();
    assert!(said.ends_with("no route"), "{said}");
    assert!(out.leave(Room::muted()).await.is_err());
}

#[tokio::test]
async fn servers_carry_out_what_emitters_say() -> Result<(), Error> {
    let engine = Engine::default();
    let rooms = RoomsLayer::with_adapter(engine.clone()).namespace(Builds::serve(()));
    let out = engine.emitter();
    let mut ann = Client::<Builds>::connect(&rooms, ()).await.unwrap();
    let mut bob = Client::<Builds>::connect(&rooms, ()).await.unwrap();

    out.to(ann.id()).join(Room::project(7)).await?;
    out.publish(Built {
        project: 7,
        log: Bytes::from_static(b"ok"),
    })?;
    assert_eq!(ann.expect::<Built>().await.log, b"ok"[..]);
    bob.expect_nothing().await;

    out.to(Room::project(7)).leave(Room::project(7)).await?;
    assert!(!ann.server_socket().is_in(Room::project(7)));

    out.except(bob.id()).disconnect_sockets().await?;
    ann.disconnected().await;
    out.emit(Refresh(9))?;
    assert_eq!(bob.expect::<Refresh>().await, Refresh(9));
    Ok(())
}

#[test]
fn a_recorder_takes_the_place_of_a_cluster() {
    let recorder = Recorder::<Workspace>::default();
    let out = recorder.emitter_at(Workspace { id: 1 });
    out.except(Room::muted()).emit(Refresh(1)).unwrap();
    let sent = recorder.next();
    assert!(sent.is_to_everyone() && sent.is_except(Room::muted()));
    assert_eq!(sent.decode::<Refresh>(), Refresh(1));
    assert!(recorder.is_empty());
}
