use super::{
    Answer, Asked, Exchange, Handshake, HttpConfig, Refused, Rules, Strays, Upgraded, Upgrading,
    exchange::packets, hooks, upgrade::switched,
};
use crate::{
    engine::{Connection, Engine, Entry, Form, Inbound, Mailbox, Pipe, Revision, Session},
    handshake::HandshakeInfo,
};
use bytes::Bytes;
use http::{Request, Response, header, request::Parts};
use http_body::Body;
use std::sync::Arc;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// What connections are for: the floor above.
pub(crate) trait Accept: Send + Sync + 'static {
    type Inbound: Inbound;
    /// Makes what takes the messages of a new connection. `sid` is its secret.
    fn accept(&self, mailbox: &Arc<Mailbox>, sid: &str, request: HandshakeInfo) -> Self::Inbound;
}

/// What answers the requests that are for us, shared by all clones of a service.
pub(crate) struct Server<A> {
    engine: Arc<Engine>,
    above: A,
    config: HttpConfig,
    rules: Rules,
    /// The places for handshakes that are under way.
    handshakes: Arc<Semaphore>,
    strays: Strays,
}

/// A handshake that has passed all checks but the application's.
struct Admitted {
    head: Parts,
    way: Way,
    place: OwnedSemaphorePermit,
}

/// How a client connects.
enum Way {
    Polling(Form),
    WebSocket(Handshake, Revision, Upgrading),
}

impl<A: Accept> Server<A> {
    pub(crate) fn new(engine: Arc<Engine>, above: A, config: HttpConfig) -> Self {
        let places = config.max_handshakes.min(Semaphore::MAX_PERMITS);
        Self {
            engine,
            above,
            rules: config.rules(),
            handshakes: Arc::new(Semaphore::new(places)),
            strays: Strays::default(),
            config,
        }
    }

    /// Makes a connection of a pipe that speaks WebSocket from here on. Nobody is asked.
    pub(crate) fn connect<B>(
        &self,
        pipe: Arc<dyn Pipe>,
        request: &Request<B>,
    ) -> Connection<A::Inbound> {
        let info = HandshakeInfo::new(request.uri(), request.headers())
            .with_extensions(request.extensions(), &self.config.kept_extensions);
        // It is not refused here, so what is not served as revision 3 is served as 4.
        let revision = self.rules.revision(info.query()).unwrap_or(Revision::V4);
        self.open(self.engine.reserve(), revision, pipe, &[], info)
    }

    /// Whether a request is for us: as in Node, whatever begins with the path.
    pub(crate) fn serves<B>(&self, request: &Request<B>) -> bool {
        request.uri().path().starts_with(&*self.config.path)
    }

    /// Answers a request that is for us.
    pub(crate) fn answer<B: Body>(self: &Arc<Self>, request: Request<B>) -> Answer<B> {
        let (head, body) = request.into_parts();
        let headers = self.config.hooks.headers(&head);
        let answer = self.inspect(head, body);
        answer
            .unwrap_or_else(|refused| Answer::at_once(self.refuse(&refused)))
            .with_headers(headers)
    }

    fn inspect<B: Body>(self: &Arc<Self>, mut head: Parts, body: B) -> Result<Answer<B>, Refused> {
        match self.rules.inspect(&head, &self.engine)? {
            Asked::Connect(handshake, revision) => {
                let upgrading = Upgrading::take(&mut head.extensions)?;
                self.decide(head, Way::WebSocket(handshake, revision, upgrading))
            }
            Asked::ConnectPolling(form) => self.decide(head, Way::Polling(form)),
            Asked::Change(session, handshake) => {
                let upgrading = Upgrading::take(&mut head.extensions)?;
                self.change(session, upgrading, self.place()?);
                Ok(Answer::at_once(switched(&handshake)))
            }
            Asked::Get(session) => Ok(Answer::exchange(Exchange::get(session))),
            Asked::Post(session) => {
                let exchange = Exchange::post(session, &head.headers, body);
                Ok(Answer::exchange(exchange))
            }
        }
    }

