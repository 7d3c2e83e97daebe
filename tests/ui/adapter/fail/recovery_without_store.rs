use rooms_layer::Adapter;
use rooms_layer::prelude::*;

/// Stands in for an adapter that keeps no sessions.
struct Redis;

impl Adapter for Redis {
    const NAME: &'static str = "redis";
}

fn f() {
    RoomsLayer::with_adapter(Redis).recovery(std::time::Duration::from_secs(9));
}

fn main() {}
