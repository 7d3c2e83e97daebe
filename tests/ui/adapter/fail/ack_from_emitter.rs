use demo::*;
use rooms_layer::Emitter;

fn f(out: Emitter<App>) {
    out.to(Room::project(ProjectId(1)))
        .emit_with_ack(ConfirmDelete { id: ProjectId(1) })
        .ok();
}

fn main() {}
