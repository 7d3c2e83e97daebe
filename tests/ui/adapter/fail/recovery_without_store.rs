use rooms_layer::{
    RoomsLayer,
    bounds::CanRecover,
    rooms::adapter::{Adapter, Channel, Opening},
};

/// Stands in for an adapter that keeps no sessions.
struct Redis;

impl Adapter for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }
    fn open(&self, _: Opening<'_>) -> Box<dyn Channel> {
        unreachable!("this is compiled only")
    }
}

fn with_recovery<A: CanRecover>(_: RoomsLayer<A>) {}

fn f() {
    with_recovery(RoomsLayer::with_adapter(Redis));
}

fn main() {}
