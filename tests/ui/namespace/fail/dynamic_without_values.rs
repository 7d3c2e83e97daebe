use rooms_layer::prelude::*;

#[derive(Namespace)]
#[namespace(path = "/workspace-{id}")]
struct Workspace {
    id: u64,
}

fn main() {
    let rooms = RoomsLayer::new().namespace(Workspace::serve(()));
    let _ = rooms.io::<Workspace>();
}
