//! All mistakes of an item are reported at once, each on the token that is wrong.

use super::apply;
use proc_macro2::{TokenStream, TokenTree};

#[track_caller]
fn check(item: &str, expected: &[(&str, &str)]) {
    let errors = errors(apply(item));
    let errors: Vec<_> = errors
        .iter()
        .map(|(token, message)| (token.as_str(), message.as_str()))
        .collect();
    assert_eq!(errors, expected, "{item}");
}

/// The token that each `compile_error!` points at, and its message.
fn errors(tokens: TokenStream) -> Vec<(String, String)> {
    let mut errors = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_error = matches!(&token, TokenTree::Ident(ident) if ident == "compile_error");
        if !is_error {
            continue;
        }
        let points_at = token.span().source_text().unwrap_or_default();
        let Some(TokenTree::Group(message)) = tokens.nth(1) else {
            panic!("`compile_error!` has a message");
        };
        let message: syn::LitStr = syn::parse2(message.stream()).expect("a message");
        errors.push((points_at, message.value()));
    }
    errors
}

#[test]
fn of_an_event_between_servers() {
    check(
        r#"#[derive(Event)]
        #[event(cluster, broadcast, name = "connection")]
        struct Reload;"#,
        &[
            (
                "\"connection\"",
                "`connection` is a reserved Socket.IO event name; choose another with `#[event(name = \"..\")]`",
            ),
            (
                "Reload",
                "an event between servers has no audience: remove `to(..)`/`broadcast`, or add `server`",
            ),
        ],
    );
    // A client may send an event of that name.
    check(
        r#"#[derive(Event)] #[event(client, name = "connection")] struct Connection;"#,
        &[],
    );
    check(
        r#"#[derive(Event)] #[event(cluster, server, broadcast)] struct Reload;"#,
        &[],
    );
}