    /// A place among the handshakes under way.
    fn place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        let place = self.handshakes.clone().try_acquire_owned();
        place.map_err(|_| Refused::TooManyHandshakes)
    }

    /// Asks the application whether it wants a handshake.
    fn decide<B>(self: &Arc<Self>, head: Parts, way: Way) -> Result<Answer<B>, Refused> {
        let place = self.place()?;
        let admitted = Admitted { head, way, place };
        let Some(decision) = self.config.hooks.allow(&admitted.head) else {
            return self.welcome(admitted).map(Answer::at_once);
        };
        let server = self.clone();
        Ok(Answer::later(async move {
            let answer = match decision.await {
                Ok(()) => server.welcome(admitted),
                Err(refusal) => Err(Refused::ByApplication(refusal)),
            };
            answer.unwrap_or_else(|refused| server.refuse(&refused))
        }))
    }

    /// Opens a session.
    fn welcome(self: &Arc<Self>, admitted: Admitted) -> Result<Response<Bytes>, Refused> {
        let Admitted { head, way, place } = admitted;
        let entry = self.reserve(&head)?;
        // Copied, so that nothing of the request stays: its headers share the server's read buffer.
        let info = HandshakeInfo::new(&head.uri, &head.headers)
            .with_extensions(&head.extensions, &self.config.kept_extensions);
        // Before anything is begun, since it is the application's and may panic.
        let headers = self.config.hooks.initial_headers(&head);
        let mut response = match way {
            Way::Polling(form) => self.connect_polling(entry, form, info),
            Way::WebSocket(handshake, revision, upgrading) => {
                let server = self.clone();
                tokio::spawn(async move {
                    let upgraded = server.handed_over(upgrading).await;
                    drop(place);
                    let Some(upgraded) = upgraded else { return };
                    let info = info.with_remote(upgraded.remote);
                    let (pipe, received) = (upgraded.pipe, &upgraded.received);
                    // A task of its own, which lives long and should hold nothing of what led to it.
                    tokio::spawn(server.open(entry, revision, pipe, received, info));
                });
                switched(&handshake)
            }
        };
        hooks::put(response.headers_mut(), headers);
        Ok(response)
    }

    fn refuse(&self, refused: &Refused) -> Response<Bytes> {
        self.engine.counters().add_refused(refused.label());
        if *refused == Refused::SessionElsewhere {
            self.strays.note();
        }
        refused.answer()
    }

    fn reserve(&self, head: &Parts) -> Result<Entry, Refused> {
        match self.config.hooks.id(head) {
            None => Ok(self.engine.reserve()),
            Some(id) => self.engine.reserve_id(&id).map_err(Refused::BadId),
        }
    }

    fn connect_polling(&self, entry: Entry, form: Form, info: HandshakeInfo) -> Response<Bytes> {
        let cookie = self.config.cookie.as_ref();
        let cookie = cookie.map(|cookie| cookie.header(entry.session().reveal()));
        let upgrades = self.rules.transports.upgrades();
        let sid = entry.session().clone();
        let (connection, open) = self
            .engine
            .connect_polling(entry, form, upgrades, |mailbox| {
                self.above.accept(mailbox, sid.reveal(), info)
            });
        tokio::spawn(connection);
        let mut response = packets(open);
        if let Some(cookie) = cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    /// Waits for the HTTP server to hand a connection over, for as long as that may take.
    async fn handed_over(&self, upgrading: Upgrading) -> Option<Upgraded> {
        let within = self.engine.config().upgrade_timeout;
        let upgraded = timeout(within, upgrading.pipe()).await;
        upgraded.unwrap_or_else(|_| {
            tracing::debug!("the server did not hand a connection over in time");
            None
        })
    }

    /// Has a WebSocket take over a session.
    fn change(
        self: &Arc<Self>,
        session: Session,
        upgrading: Upgrading,
        place: OwnedSemaphorePermit,
    ) {
        let server = self.clone();
        tokio::spawn(async move {
            if let Some(upgraded) = server.handed_over(upgrading).await {
                session.change(upgraded.pipe, &upgraded.received).await;
            }
            drop(place);
        });
    }

    fn open(
        &self,
        entry: Entry,
        revision: Revision,
        pipe: Arc<dyn Pipe>,
        received: &[u8],
        info: HandshakeInfo,
    ) -> Connection<A::Inbound> {
        let sid = entry.session().clone();
        let above = |mailbox: &Arc<Mailbox>| self.above.accept(mailbox, sid.reveal(), info);
        self.engine.connect(entry, revision, pipe, received, above)
    }
}
