use crate::{
    api::Handle,
    engine::{Connection, Pipe},
    namespace::{Conversation, HandshakeInfo, Hub},
    transport::{self, Origins, Refused, Upgrading},
};
use bytes::Bytes;
use http::{Request, Response};
use hyper::upgrade::OnUpgrade;
use std::sync::Arc;

/// What answers the requests that are for us, shared by all clones of a service.
pub(super) struct Server {
    handle: Handle,
    /// With the slash at its end.
    path: Box<str>,
    origins: Origins,
}

impl Server {
    pub(super) fn new(handle: Handle, path: &str, origins: Origins) -> Self {
        Self {
            handle,
            path: path.into(),
            origins,
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
        connect(self.handle.hub(), pipe, received, info)
    }

    /// Whether a request is for us: as in Node, whatever begins with the path.
    pub(super) fn serves<B>(&self, request: &Request<B>) -> bool {
        request.uri().path().starts_with(&*self.path)
    }

    /// Answers a request that is for us.
    pub(super) fn answer<B>(&self, request: Request<B>) -> Response<Bytes> {
        match self.open(request) {
            Ok(response) => response,
            Err(refused) => {
                let reason = refused.explain();
                match refused {
                    Refused::NoUpgrade => tracing::error!(reason, "websocket refused"),
                    _ => tracing::debug!(reason, "connection refused"),
                }
                refused.response().map(|body: String| Bytes::from(body))
            }
        }
    }

    fn open<B>(&self, mut request: Request<B>) -> Result<Response<Bytes>, Refused> {
        let handshake = transport::inspect(&request, &self.origins)?;
        if request.extensions().get::<OnUpgrade>().is_none() {
            return Err(Refused::NoUpgrade);
        }
        let upgrading = Upgrading::new(hyper::upgrade::on(&mut request));
        // Copied, so that nothing of the request stays: its headers share the server's read buffer.
        let kept = &self.handle.hub().config().kept_extensions;
        let info = HandshakeInfo::new(request.uri(), request.headers())
            .with_extensions(request.extensions(), kept);
        drop(request);
        tokio::spawn(upgrade(self.handle.hub().clone(), upgrading, info));
        Ok(transport::switching_protocols(&handshake))
    }
}

async fn upgrade(hub: Arc<Hub>, upgrading: Upgrading, info: HandshakeInfo) {
    match upgrading.pipe().await {
        Ok(upgraded) => {
            let info = info.with_remote(upgraded.remote);
            connect(&hub, upgraded.pipe, &upgraded.received, info).await;
        }
        Err(error) => {
            // The client has its 101 by now, so that only the log can tell.
            let hint = Refused::NoUpgrade.explain();
            tracing::error!(%error, hint, "a connection was promised and could not be upgraded");
        }
    }
}

fn connect(
    hub: &Arc<Hub>,
    pipe: Arc<dyn Pipe>,
    received: &[u8],
    info: HandshakeInfo,
) -> Connection<Conversation> {
    let info = Arc::new(info);
    hub.engine().connect(pipe, received, |mailbox| {
        Conversation::new(hub.clone(), mailbox.clone(), info)
    })
}
