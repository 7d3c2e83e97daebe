//! Snapshots of expansions: a change of what is printed is seen in review.

use super::apply;

fn pretty(item: &str) -> String {
    let tokens = apply(item);
    let file = syn::parse2(tokens).expect("an expansion is made of items");
    prettyplease::unparse(&file)
}

macro_rules! snapshots {
    ($($name:ident: $item:expr,)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(pretty($item));
        }
    )*};
}

snapshots! {
    event_with_named_fields: r#"#[derive(Event)]
        /// A project changed.
        #[event(name = "project updated", server, to(Room::Project(id), Room::User))]
        struct ProjectUpdated<T> { id: ProjectId, change: T }"#,
    event_with_arguments: "#[derive(Event)]
        #[event(client, ack = Result<Task, ApiError>)]
        struct AddTask<'a>(ProjectId, &'a str);",
    event_without_arguments: "#[derive(Event)] #[event(server, broadcast)] struct Maintenance;",
    event_with_a_mistake: "#[derive(Event)] #[event(broadcats)] struct Maintenance;",
    room: r#"#[derive(Room)]
        pub(crate) enum Room {
            Project(ProjectId),
            #[room(name = "c")] Cell { project: ProjectId, path: String },
            Lobby,
        }"#,
    room_key: "#[derive(RoomKey)] struct ProjectId(u64);",
    closed_namespace: r#"#[derive(Namespace)]
        #[namespace(path = "/", auth = Token, data = Session, state = Db, rooms(Room))]
        #[namespace(client(AddTask, Typing<'_>, Leave), server(ProjectUpdated<Task>))]
        struct App;"#,
    dynamic_namespace: r#"#[derive(Namespace)]
        #[namespace(path = "/team-{team}/board-{board}!", open)]
        pub struct Board { pub board: u64, pub team: TeamName }"#,
    open_namespace: "#[derive(Namespace)] #[namespace(open)] struct Chat;",
    server_of_a_contract: "#[derive(Namespace)]
        #[namespace(contract = Dashboard, data = Session)]
        struct App;",
    handler: "#[handler(App)]
        /// Adds a task.
        pub async fn add_task(socket: Socket<App>, State(db): State<Db>, task: AddTask<'_>) -> Result<Task, ApiError> {
            db.insert(task).await
        }",
    handler_with_a_mistake: "#[handler(App)] fn add_task(task: AddTask) {}",
    block: "#[handler(App)]
        impl<T: Send> Cursors<T> {
            #[on] async fn moved(&self, socket: Socket<App>, event: CursorMoved) {}
            #[on] async fn typing(&self, event: Typing<'_>) {}
            #[disconnect] async fn left(&self, socket: Socket<App>, why: DisconnectReason) {}
            async fn log(&self) {}
        }",
}

#[test]
fn another_path_is_used_throughout() {
    for item in [
        "#[derive(Event)] #[event(crate = my::rooms, ack = Result<A, B>, to(Room::A(id), any, dynamic))] struct E<'a> { id: &'a u8 }",
        "#[derive(Room)] #[room(crate = my::rooms)] enum Room { A(u8), B(String, u8), C }",
        "#[derive(RoomKey)] #[room_key(crate = my::rooms)] struct Id(u8);",
        "#[derive(Namespace)] #[namespace(crate = my::rooms, client(A, B), server(C), rooms(Room))] struct N;",
        "#[derive(Namespace)] #[namespace(crate = my::rooms, contract = C)] struct N;",
        "#[derive(Namespace)] #[namespace(crate = my::rooms, open)] struct N;",
        "#[derive(Namespace)] #[namespace(crate = my::rooms, open, path = \"/{a}\")] struct N { a: u8 }",
        "#[handler(crate = my::rooms)] async fn h(a: A, e: E) {}",
        "#[handler(N, crate = my::rooms)] impl H { #[on] async fn h(&self, e: E) {} #[connect] async fn c(&self) {} }",
    ] {
        let expansion = apply(item).to_string();
        assert!(expansion.contains("my :: rooms ::"), "{expansion}");
        assert!(!expansion.contains("rooms_layer"), "{expansion}");
    }
}