#[test]
fn of_an_event() {
    check(
        r#"#[derive(Event)]
        #[event(nmae = "x", to(Project, Room::Lobby, 7), ack = )]
        #[event(name = "connect", server, server)]
        struct Refresh { picture: Vec<u8>, title: String, icon: Option<&'static [u8]> }"#,
        &[
            (
                "Vec",
                "`Vec<u8>` would be sent as a JSON array of numbers; use `rooms_layer::Bytes` for a binary attachment, `#[serde(with = \"..\")]`, or allow it with `#[event(json_bytes)]`",
            ),
            (
                "Option",
                "`Option<&'static [u8]>` would be sent as a JSON array of numbers; use `rooms_layer::Bytes` for a binary attachment, `#[serde(with = \"..\")]`, or allow it with `#[event(json_bytes)]`",
            ),
            (
                "nmae",
                "unknown key: expected `name = \"..\"`, `ack = T`, `to(Room::Variant, ..)`, `broadcast`, `client`, `server` or `cluster`",
            ),
            (
                "Project",
                "expected a room variant such as `Room::Project`, all rooms of a set `Project::*`, `dynamic` or `any`",
            ),
            ("7", "expected ident"),
            (")", "unexpected end of input, expected a value behind `=`"),
            ("server", "`server` is given twice"),
            (
                "\"connect\"",
                "`connect` is a reserved Socket.IO event name; choose another with `#[event(name = \"..\")]`",
            ),
        ],
    );
}

#[test]
fn of_an_events_audience() {
    check(
        "#[derive(Event)] #[event(client, broadcast, to(Room::A(id), Room::B(id.0.name)))] struct Ask { id: u8 }",
        &[
            (
                "Ask",
                "a client event has no audience: remove `to(..)`/`broadcast`, or add `server`",
            ),
            (
                "B",
                "an event routes itself to one room; drop the `(..)` here",
            ),
        ],
    );
    check(
        "#[derive(Event)] #[event(to(Room::A(id + 1)), broadcast = true)] struct Ask { id: u8 }",
        &[
            (
                "id",
                "expected a field of the event, as in `to(Room::Project(id))` or `to(Room::Channel(message.channel))`",
            ),
            ("=", "expected `,`"),
        ],
    );
}

#[test]
fn of_an_events_form() {
    check(
        "#[derive(Event)] enum Op { Insert(u8) }",
        &[(
            "enum",
            "an enum event is ONE event whose payload is the enum: say so with `#[event(name = \"..\")]`; for several events derive `Event` on several structs",
        )],
    );
    check(
        "#[derive(Event)] union Bits { a: u8 }",
        &[("union", "a union can't be an event")],
    );
    check(
        "#[derive(Event)] #[event] struct Ask;",
        &[(
            "event",
            "expected attribute arguments in parentheses: #[event(...)]",
        )],
    );
}

#[test]
fn of_a_room_set() {
    check(
        r#"#[derive(Room)]
        enum Room {
            #[room(name = "a:b")] A,
            #[room(nam = "b")] B(u8),
            #[room(name = "b")] C(u8),
            #[room(name = "aaaaaaaaaaaaaaaaaaaa")] D,
        }"#,
        &[
            ("nam", "unknown key: expected `name = \"..\"`"),
            (
                "\"a:b\"",
                "a room name prefix must not be empty or contain `:`",
            ),
            (
                "\"b\"",
                "variants `B` and `C` would share the room prefix `b`",
            ),
            (
                "\"aaaaaaaaaaaaaaaaaaaa\"",
                "this room name looks like a socket id (20 url-safe characters) and could collide with a socket's private room",
            ),
        ],
    );
    check(
        "#[derive(Room)] enum Room<T> { A(T) }",
        &[(
            "<",
            "a room set can't be generic: its names must mean one thing on every server",
        )],
    );
}

#[test]
fn of_a_namespace() {
    check(
        r#"#[derive(Namespace)]
        #[namespace(path = "chat", data, client(A, A, B<'_>), sever(C), open)]
        struct Chat<T>(T);"#,
        &[
            (",", "expected `=`"),
            (
                "sever",
                "unknown key: expected `path`, `auth`, `data`, `state`, `client(..)`, `server(..)`, `rooms(..)`, `contract` or `open`",
            ),
            (
                "<",
                "a namespace can't be generic: it is one path with one contract",
            ),
            (
                "\"chat\"",
                "a namespace path starts with `/` and has no `?`, `,` or `*`",
            ),
            ("A", "`A` is listed twice"),
            (
                "Chat",
                "`open` accepts every event and every room; drop it or drop the lists",
            ),
        ],
    );
}

#[test]
fn of_a_path() {
    type Mistakes = &'static [(&'static str, &'static str)];
    let cases: &[(&str, &str, Mistakes)] = &[
        (
            "/a-{id}-{nope}",
            "struct N { id: u8 }",
            &[("path", "`N` has no field `nope` to be a value of its path")],
        ),
        (
            "/a-{id}",
            "struct N;",
            &[("path", "`N` has no field `id` to be a value of its path")],
        ),
        (
            "/a-{id}",
            "struct N { id: u8, left: u8 }",
            &[(
                "left",
                "field `left` is not in the path: write `{left}` where its value goes",
            )],
        ),
        (
            "/a-id",
            "struct N { id: u8 }",
            &[(
                "id",
                "field `id` is not in the path: write `{id}` where its value goes",
            )],
        ),
        (
            "/{a}{b}/{b}%",
            "struct N { a: u8, b: u8 }",
            &[
                ("path", "`{b}` is in the path twice"),
                (
                    "path",
                    "between two values there must be something that tells where the first one ends, such as `/`",
                ),
                (
                    "path",
                    "a path with values has no `%`: values are escaped with it",
                ),
            ],
        ),
    ];
    for (path, item, expected) in cases {
        let item = format!("#[derive(Namespace)] #[namespace(path = \"{path}\")] {item}");
        let quoted = format!("\"{path}\"");
        let expected: Vec<_> = expected
            .iter()
            .map(|&(token, message)| match token {
                "path" => (&*quoted, message),
                token => (token, message),
            })
            .collect();
        check(&item, &expected);
    }
    for path in ["/{", "/}", "/{}", "/{a b}", "/{a}}", "/{{a}}"] {
        let item =
            format!("#[derive(Namespace)] #[namespace(path = \"{path}\")] struct N {{ a: u8 }}");
        check(
            &item,
            &[(
                &format!("\"{path}\""),
                "a value in a path is a field in braces: `/workspace-{id}`",
            )],
        );
    }
}

#[test]
fn of_a_handler() {
    check(
        "#[handler(App)] fn ask<T>(event: Ask) {}",
        &[
            ("fn", "handlers are async: write `async fn`"),
            ("<", "a handler can't be generic: it handles one event type"),
        ],
    );
    check(
        "#[handler(App)] async fn ask(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, event: Ask) {}",
        &[("i", "a handler takes at most 8 extractors before its event")],
    );
    check(
        "#[handler(App)] struct Ask;",
        &[(
            "struct Ask;",
            "`#[handler]` goes on an `async fn` or on an `impl` block",
        )],
    );
    check(
        "#[handler(App)] async fn ask(&self, event: Ask) {}",
        &[(
            "&",
            "put `#[handler]` on the `impl` block and `#[on]` on this method",
        )],
    );
}

#[test]
fn of_a_block() {
    check(
        "#[handler(App)]
        impl Chat {
            #[on] fn not_async(&self, _: A) {}
            #[on] async fn no_event(&self) {}
            #[on] async fn takes_no_self(_: B) {}
            #[on] async fn again(&self, _: A) {}
            #[connect] async fn surplus(&self, _: Socket<App>, n: u32) {}
            #[disconnect] fn hook(&mut self) {}
        }",
        &[
            ("fn", "handlers are async: write `async fn`"),
            (
                "no_event",
                "a handler's last parameter is the event it handles, e.g. `event: RenameProject`",
            ),
            (
                "takes_no_self",
                "handler methods take `&self`: one value serves every socket at once",
            ),
            ("A", "two handlers for event `A` in one block"),
            (
                "n",
                "a connect hook takes the socket: `&self, socket: Socket<App>`",
            ),
            (
                "hook",
                "handler methods take `&self`: one value serves every socket at once",
            ),
            ("fn", "handlers are async: write `async fn`"),
        ],
    );
    check(
        "#[handler(App)] impl Chat { async fn log(&self) {} }",
        &[("Chat", "no method is marked `#[on]`")],
    );
}
