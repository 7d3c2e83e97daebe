use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
async fn join_project(
    socket: Socket<App>,
    join_project: JoinProject,
) -> Result<(), ApiError> {
    socket.join(Room::project(join_project.0));
    Ok(())
}

fn main() {}
