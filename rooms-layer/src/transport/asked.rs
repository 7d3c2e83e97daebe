use super::{
    Handshake, Origins, Refused,
    upgrade::{handshake, is_extended_connect},
};
use crate::engine::{Engine, Form, Revision, Session, Via};
use http::{HeaderMap, Method, request::Parts};
use std::sync::Arc;

/// What clients may connect by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transports {
    /// HTTP long-polling and WebSocket, and the change from the one to the other: what the stock client does unless it is told
    /// otherwise. The default.
    #[default]
    Both,
    /// HTTP long-polling alone, where something on the way lets no WebSocket through.
    Polling,
    /// WebSocket alone: no client needs its later requests to reach the same server. Clients must be told
    /// `transports: ["websocket"]`.
    WebSocket,
}

/// What a request on our path asks for.
pub(crate) enum Asked {
    /// A new connection by WebSocket.
    Connect(Handshake, Revision),
    /// A new connection by polling.
    ConnectPolling(Form),
    /// Packets.
    Get(Session),
    /// To take packets.
    Post(Session),
    /// To change to WebSocket.
    Change(Session, Handshake),
}

/// Who may connect, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) origins: Origins,
    pub(crate) transports: Transports,
    pub(crate) allow_eio3: bool,
}

impl Transports {
    /// The transports that a client may change to.
    pub(crate) fn upgrades(self) -> &'static [&'static str] {
        match self {
            Self::Both => &["websocket"],
            Self::Polling | Self::WebSocket => &[],
        }
    }

    fn find(self, name: Option<&str>) -> Option<Via> {
        match (self, name?) {
            (Self::Both | Self::Polling, "polling") => Some(Via::Polling),
            (Self::Both | Self::WebSocket, "websocket") => Some(Via::WebSocket),
            _ => None,
        }
    }
}

impl Rules {
    /// Decides what a request on our path asks for, in Engine.IO's order of checks.
    pub(crate) fn inspect(&self, request: &Parts, engine: &Arc<Engine>) -> Result<Asked, Refused> {
        let query = request.uri.query().unwrap_or("");
        let via = self.transports.find(parameter(query, "transport"));
        let via = via.ok_or(Refused::TransportUnknown)?;
        let revision = self.revision(query);
        if let Some(sid) = parameter(query, "sid") {
            let session = engine.session(sid).ok_or_else(|| stray(engine, sid))?;
            return match revision == Some(session.revision()) {
                true => self.inspect_session(request, via, session),
                false => Err(Refused::OtherProtocol),
            };
        }
        let is_connect = via == Via::WebSocket && is_extended_connect(request);
        if request.method != Method::GET && !is_connect {
            return Err(Refused::BadMethod);
        }
        match via {
            Via::WebSocket => {
                let handshake = handshake(request)?;
                self.inspect_origin(request)?;
                let revision = revision.ok_or(Refused::UnsupportedProtocol)?;
                Ok(Asked::Connect(handshake, revision))
            }
            Via::Polling if revision == Some(Revision::V3) => {
                let form = self.inspect_form(request, query)?;
                Ok(Asked::ConnectPolling(form))
            }
            Via::Polling => {
                self.inspect_origin(request)?;
                let revision = revision.ok_or(Refused::UnsupportedProtocol)?;
                Ok(Asked::ConnectPolling(revision.into()))
            }
        }
    }

    /// The revision that a query asks for; as in Node, whatever is not 4 is 3. `None` if it is not served.
    pub(super) fn revision(&self, query: &str) -> Option<Revision> {
        match parameter(query, "EIO") {
            Some("4") => Some(Revision::V4),
            _ => self.allow_eio3.then_some(Revision::V3),
        }
    }

    /// What the bodies of a session of revision 3 are written in.
    fn inspect_form(&self, request: &Parts, query: &str) -> Result<Form, Refused> {
        let Some(index) = parameter(query, "j") else {
            self.inspect_origin(request)?;
            return Ok(match parameter(query, "b64") {
                None | Some("") => Form::V3,
                Some(_) => Form::V3Text,
            });
        };
        self.inspect_with(request, Origins::admit_script)?;
        // As in Node, which keeps all but digits out of the script that it writes.
        let digits: String = index.chars().filter(char::is_ascii_digit).collect();
        let index = digits.parse().map_err(|_| Refused::BadCallback)?;
        Ok(Form::V3Jsonp(index))
    }

    fn inspect_session(
        &self,
        request: &Parts,
        via: Via,
        session: Session,
    ) -> Result<Asked, Refused> {
        match (via, &request.method) {
            (Via::WebSocket, _) => {
                let handshake = handshake(request)?;
                self.inspect_origin(request)?;
                Ok(Asked::Change(session, handshake))
            }
            (Via::Polling, _) if session.via() != Via::Polling => Err(Refused::OtherTransport),
            (Via::Polling, &Method::GET) => Ok(Asked::Get(session)),
            (Via::Polling, &Method::POST) => Ok(Asked::Post(session)),
            (Via::Polling, _) => Err(Refused::UnknownMethod),
        }
    }

