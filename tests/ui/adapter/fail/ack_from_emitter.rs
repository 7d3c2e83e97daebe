use demo::*;
use rooms_layer::bounds::CanEmit;
use rooms_layer::prelude::*;

/// Stands in for the back end of an adapter's emitter.
enum Publish {}
impl CanEmit for Publish {}

fn f(out: Io<App, Publish>) {
    out.to(Room::project(ProjectId(1)))
        .emit_with_ack(ConfirmDelete { id: ProjectId(1) })
        .ok();
}

fn main() {}
