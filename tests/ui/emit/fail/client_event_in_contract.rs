use rooms_layer::prelude::*;
use rooms_tests::demo::*;

fn f(socket: Socket<App>) {
    socket.emit(JoinProject(ProjectId(1))).ok();
}

fn main() {}
