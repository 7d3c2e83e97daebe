use demo::*;
use rooms_layer::{Changed, EmitIn, Emitter, Error, Sent, bounds::CanEmit, prelude::*};
use std::time::Duration;

fn task() -> Task {
    Task {
        title: String::new(),
        done: false,
    }
}

pub fn rooms(io: Io<App>, id: ProjectId, ids: Vec<ProjectId>) -> Result<(), Error> {
    let updated = || ProjectUpdated { id, change: task() };
    let user = Room::user(UserId("ann".into()));
    io.to(Room::project(id)).emit(updated())?;
    io.to(Room::project(id)).to(&user).emit(updated())?;
    let projects: Vec<_> = ids.iter().copied().map(Room::project).collect();
    io.to(&projects).except(&user).emit(updated())?;
    io.to(&projects[1..]).local().emit(updated())?;
    io.to([Room::project(id), Room::project(id)])
        .volatile()
        .emit(CursorMoved(1., 2.))?;
    io.to(Room::cell(id, "a:2", 3)).emit(CursorMoved(1., 2.))?;
    io.to(Room::Lobby).emit(CursorMoved(0., 0.))?; // A bare value: the event must be allowed everywhere.
    io.to(Room::lobby().erase()).emit(CursorMoved(0., 0.))?;
    io.emit(Maintenance)?;
    io.except(Room::lobby()).emit(Maintenance)?;
    io.publish(Renamed { id, name: "new" })?;
    Ok(())
}

pub fn a_target_is_a_value(io: &Io<App>, id: ProjectId, name: &str) -> Result<Sent, Error> {
    let room = io.to(Room::project(id));
    let renamed = Renamed { id, name };
    room.emit_ref(&renamed)?;
    room.clone().emit(renamed)
}

pub fn one_socket(socket: &Socket<App>, id: ProjectId) -> Result<bool, Error> {
    let other = socket.id();
    socket.emit(Maintenance)?;
    socket.io().to(other).emit(Maintenance)?;
    socket.to(Room::project(id)).emit(CursorMoved(0., 0.))?;
    socket.broadcast().emit(Maintenance)?;
    socket.publish(Renamed { id, name: "new" })?;
    let _: Vec<Room> = socket.rooms();
    let room = Room::project(id);
    let in_room = socket.is_in(&room);
    socket.leave(&room);
    socket.spawn(async {});
    socket.disconnect();
    socket.close();
    Ok(in_room)
}

pub async fn acknowledged(io: Io<App>, socket: Socket<App>, id: ProjectId) -> Result<(), Error> {
    let yes: bool = socket.emit_with_ack(ConfirmDelete { id }).await?;
    let mut votes = io
        .to(Room::project(id))
        .timeout(Duration::from_secs(1))
        .emit_with_ack(ConfirmDelete { id })?;
    while let Some((voter, vote)) = votes.next().await {
        println!("{voter:?}: {vote:?}, {yes}");
    }
    Ok(())
}

pub async fn sockets(io: Io<App>, id: ProjectId) -> usize {
    let room = io.to(Room::project(id));
    let moved: Changed = room.join(Room::lobby());
    moved.await.ok();
    room.leave(Room::lobby());
    for socket in room.sockets().await {
        io.to(socket).disconnect_sockets();
    }
    room.disconnect_sockets();
    room.count().await
}

pub async fn from_a_worker(out: Emitter<App>, id: ProjectId) -> Result<(), Error> {
    let renamed = Renamed { id, name: "new" };
    out.to(Room::project(id)).emit_ref(&renamed)?;
    out.publish(renamed)?.await?;
    out.emit_ref(&Maintenance)?;
    out.except(Room::lobby()).volatile().emit(Maintenance)?;
    out.join(Room::lobby()).await?;
    out.to(Room::lobby()).leave(Room::lobby()).await?;
    out.disconnect_sockets().await?;
    either(&out, id)?;
    Ok(())
}

/// A helper that is generic over the back end.
pub fn either<B: CanEmit>(io: &Io<App, B>, id: ProjectId) -> Result<Sent, Error> {
    io.publish(Renamed { id, name: "new" })
}

/// A helper that is generic over the event.
pub fn tell<E: EmitIn<App, room::User>>(
    io: &Io<App>,
    user: UserId,
    event: E,
) -> Result<Sent, Error> {
    io.to(Room::user(user)).emit(event)
}

pub fn told(io: &Io<App>, id: ProjectId) -> Result<Sent, Error> {
    let change = task();
    tell(io, UserId("ann".into()), ProjectUpdated { id, change })
}
