use rooms_layer::{Error, prelude::*};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

#[derive(Room)]
enum A {
    X,
    Y(u8),
}

#[derive(Room)]
enum B {
    Z,
    W(String, u32),
}

mod inner {
    use rooms_layer::prelude::*;

    #[derive(Room)]
    pub(super) enum P {
        Type(u8),
        Other,
    }

    #[derive(Room)]
    pub enum Q {
        One,
    }
}

#[derive(Event)]
#[event(to(A::*, B::Z))]
struct SetAndKind;

#[derive(Event)]
#[event(to(A::*), to(B::*))]
struct TwoSets;

#[derive(Event)]
#[event(to(any))]
struct Anywhere;

#[derive(Event)]
#[event(to(dynamic, A::X))]
struct Dynamic;

#[derive(Event)]
#[event(to(inner::P::Type, self::inner::Q::One))]
struct ByPath;

/// Bounds, a constant, a where clause.
#[derive(Event, Serialize, Deserialize)]
#[event(broadcast)]
struct Generic<T: Clone, const N: usize>
where
    T: Default,
{
    #[serde(bound(deserialize = "T: Deserialize<'de>"))]
    value: T,
    #[serde(skip)]
    size: PhantomData<[(); N]>,
}

#[derive(Event, Serialize, Deserialize)]
#[event(name = "op", broadcast)]
#[serde(tag = "kind")]
enum Op {
    Insert { at: u32 },
    Delete { at: u32 },
}

#[derive(Serialize, Deserialize, Clone)]
struct Message {
    channel: u8,
    author: (String, u32),
}

/// The room is a field of a field.
#[derive(Event, Serialize, Deserialize)]
#[event(to(A::Y(message.channel)))]
struct Posted {
    message: Message,
}

/// The room is made from fields by position.
#[derive(Event)]
#[event(to(B::W(0, 1)))]
struct Positions<'a>(&'a str, u32);

#[derive(Event)]
#[event(to(B::W(message.author.0, count)))]
#[derive(Serialize)]
struct Deep {
    message: Message,
    count: u32,
}

#[derive(Event)]
#[event(client, ack = rooms_layer::Bytes)]
struct Download(String);

type ApiResult<T> = Result<T, ApiError>;

#[derive(Serialize)]
struct ApiError;

impl From<Error> for ApiError {
    fn from(_: Error) -> Self {
        ApiError
    }
}

/// An alias of `Result` is one.
#[derive(Event)]
#[event(client, ack = ApiResult<u32>)]
struct Aliased;

/// A plain reply, even of a `Result`.
#[derive(Event)]
#[event(client, ack(Result<u32, ()>))]
struct Plain;

/// A list of numbers, if one insists.
#[derive(Event, Serialize)]
struct Numbers {
    #[event(json_bytes)]
    bytes: Vec<u8>,
}

fn emits(io: Io<Main>) -> Result<(), Error> {
    io.to(A::x()).emit(SetAndKind)?;
    io.to(A::y(1)).emit(SetAndKind)?;
    io.to(B::z()).emit(SetAndKind)?;
    io.to(B::z()).to(A::x()).emit(TwoSets)?;
    io.to(B::w("a", 1)).emit(Anywhere)?;
    io.to(DynRoom::from("legacy room")).emit(Anywhere)?;
    io.to(DynRoom::from("x")).to(A::x()).emit(Dynamic)?;
    io.to(inner::P::r#type(1)).emit(ByPath)?;
    io.to(inner::Q::one()).emit(ByPath)?;
    io.emit(Generic::<u8, 3> {
        value: 1,
        size: PhantomData,
    })?;
    io.emit(Op::Insert { at: 1 })?;
    io.publish(Positions("a", 1))?;
    io.publish(Posted {
        message: Message {
            channel: 1,
            author: ("ann".into(), 1),
        },
    })?;
    Ok(())
}
