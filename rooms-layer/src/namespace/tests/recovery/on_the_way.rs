//! What happens while a client comes back: an adapter that takes its time.

use super::*;
use crate::engine::Count;
use std::{
    sync::{Weak, mpsc},
    thread,
};

/// An adapter that reads what was missed only when it is let.
#[derive(Clone)]
struct Slow {
    lets: Arc<Semaphore>,
    asked: Arc<Notify>,
    fails: bool,
    /// Delivers what it records itself, as those do that put it into one order for all servers.
    delivers: bool,
    /// What it does when it is told that a socket is gone.
    at_gone: Arc<Mutex<Option<AtGone>>>,
}

type AtGone = Box<dyn FnOnce() + Send>;

struct SlowChannel {
    inner: Arc<dyn Channel>,
    local: Weak<dyn Local>,
    adapter: Slow,
}

impl Slow {
    fn new(fails: bool) -> Self {
        Self {
            lets: Arc::new(Semaphore::new(0)),
            asked: Arc::default(),
            fails,
            delivers: false,
            at_gone: Arc::default(),
        }
    }
}

impl Adapter for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        Box::new(SlowChannel {
            local: opening.local.clone(),
            inner: InMemory.open(opening).into(),
            adapter: self.clone(),
        })
    }
}

impl Publisher for SlowChannel {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        self.inner.broadcast(to, broadcast)
    }

    fn command(&self, to: &Selection, command: &Command) -> Confirmed {
        self.inner.command(to, command)
    }

    fn tell(&self, event: &Data) -> Confirmed {
        self.inner.tell(event)
    }
}

impl Channel for SlowChannel {
    fn ask(
        &self,
        to: &Selection,
        question: Question<'_>,
        deadline: std::time::Instant,
    ) -> Option<Answers> {
        self.inner.ask(to, question, deadline)
    }

    fn moved(&self, socket: &SocketId, moved: Moved<'_>) -> Confirmed {
        if let Moved::Gone(_) = moved
            && let Some(act) = self.adapter.at_gone.lock().unwrap().take()
        {
            act();
        }
        self.inner.moved(socket, moved)
    }

    fn recovery(&self) -> Option<&dyn Recovery> {
        Some(self)
    }
}

impl Recovery for SlowChannel {
    fn begin(&self, socket: &SocketId, token: &str) -> Confirmed {
        self.inner.recovery().unwrap().begin(socket, token)
    }

    fn end(&self, socket: &SocketId) {
        self.inner.recovery().unwrap().end(socket);
    }

    fn record(&self, to: &Selection, broadcast: &Broadcast) -> Recorded {
        let recorded = self.inner.recovery().unwrap().record(to, broadcast);
        match recorded {
            Recorded::Now(offset) if self.adapter.delivers => {
                let local = self.local.upgrade().unwrap();
                local.deliver(to, broadcast.clone().at(offset));
                Recorded::Later(Confirmed::now())
            }
            recorded => recorded,
        }
    }

    fn claim(&self, token: &str, offset: &str) -> adapter::BoxFuture<Option<Claimed>> {
        self.inner.recovery().unwrap().claim(token, offset)
    }

    fn missed(&self, claimed: &Claimed) -> adapter::BoxFuture<Result<Vec<Logged>, AdapterError>> {
        let (inner, claimed) = (self.inner.clone(), claimed.clone());
        let (lets, fails) = (self.adapter.lets.clone(), self.adapter.fails);
        self.adapter.asked.notify_one();
        Box::pin(async move {
            lets.acquire().await.unwrap().forget();
            match fails {
                true => Err(AdapterError::new("on purpose")),
                false => inner.recovery().unwrap().missed(&claimed).await,
            }
        })
    }
}

fn slow(fails: bool, engine: EngineConfig) -> (House, Arc<Semaphore>, Arc<Notify>) {
    let adapter = Slow::new(fails);
    let (lets, asked) = (adapter.lets.clone(), adapter.asked.clone());
    let house = recovering_with(adapter, RecoveryConfig::default(), engine);
    (house, lets, asked)
}

