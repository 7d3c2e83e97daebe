use rooms_layer::prelude::*;

struct Id(u64);

#[derive(Namespace)]
#[namespace(path = "/workspace-{ident}")]
struct Workspace {
    id: u64,
}

#[derive(Namespace)]
#[namespace(path = "/{a}{b}")]
struct Adjacent {
    a: u64,
    b: u64,
}

#[derive(Namespace)]
#[namespace(path = "/{id}")]
struct NoKey {
    id: Id,
}

fn main() {
    // The mistakes in the paths are the only ones.
    let rooms = RoomsLayer::new().namespace(Workspace::serve(()));
    rooms.at(Workspace { id: 1 }).ok();
    rooms.at(Adjacent { a: 1, b: 2 }).ok();
}
