//! The three shapes of an acknowledgement, and how each travels.

use super::error::{Error, Rejection};
use crate::wire::{Args, DecodeError};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, value::UnitDeserializer},
};
use std::marker::PhantomData;

/// How an event is acknowledged: [`NoAck`], [`Reply`] or [`Fallible`].
pub trait AckShape: 'static {
    /// What the side that waits gets.
    type Out: Send + 'static;
}

/// The event has no acknowledgement.
#[derive(Debug)]
pub enum NoAck {}

/// The event is answered with a `T`: `#[event(ack = T)]`.
#[derive(Debug)]
pub struct Reply<T>(PhantomData<fn() -> T>);

/// The event is answered with a `Result<T, E>`: `#[event(ack = Result<T, E>)]`.
///
/// It travels as `{ok: true, value: T}` or `{ok: false, error: E}`, which TypeScript narrows by `ok`.
#[derive(Debug)]
pub struct Fallible<T, E>(PhantomData<fn() -> (T, E)>);

impl AckShape for NoAck {
    type Out = ();
}
impl<T: Send + 'static> AckShape for Reply<T> {
    type Out = T;
}
impl<T: Send + 'static, E: Send + 'static> AckShape for Fallible<T, E> {
    type Out = Result<T, E>;
}

/// Sees through aliases such as `crate::Result<T>` in `#[event(ack = ..)]`.
#[diagnostic::on_unimplemented(
    message = "`ack = ..Result` must name a `Result<T, E>`",
    note = "write `ack(T)` to force a plain reply"
)]
#[doc(hidden)]
pub trait ResultParts {
    type Ok;
    type Err;
}
impl<T, E> ResultParts for Result<T, E> {
    type Ok = T;
    type Err = E;
}

/// An acknowledgement that can be read.
pub trait DecodeAck: AckShape {
    /// Reads what the client answered.
    ///
    /// # Errors
    ///
    /// Fails when the answer has another form than the event declares.
    fn decode(args: &Args) -> Result<Self::Out, DecodeError>;
}
/// Nothing to read. Without it, waiting for an event that declares no acknowledgement would be two errors.
impl DecodeAck for NoAck {
    fn decode(_: &Args) -> Result<(), DecodeError> {
        Ok(())
    }
}
impl<T: DeserializeOwned + Send + 'static> DecodeAck for Reply<T> {
    fn decode(args: &Args) -> Result<T, DecodeError> {
        args.get(0)
    }
}
impl<T, E> DecodeAck for Fallible<T, E>
where
    T: DeserializeOwned + Send + 'static,
    E: DeserializeOwned + Send + 'static,
{
    fn decode(args: &Args) -> Result<Result<T, E>, DecodeError> {
        args.get::<Verdict<T, E>>(0).map(|verdict| verdict.0)
    }
}

/// Lets the error half of an acknowledgement carry what the library has to say: a payload that does not decode, an
/// extractor that failed, a handler that panicked.
///
/// Implement `From<rooms_layer::Error>` and this comes with it; `?` on `emit(..)` then works in handlers as well.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` of this acknowledgement can't carry framework rejections",
    label = "`{Self}: From<rooms_layer::Error>` is missing",
    note = "a client that sends a bad payload must get a typed answer, not silence: `impl From<rooms_layer::Error> for {Self}`"
)]
pub trait FromRejection {
    /// The error that the client reads.
    fn from_rejection(rejection: Rejection) -> Self;
}
#[diagnostic::do_not_recommend]
impl<E: From<Error>> FromRejection for E {
    fn from_rejection(rejection: Rejection) -> Self {
        Error::from(rejection).into()
    }
}

/// Reads the wire form of [`Fallible`].
struct Verdict<T, E>(Result<T, E>);

impl<'de, T: Deserialize<'de>, E: Deserialize<'de>> Deserialize<'de> for Verdict<T, E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound = "T: Deserialize<'de>, E: Deserialize<'de>")]
        struct Fields<T, E> {
            ok: bool,
            #[serde(default)]
            value: Given<T>,
            #[serde(default)]
            error: Given<E>,
        }
        let fields = Fields::<T, E>::deserialize(deserializer)?;
        Ok(Verdict(if fields.ok {
            Ok(fields.value.or_undefined("value")?)
        } else {
            Err(fields.error.or_undefined("error")?)
        }))
    }
}

/// A field that may be absent, which is not the same as `null`.
struct Given<T>(Option<T>);

impl<T> Default for Given<T> {
    fn default() -> Self {
        Given(None)
    }
}
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Given(Some(value)))
    }
}
impl<'de, T: Deserialize<'de>> Given<T> {
    /// JavaScript drops a field that is `undefined`, so that `()` and `None` arrive as nothing at all.
    fn or_undefined<X: serde::de::Error>(self, name: &'static str) -> Result<T, X> {
        match self.0 {
            Some(value) => Ok(value),
            None => {
                T::deserialize(UnitDeserializer::<X>::new()).map_err(|_| X::missing_field(name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict;
    use serde::de::DeserializeOwned;
    use std::fmt::Debug;

    #[track_caller]
    fn check<T, E>(wire: &str, expected: Option<Result<T, E>>)
    where
        T: DeserializeOwned + PartialEq + Debug,
        E: DeserializeOwned + PartialEq + Debug,
    {
        let verdict = serde_json::from_str::<Verdict<T, E>>(wire);
        assert_eq!(verdict.ok().map(|verdict| verdict.0), expected, "{wire}");
    }

    #[test]
    fn verdicts() {
        check::<u8, String>(r#"{"ok":true,"value":1}"#, Some(Ok(1)));
        check::<u8, String>(r#"{"value":1,"ok":true}"#, Some(Ok(1)));
        check(
            r#"{"ok":false,"error":"no"}"#,
            Some(Err::<u8, _>("no".to_owned())),
        );
        check::<u8, String>(r#"{"ok":true,"error":"no"}"#, None);
        check::<u8, String>(r#"{"value":1}"#, None);
        check::<u8, String>("1", None);
    }

    #[test]
    fn undefined_is_nothing() {
        check::<(), String>(r#"{"ok":true}"#, Some(Ok(())));
        check::<(), String>(r#"{"ok":true,"value":null}"#, Some(Ok(())));
        check::<Option<u8>, ()>(r#"{"ok":true}"#, Some(Ok(None)));
        check::<u8, ()>(r#"{"ok":false}"#, Some(Err(())));
    }
}
