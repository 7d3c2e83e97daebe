use crate::{
    api::Handle,
    engine::{Connection, Engine, Form, Pipe, Revision, Session},
    namespace::{Conversation, HandshakeInfo, Hub},
    transport::{self, Asked, Exchange, Handshake, Refused, Rules, Upgrading},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::upgrade::OnUpgrade;
use std::sync::Arc;

/// What answers the requests that are for us, shared by all clones of a service.
pub(super) struct Server {
    handle: Handle,
    /// With the slash at its end.
    path: Box<str>,
    rules: Rules,
}

/// How a request that is for us is answered.
pub(super) enum Answer<B> {
    AtOnce(Response<Bytes>),
    Exchange(Exchange<B>),
}

/// What an upgraded connection is for.
enum Purpose {
    Connect(Revision),
    Change(Session),
}

impl Server {
    pub(super) fn new(handle: Handle, path: &str, rules: Rules) -> Self {
        Self {
            handle,
            path: path.into(),
            rules,
        }
    }

    /// What other requests carry to their handlers.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Makes a connection of a pipe that speaks WebSocket from here on.
    pub(super) fn connect(
        &self,
        pipe: Arc<dyn Pipe>,
        received: &[u8],
        info: HandshakeInfo,
    ) -> Connection<Conversation> {
        // It is not refused here, so what is not served as revision 3 is served as 4.
        let revision = self.rules.revision(info.query()).unwrap_or(Revision::V4);
        connect(self.handle.hub(), revision, pipe, received, info)
    }

    /// Whether a request is for us: as in Node, whatever begins with the path.
    pub(super) fn serves<B>(&self, request: &Request<B>) -> bool {
        request.uri().path().starts_with(&*self.path)
    }

    /// Answers a request that is for us.
    pub(super) fn answer<B: Body>(&self, request: Request<B>) -> Answer<B> {
        self.inspect(request).unwrap_or_else(|refused| {
            let reason = refused.explain();
            match refused {
                Refused::NoUpgrade => tracing::error!(reason, "websocket refused"),
                _ => tracing::debug!(reason, "request refused"),
            }
            Answer::AtOnce(refused.response())
        })
    }

    fn inspect<B: Body>(&self, request: Request<B>) -> Result<Answer<B>, Refused> {
        Ok(match self.rules.inspect(&request, self.engine())? {
            Asked::Connect(handshake, revision) => {
                Answer::AtOnce(self.upgrade(request, &handshake, Purpose::Connect(revision))?)
            }
            Asked::Change(session, handshake) => {
                Answer::AtOnce(self.upgrade(request, &handshake, Purpose::Change(session))?)
            }
            Asked::ConnectPolling(form) => Answer::AtOnce(self.connect_polling(form, &request)),
            Asked::Get(session) => Answer::Exchange(Exchange::get(session)),
            Asked::Post(session) => {
                let (head, body) = request.into_parts();
                Answer::Exchange(Exchange::post(session, &head.headers, body))
            }
        })
    }

    fn connect_polling<B>(&self, form: Form, request: &Request<B>) -> Response<Bytes> {
        let hub = self.handle.hub();
        let info = Arc::new(HandshakeInfo::new(request.uri(), request.headers()));
        let upgrades = self.rules.transports.upgrades();
        let (connection, open) = self.engine().connect_polling(form, upgrades, |mailbox| {
            Conversation::new(hub.clone(), mailbox.clone(), info)
        });
        tokio::spawn(connection);
        transport::packets(open)
    }

    fn upgrade<B>(
        &self,
        mut request: Request<B>,
        handshake: &Handshake,
        purpose: Purpose,
    ) -> Result<Response<Bytes>, Refused> {
        if request.extensions().get::<OnUpgrade>().is_none() {
            return Err(Refused::NoUpgrade);
        }
        let upgrading = Upgrading::new(hyper::upgrade::on(&mut request));
        // Copied, so that nothing of the request stays: its headers share the server's read buffer.
        let kept = &self.handle.hub().config().kept_extensions;
        let info = HandshakeInfo::new(request.uri(), request.headers())
            .with_extensions(request.extensions(), kept);
        drop(request);
        let hub = self.handle.hub().clone();
        tokio::spawn(upgrade(hub, upgrading, info, purpose));
        Ok(transport::switching_protocols(handshake))
    }

    fn engine(&self) -> &Arc<Engine> {
        self.handle.hub().engine()
    }
}

async fn upgrade(hub: Arc<Hub>, upgrading: Upgrading, info: HandshakeInfo, purpose: Purpose) {
    let upgraded = match upgrading.pipe().await {
        Ok(upgraded) => upgraded,
        // The client went away before it was answered.
        Err(error) if error.is_closed() || error.is_incomplete_message() => {
            tracing::debug!(%error, "a client left during the upgrade");
            return;
        }
        Err(error) => {
            // The client has its 101 by now, so that only the log can tell.
            let hint = Refused::NoUpgrade.explain();
            tracing::error!(%error, hint, "a connection was promised and could not be upgraded");
            return;
        }
    };
    match purpose {
        Purpose::Connect(revision) => {
            let info = info.with_remote(upgraded.remote);
            // A task of its own, which lives long and should hold nothing of what led to it.
            let (pipe, received) = (upgraded.pipe, &upgraded.received);
            tokio::spawn(connect(&hub, revision, pipe, received, info));
        }
        Purpose::Change(session) => session.change(upgraded.pipe, &upgraded.received).await,
    }
}

fn connect(
    hub: &Arc<Hub>,
    revision: Revision,
    pipe: Arc<dyn Pipe>,
    received: &[u8],
    info: HandshakeInfo,
) -> Connection<Conversation> {
    let info = Arc::new(info);
    hub.engine().connect(revision, pipe, received, |mailbox| {
        Conversation::new(hub.clone(), mailbox.clone(), info)
    })
}
