use demo::*;
use rooms_layer::prelude::*;

fn f(socket: Socket<App>) {
    socket.emit(JoinProject(ProjectId(1))).ok();
}

fn main() {}