#[tokio::test]
async fn what_comes_during_the_way_back_comes_after_and_once() {
    let (house, lets, asked) = slow(false, EngineConfig::default());
    let (client, told, offset) = house.regular().await;
    house.lose(client).await;
    house.say(&to("a"), "while away");

    let mut client = house.visit().await;
    client
        .send(&format!("40{}", shown(&told.pid, &offset)))
        .await;
    asked.notified().await;
    // Recorded and held back: it is among both.
    house.say(&to("a"), "on the way");
    let volatile = Flags {
        volatile: true,
        ..Flags::default()
    };
    house
        .main
        .emit(&to("a"), volatile, event("volatile"))
        .unwrap();
    let asks = house
        .main
        .emit_with_ack(&to("a"), Flags::default(), event("ask"), MINUTE);
    lets.add_permits(1);

    assert_eq!(client.event().await.0, "while away");
    assert_eq!(client.event().await.0, "on the way");
    let reply = client.next().await;
    assert!(
        reply.starts_with(&format!(r#"40{{"sid":"{}""#, told.sid)),
        "{reply}"
    );
    assert_eq!(client.next().await, r#"420["ask"]"#);
    house.say(&to("a"), "on");
    assert_eq!(client.event().await.0, "on");
    client.send(r#"430["yes"]"#).await;
    let (from, answer) = asks.unwrap().next().await.unwrap();
    assert_eq!(from.as_str(), told.sid);
    assert_eq!(answer.unwrap().get::<String>(0).unwrap(), "yes");
}

#[tokio::test]
async fn nobody_stays_in_a_room_who_gives_up_on_the_way_back() {
    let (house, lets, asked) = slow(false, EngineConfig::default());
    let (client, told, offset) = house.regular().await;
    house.lose(client).await;

    let mut client = house.visit().await;
    client
        .send(&format!("40{}", shown(&told.pid, &offset)))
        .await;
    asked.notified().await;
    assert_eq!(house.main.count(&to("a")), 1);
    house.lose(client).await;
    assert_eq!(house.main.rooms(), Vec::<String>::new());

    house.say(&to("a"), "missed");
    lets.add_permits(1);
    let (_client, again) = house.come_back(&told.pid, &offset).await;
    again.is(&told, &["missed"]);
}

#[tokio::test]
async fn what_is_held_back_is_bounded() {
    let engine = EngineConfig {
        max_queued_packets: 20,
        ..EngineConfig::default()
    };
    let (house, _lets, asked) = slow(false, engine);
    let (client, told, offset) = house.regular().await;
    house.lose(client).await;
    let mut client = house.visit().await;
    client
        .send(&format!("40{}", shown(&told.pid, &offset)))
        .await;
    asked.notified().await;
    for _ in 0..21 {
        house.say(&to("a"), "x");
    }
    assert_eq!(client.end().await, [""; 0]);
    assert_eq!(house.main.rooms(), Vec::<String>::new());
}

#[tokio::test]
async fn a_client_that_is_told_to_go_on_the_way_back_goes() {
    let (house, lets, asked) = slow(false, EngineConfig::default());
    let (client, told, offset) = house.regular().await;
    house.lose(client).await;
    let mut client = house.visit().await;
    client
        .send(&format!("40{}", shown(&told.pid, &offset)))
        .await;
    asked.notified().await;
    house
        .main
        .obey(&to("a"), &Command::Disconnect { close: false });
    lets.add_permits(1);
    // Its session went with it.
    let text = client.next().await;
    assert!(
        text.starts_with(r#"40{"sid":""#) && !text.contains(&told.sid),
        "{text}"
    );
}

#[tokio::test]
async fn where_the_missed_can_not_be_had_the_client_is_a_new_one() {
    let (house, lets, _) = slow(true, EngineConfig::default());
    let (client, told, offset) = house.regular().await;
    house.lose(client).await;
    lets.add_permits(9);
    let (mut client, new) = house.come_back(&told.pid, &offset).await;
    new.is_new_beside(&told);
    house.say(&Selection::everybody(), "on");
    assert_eq!(client.event().await.0, "on");
    let peers = house.main.sockets(&Selection::everybody());
    assert_eq!(peers, [SocketId::from(new.sid.as_str())]);
}

#[tokio::test]
async fn of_two_that_claim_at_once_one_comes_back() {
    let (house, lets, asked) = slow(false, EngineConfig::default());
    let (client, told, offset) = house.regular().await;
    house.lose(client).await;
    let mut first = house.visit().await;
    first
        .send(&format!("40{}", shown(&told.pid, &offset)))
        .await;
    asked.notified().await;
    let mut second = house.visit().await;
    second
        .send(&format!("40{}", shown(&told.pid, &offset)))
        .await;
    asked.notified().await;
    lets.add_permits(2);
    // The first gave way on its way back.
    assert_eq!(first.end().await, [""; 0]);
    let reply = second.next().await;
    assert!(reply.contains(&told.sid), "{reply}");
    assert_eq!(house.main.count(&to("a")), 1);
}

/// The adapter that claims its session would take the news for one of the socket that comes after it.
#[tokio::test]
async fn when_a_socket_on_its_way_out_is_evicted_the_adapter_knows_that_it_is_gone() {
    let adapter = Slow::new(false);
    let at_gone = adapter.at_gone.clone();
    let house = recovering_with(adapter, RecoveryConfig::default(), EngineConfig::default());
    let (client, told, _) = house.regular().await;
    let (main, id) = (house.main.clone(), house.peer_of(&told).id().clone());
    let (tell, told) = mpsc::channel();
    *at_gone.lock().unwrap() = Some(Box::new(move || {
        let (done, is_done) = mpsc::channel();
        let evicting = thread::spawn(move || {
            Local::evict(&*main, &id);
            done.send(())
        });
        let too_early = is_done.recv_timeout(Duration::from_millis(100)).is_ok();
        tell.send((too_early, evicting, is_done)).unwrap();
    }));
    house.lose(client).await;
    let (too_early, evicting, _is_done) = told.recv().unwrap();
    assert!(!too_early, "the adapter does not know yet");
    evicting.join().unwrap().unwrap();
}

#[tokio::test]
async fn what_an_adapter_delivers_itself_is_one_emit() {
    let mut adapter = Slow::new(false);
    adapter.delivers = true;
    let house = recovering_with(adapter, RecoveryConfig::default(), EngineConfig::default());
    let (mut client, _) = house.come("{}").await;
    house.say(&Selection::everybody(), "one");
    house.say(&to("empty"), "for nobody");
    house.say(&Selection::everybody(), "two");
    assert_eq!(client.event().await.0, "one");
    assert_eq!(client.event().await.0, "two");
    let counters = house.hub.engine().counters();
    assert_eq!(counters.get(Count::EventsOut), 3);
    assert_eq!(counters.get(Count::Deliveries), 2);
}