    fn inspect_origin(&self, request: &Parts) -> Result<(), Refused> {
        self.inspect_with(request, Origins::admit)
    }

    fn inspect_with(
        &self,
        request: &Parts,
        admit: impl Fn(&Origins, &HeaderMap, Option<&str>) -> bool,
    ) -> Result<(), Refused> {
        let authority = request.uri.authority();
        let authority = authority.map(|authority| authority.as_str());
        match admit(&self.origins, &request.headers, authority) {
            true => Ok(()),
            false => Err(Refused::ForeignOrigin),
        }
    }
}

/// Why there is no session for an id.
fn stray(engine: &Engine, sid: &str) -> Refused {
    match engine.may_be_elsewhere(sid) {
        true => Refused::SessionElsewhere,
        false => Refused::SessionUnknown,
    }
}

/// The value of a query parameter; of several with that name the last one, as in Node. None of ours needs decoding.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.rsplit('&').find_map(|pair| {
        let value = pair.strip_prefix(name)?;
        match value.is_empty() {
            true => Some(value),
            false => value.strip_prefix('='),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{Inbound, Message},
        session::{CloseCause, DisconnectReason},
    };
    use http::Request;
    use std::task::{Context, Poll};

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    /// Nobody listens.
    struct Nothing;

    impl Inbound for Nothing {
        fn message(&mut self, _: Message<'_>, _: &mut Context<'_>) -> Result<(), CloseCause> {
            Ok(())
        }

        fn is_ready(&self) -> bool {
            true
        }

        fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }

        fn closed(&mut self, _: DisconnectReason, _: &mut Context<'_>) {}
    }

    fn get(uri: &str) -> http::request::Builder {
        Request::get(uri).header("host", "a.com")
    }

    fn upgrade(uri: &str) -> http::request::Builder {
        get(uri)
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", KEY)
    }

    fn name(asked: Asked) -> &'static str {
        match asked {
            Asked::Connect(_, Revision::V4) => "connect",
            Asked::Connect(_, Revision::V3) => "connect 3",
            Asked::ConnectPolling(Form::V4) => "connect polling",
            Asked::ConnectPolling(Form::V3) => "connect polling 3",
            Asked::ConnectPolling(Form::V3Text) => "connect polling 3 as text",
            Asked::ConnectPolling(Form::V3Jsonp(3)) => "connect polling 3 by script",
            Asked::ConnectPolling(form) => panic!("{form:?}"),
            Asked::Get(_) => "get",
            Asked::Post(_) => "post",
            Asked::Change(..) => "change",
        }
    }

    fn check(
        engine: &Arc<Engine>,
        rules: &Rules,
        request: http::request::Builder,
        expected: Result<&str, Refused>,
    ) {
        let request = request.body(()).expect("a valid request");
        let (request, ()) = request.into_parts();
        let result = rules.inspect(&request, engine).map(name);
        assert_eq!(result, expected, "{} {}", request.method, request.uri);
    }

    #[test]
    fn handshakes_are_inspected() {
        use Refused::*;
        let websocket = "/socket.io/?EIO=4&transport=websocket";
        let polling = "/socket.io/?EIO=4&transport=polling";
        let cases = [
            (upgrade(websocket), Ok("connect")),
            (get(polling), Ok("connect polling")),
            // An upgrade may be ignored (RFC 9110, section 7.8), and nobody asks for this one.
            (upgrade(polling), Ok("connect polling")),
            (
                upgrade("/?transport=x&EIO=4&transport=websocket"),
                Ok("connect"),
            ),
            (get("/?EIO=4"), Err(TransportUnknown)),
            (get("/?EIO=4&transport=webtransport"), Err(TransportUnknown)),
            (get("/?EIO=4&transport=__proto__"), Err(TransportUnknown)),
            (
                upgrade("/?EIO=4&transport=websocket&sid=x"),
                Err(SessionUnknown),
            ),
            (get("/?EIO=4&transport=polling&sid=x"), Err(SessionUnknown)),
            (get("/?EIO=4&transport=polling&sid="), Err(SessionUnknown)),
            (upgrade(websocket).method(Method::POST), Err(BadMethod)),
            (get(polling).method(Method::POST), Err(BadMethod)),
            (get(polling).method(Method::OPTIONS), Err(BadMethod)),
            (get("/?transport=polling"), Err(UnsupportedProtocol)),
            (
                upgrade("/?EIO=3&transport=websocket"),
                Err(UnsupportedProtocol),
            ),
            (get("/?EIO=5&transport=polling"), Err(UnsupportedProtocol)),
            (get(websocket), Err(NotAnUpgrade)),
            (
                upgrade(websocket).version(http::Version::HTTP_10),
                Err(NotAnUpgrade),
            ),
        ];
        let engine = Arc::new(Engine::new());
        for (request, expected) in cases {
            check(&engine, &Rules::default(), request, expected);
        }
    }

    #[test]
    fn handshakes_of_revision_3_are_inspected_where_they_are_allowed() {
        use Refused::*;
        let websocket = "/?EIO=3&transport=websocket";
        let polling = "/?EIO=3&transport=polling";
        let script = format!("{polling}&j=3");
        let at_home = |uri: &str| get(uri).header("referer", "https://a.com/page");
        let cases = [
            (upgrade(websocket), Ok("connect 3")),
            (get(polling), Ok("connect polling 3")),
            // Whatever is not 4.
            (get("/?transport=polling"), Ok("connect polling 3")),
            (get("/?EIO=abc&transport=polling"), Ok("connect polling 3")),
            (get("/?EIO=4&transport=polling"), Ok("connect polling")),
            (upgrade("/?EIO=4&transport=websocket"), Ok("connect")),
            (get(&format!("{polling}&b64=")), Ok("connect polling 3")),
            (
                get(&format!("{polling}&b64=1")),
                Ok("connect polling 3 as text"),
            ),
            (at_home(&script), Ok("connect polling 3 by script")),
            (
                at_home(&format!("{polling}&b64=1&j=_3;")),
                Ok("connect polling 3 by script"),
            ),
            (at_home(&format!("{polling}&j")), Err(BadCallback)),
            (at_home(&format!("{polling}&j=65536")), Err(BadCallback)),
            (get(&script), Err(ForeignOrigin)),
            (
                get(&script).header("referer", "https://b.com/"),
                Err(ForeignOrigin),
            ),
            // A client of revision 4 has no use for scripts.
            (get("/?EIO=4&transport=polling&j=3"), Ok("connect polling")),
            (get(polling).method(Method::POST), Err(BadMethod)),
            (get(websocket), Err(NotAnUpgrade)),
        ];
        let engine = Arc::new(Engine::new());
        let rules = Rules {
            allow_eio3: true,
            ..Rules::default()
        };
        for (request, expected) in cases {
            check(&engine, &rules, request, expected);
        }
    }

    #[tokio::test]
    async fn requests_are_of_the_revision_of_their_session() {
        let engine = Arc::new(Engine::new());
        let (_connection, sid) = session(&engine, Form::V3);
        let of = |eio| get(&format!("/?EIO={eio}&transport=polling&sid={sid}"));
        let allowing = Rules {
            allow_eio3: true,
            ..Rules::default()
        };
        check(&engine, &allowing, of("3"), Ok("get"));
        check(&engine, &allowing, of("4"), Err(Refused::OtherProtocol));
    }

    fn session(engine: &Arc<Engine>, form: Form) -> (impl Sized + use<>, String) {
        let (connection, open) = engine.connect_polling(engine.reserve(), form, &[], |_| Nothing);
        let open = str::from_utf8(&open.bytes).expect("text");
        let sid = open.split('"').nth(3).expect("an open packet");
        (connection, sid.to_owned())
    }

    #[tokio::test]
    async fn requests_of_a_session_are_inspected() {
        use Refused::*;
        let engine = Arc::new(Engine::new());
        let (_connection, sid) = session(&engine, Form::V4);
        let websocket = format!("/?EIO=4&transport=websocket&sid={sid}");
        let polling = format!("/?EIO=4&transport=polling&sid={sid}");
        let cases = [
            (get(&polling), Ok("get")),
            (get(&polling).method(Method::POST), Ok("post")),
            (upgrade(&websocket), Ok("change")),
            (get(&polling).method(Method::PUT), Err(UnknownMethod)),
            (get(&polling).method(Method::OPTIONS), Err(UnknownMethod)),
            (get(&polling).method(Method::HEAD), Err(UnknownMethod)),
            (get(&websocket), Err(NotAnUpgrade)),
            (upgrade(&websocket).method(Method::POST), Err(NotAnUpgrade)),
            (
                upgrade(&websocket).header("origin", "https://b.com"),
                Err(ForeignOrigin),
            ),
            (get(&polling.replace("EIO=4", "EIO=3")), Err(OtherProtocol)),
            (get(&polling.replace("EIO=4&", "")), Err(OtherProtocol)),
            (get(&polling.replace("polling", "x")), Err(TransportUnknown)),
            (get(&format!("{polling}A")), Err(SessionUnknown)),
            (
                get(&polling.to_lowercase().replace("eio", "EIO")),
                Err(SessionElsewhere),
            ),
        ];
        for (request, expected) in cases {
            check(&engine, &Rules::default(), request, expected);
        }
    }

    #[test]
    fn transports_may_be_switched_off() {
        let requests = || {
            [
                get("/?EIO=4&transport=polling"),
                upgrade("/?EIO=4&transport=websocket"),
            ]
        };
        let unknown = Err(Refused::TransportUnknown);
        let cases = [
            (Transports::Both, [Ok("connect polling"), Ok("connect")], 1),
            (
                Transports::Polling,
                [Ok("connect polling"), unknown.clone()],
                0,
            ),
            (Transports::WebSocket, [unknown, Ok("connect")], 0),
        ];
        let engine = Arc::new(Engine::new());
        for (transports, expected, upgrades) in cases {
            let rules = Rules {
                transports,
                ..Rules::default()
            };
            for (request, expected) in requests().into_iter().zip(expected) {
                check(&engine, &rules, request, expected);
            }
            assert_eq!(transports.upgrades().len(), upgrades, "{transports:?}");
        }
    }

    #[test]
    fn origins_are_inspected() {
        let engine = Arc::new(Engine::new());
        for request in [
            get("/?EIO=4&transport=polling"),
            upgrade("/?EIO=4&transport=websocket"),
        ] {
            let request = request.body(()).expect("a valid request");
            for (origin, expected) in [
                ("https://a.com", None),
                ("https://b.com", Some(Refused::ForeignOrigin)),
            ] {
                let mut request = request.clone();
                let headers = request.headers_mut();
                headers.insert("origin", origin.parse().expect("a value"));
                let (request, ()) = request.into_parts();
                let refused = Rules::default().inspect(&request, &engine).err();
                assert_eq!(refused, expected, "{origin}");
            }
        }
    }

    /// RFC 8441, section 5: no key, and neither `Connection` nor `Upgrade`.
    #[cfg(feature = "http2")]
    #[test]
    fn handshakes_over_http_2_are_inspected() {
        use Refused::*;
        use http::Version;
        use hyper::ext::Protocol;
        fn connect(uri: &str) -> http::request::Builder {
            get(uri)
                .method(Method::CONNECT)
                .version(Version::HTTP_2)
                .extension(Protocol::from_static("websocket"))
        }
        let websocket = "https://a.com/?EIO=4&transport=websocket";
        let polling = "https://a.com/?EIO=4&transport=polling";
        let version = "sec-websocket-version";
        let cases = [
            (connect(websocket).header(version, "13"), Ok("connect")),
            (connect(websocket), Err(BadWebSocketVersion)),
            (
                connect(websocket).header(version, "8"),
                Err(BadWebSocketVersion),
            ),
            (
                connect(websocket)
                    .header(version, "13")
                    .header("origin", "https://b.com"),
                Err(ForeignOrigin),
            ),
            (
                connect(&websocket.replace('4', "3")).header(version, "13"),
                Err(UnsupportedProtocol),
            ),
            (
                connect(&format!("{websocket}&sid=x")).header(version, "13"),
                Err(SessionUnknown),
            ),
            (connect(polling).header(version, "13"), Err(BadMethod)),
            (
                connect(websocket)
                    .extension(Protocol::from_static("connect-udp"))
                    .header(version, "13"),
                Err(BadMethod),
            ),
            (
                connect(websocket)
                    .version(Version::HTTP_11)
                    .header(version, "13"),
                Err(BadMethod),
            ),
            // What HTTP/1.1 asks by has no meaning in HTTP/2.
            (
                upgrade(websocket).version(Version::HTTP_2),
                Err(NotAnUpgrade),
            ),
            (get(polling).version(Version::HTTP_2), Ok("connect polling")),
        ];
        let engine = Arc::new(Engine::new());
        for (request, expected) in cases {
            check(&engine, &Rules::default(), request, expected);
        }
    }

    #[test]
    fn websocket_headers_are_inspected() {
        use Refused::*;
        let mut cases = vec![
            ("upgrade", "h2c", NotAnUpgrade),
            ("connection", "close", NotAnUpgrade),
            ("sec-websocket-version", "8", BadWebSocketVersion),
        ];
        for key in [
            "",
            "short",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ!==",
        ] {
            cases.push(("sec-websocket-key", key, BadWebSocketKey));
        }
        let engine = Arc::new(Engine::new());
        for (name, value, expected) in cases {
            let request = upgrade("/?EIO=4&transport=websocket").body(());
            let mut request = request.expect("a valid request");
            let headers = request.headers_mut();
            headers.insert(name, value.parse().expect("a value"));
            let (request, ()) = request.into_parts();
            let refused = Rules::default().inspect(&request, &engine).err();
            assert_eq!(refused, Some(expected), "{name}: {value}");
        }
    }
}
