//! What the forms have in common.

use super::Malformed;
use bytes::Bytes;
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{Broadcast, SocketInfo},
    },
    wire::{Args, Data, Limits},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};

/// Who a message is for, and how it travels.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Opts {
    #[serde(default)]
    pub(crate) rooms: Names,
    #[serde(default)]
    pub(crate) except: Names,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) flags: Option<Flags>,
}

/// How an event travels. Node has more flags, which matter to the sender alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flags {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) volatile: bool,
    /// In milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<f64>,
}

impl Opts {
    pub(crate) fn new(to: &Selection) -> Self {
        let rooms = to.rooms.as_deref().unwrap_or_default();
        Self {
            rooms: Names(rooms.to_vec()),
            except: Names(to.except.clone()),
            flags: None,
        }
    }

    pub(crate) fn with_flags(mut self, flags: Flags) -> Self {
        self.flags = Some(flags);
        self
    }

    pub(crate) fn of_broadcast(to: &Selection, broadcast: &Broadcast) -> Self {
        Self::new(to).with_flags(Flags {
            volatile: broadcast.volatile,
            timeout: None,
        })
    }

    pub(crate) fn of_question(to: &Selection, timeout: Option<Duration>) -> Self {
        Self::new(to).with_flags(Flags {
            volatile: false,
            timeout: timeout.map(|timeout| timeout.as_millis() as f64),
        })
    }

    /// On the wire, no rooms mean everybody.
    pub(crate) fn selection(self) -> Selection {
        Selection {
            rooms: (!self.rooms.0.is_empty()).then_some(self.rooms.0),
            except: self.except.0,
        }
    }

    pub(crate) fn volatile(&self) -> bool {
        self.flags.as_ref().is_some_and(|flags| flags.volatile)
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        let millis = self.flags.as_ref()?.timeout?;
        // A day is more than anybody waits, and less than what overflows.
        Some(Duration::from_secs_f64(
            millis.clamp(0.0, 86_400_000.0) / 1_000.0,
        ))
    }
}

/// Names of rooms. Node's may be numbers, which name the same rooms as their digits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Names(pub(crate) Vec<Box<str>>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Name {
            Text(Box<str>),
            Number(serde_json::Number),
        }
        let names = Vec::<Name>::deserialize(deserializer)?;
        let text = |name| match name {
            Name::Text(text) => text,
            Name::Number(number) => number.to_string().into(),
        };
        Ok(Self(names.into_iter().map(text).collect()))
    }
}

/// An event inside a message. Its data is the array with the name in front.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Packet<'a> {
    #[serde(rename = "type", default)]
    kind: u8,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nsp: Option<Box<str>>,
}

impl<'a> Packet<'a> {
    /// The type of events, among the packets of Socket.IO.
    const EVENT: u8 = 2;

    pub(crate) fn new(event: &'a Data, namespace: Option<&str>) -> Self {
        Self {
            kind: Self::EVENT,
            data: raw(event.json()),
            nsp: namespace.map(Into::into),
        }
    }

    pub(crate) fn event(
        &self,
        attachments: Vec<Bytes>,
        limits: &Limits,
    ) -> Result<Data, Malformed> {
        Ok(Data::parse_event(self.data.get(), attachments, limits)?)
    }
}

/// A socket, as servers describe it to each other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SocketJson {
    id: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handshake: Option<Box<RawValue>>,
    #[serde(default)]
    rooms: Names,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

impl From<&SocketInfo> for SocketJson {
    fn from(socket: &SocketInfo) -> Self {
        // Node's servers look into both, and take objects for granted.
        let or_empty = |json: &Option<Arc<RawValue>>| {
            let json = json.as_deref().unwrap_or(raw("{}"));
            Some(json.to_owned())
        };
        Self {
            id: socket.id.as_str().into(),
            handshake: or_empty(&socket.handshake),
            rooms: Names(socket.rooms.clone()),
            data: or_empty(&socket.data),
        }
    }
}

impl From<SocketJson> for SocketInfo {
    fn from(socket: SocketJson) -> Self {
        let mut info = SocketInfo::new(SocketId::from(&*socket.id), socket.rooms.0);
        info.data = socket.data.map(Arc::from);
        info.handshake = socket.handshake.map(Arc::from);
        info
    }
}

/// The arguments of an answer: the first one, which is all that Node knows of, and all of them where they are not one.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) first: &'a RawValue,
    pub(crate) all: Option<Vec<&'a RawValue>>,
}

impl<'a> Answer<'a> {
    pub(crate) fn new(args: &'a Args) -> Self {
        let all = (0..args.len()).filter_map(|index| args.raw(index)).map(raw);
        let all: Vec<_> = all.collect();
        Self {
            first: all.first().copied().unwrap_or(raw("null")),
            all: (all.len() != 1).then_some(all),
        }
    }

    pub(crate) fn args(
        first: Option<&RawValue>,
        all: Option<Vec<&RawValue>>,
        attachments: Vec<Bytes>,
        limits: &Limits,
    ) -> Result<Args, Malformed> {
        let json = match all {
            Some(all) => serde_json::to_string(&all)?,
            None => format!("[{}]", first.map_or("null", RawValue::get)),
        };
        Ok(Args::parse(&json, attachments, limits)?)
    }
}

/// JSON that is known to be JSON.
pub(crate) fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).expect("what was serialised or checked before is JSON")
}
