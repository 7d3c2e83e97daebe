use rooms_layer::{
    RecoveryConfig, RoomsLayer,
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

fn f() {
    let _ = RoomsLayer::with_adapter(Redis).recovery(RecoveryConfig::default());
}

fn main() {}
