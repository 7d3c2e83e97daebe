//! Which client events of a contract have a handler, counted by the compiler.
//!
//! A closed contract gives each of its client events a *slot*: a path through a binary tree, such as
//! `First<Second<Here>>`. What is handled so far is such a tree, and registering a handler takes the event's slot in it. So a
//! second handler for an event is an error where it is registered, an event that is left out is an error where the namespace
//! is mounted, both name the event, and the cost of either grows with the logarithm of the contract.

use super::namespace::AcceptedBy;
use std::marker::PhantomData;

/// An open namespace: nothing needs a handler, and the start of the server finds the second handler of an event.
#[derive(Debug)]
pub enum Open {}
/// A subtree without any handler.
#[derive(Debug)]
pub enum Vacant {}
/// An event that has its handler.
#[derive(Debug)]
pub enum Taken {}
/// A subtree with a handler somewhere below.
#[derive(Debug)]
pub struct Branch<L, R>(PhantomData<(L, R)>);

/// The rest of the path is in the first branch.
#[derive(Debug)]
pub struct First<P>(PhantomData<P>);
/// The rest of the path is in the second branch.
#[derive(Debug)]
pub struct Second<P>(PhantomData<P>);
/// The end of a path.
#[derive(Debug)]
pub enum Here {}

/// Handler `H` takes the slot of `E`, where `L` is what is handled so far.
///
/// `Self` is the path, because the compiler asks about types that it has yet to infer, and gives up at once only on those
/// whose `Self` is not known.
#[diagnostic::on_unimplemented(
    message = "`{H}` is a second handler for event `{E}`",
    label = "`{E}` already has a handler in this namespace",
    note = "an event has one handler per namespace: remove one of the two"
)]
pub trait Take<L, H, E> {
    /// What is handled afterwards.
    type Then;
}
impl<H, E, P> Take<Open, H, E> for P {
    type Then = Open;
}
impl<H, E> Take<Vacant, H, E> for Here {
    type Then = Taken;
}
impl<H, E, P: Take<Vacant, H, E>> Take<Vacant, H, E> for First<P> {
    type Then = Branch<P::Then, Vacant>;
}
impl<H, E, P: Take<Vacant, H, E>> Take<Vacant, H, E> for Second<P> {
    type Then = Branch<Vacant, P::Then>;
}
impl<L, R, H, E, P: Take<L, H, E>> Take<Branch<L, R>, H, E> for First<P> {
    type Then = Branch<P::Then, R>;
}
impl<L, R, H, E, P: Take<R, H, E>> Take<Branch<L, R>, H, E> for Second<P> {
    type Then = Branch<L, P::Then>;
}

/// Block `H` takes the slots that contract `C` has for all its events: `Self`, a balanced tree of [`Fork`]s.
pub trait TakeAll<C, L, H> {
    /// What is handled afterwards.
    type Then;
}
/// One event of a block.
#[derive(Debug)]
pub struct Leaf<E>(PhantomData<E>);
/// Both halves of the events of a block.
#[derive(Debug)]
pub struct Fork<A, B>(PhantomData<(A, B)>);

/// A block without events: it has hooks only.
impl<C, L, H> TakeAll<C, L, H> for () {
    type Then = L;
}
impl<C, L, H, E> TakeAll<C, L, H> for Leaf<E>
where
    E: AcceptedBy<C>,
    E::Slot: Take<L, H, E>,
{
    type Then = <E::Slot as Take<L, H, E>>::Then;
}
impl<C, L, H, A, B> TakeAll<C, L, H> for Fork<A, B>
where
    A: TakeAll<C, L, H>,
    B: TakeAll<C, A::Then, H>,
{
    type Then = B::Then;
}

/// The event `E`, whose slot is at `P`, has a handler.
#[diagnostic::on_unimplemented(
    message = "no handler for client event `{E}`",
    label = "`{E}` is in the contract but unhandled",
    note = "register one with `.on(..)` or `#[on]` before passing the namespace to the layer"
)]
pub trait Handled<E, P> {}
impl<E> Handled<E, Here> for Taken {}
impl<E, P, L: Handled<E, P>, R> Handled<E, First<P>> for Branch<L, R> {}
impl<E, P, L, R: Handled<E, P>> Handled<E, Second<P>> for Branch<L, R> {}
