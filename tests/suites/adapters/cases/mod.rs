//! What is true of every cluster, whatever joins its servers: the rows of the table.

mod commands;
mod payloads;
mod questions;
mod recovery;
mod rooms;
mod servers;

use crate::{cluster::Cluster, rigs::Need};
use futures_util::{FutureExt, future::LocalBoxFuture};

/// One thing that is true.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What a cluster must have for it.
    pub(crate) needs: &'static [Need],
    pub(crate) run: Run,
}

type Run = Box<dyn Fn(Cluster) -> LocalBoxFuture<'static, ()>>;

impl Case {
    pub(crate) fn new<F>(name: &'static str, run: fn(Cluster) -> F) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        let run = Box::new(move |cluster| run(cluster).boxed_local());
        let needs = &[];
        Self { name, needs, run }
    }

    pub(crate) fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }
}

/// All cases, in the order of the table.
pub(crate) fn all() -> Vec<Case> {
    let groups = [
        rooms::cases(),
        payloads::cases(),
        commands::cases(),
        questions::cases(),
        servers::cases(),
        recovery::cases(),
    ];
    groups.into_iter().flatten().collect()
}
