//! Contracts as TypeScript, checked by its compiler, and as AsyncAPI, checked by its parser.
//!
//! What is exported lies in `export/`, where people can read it and both tools find it.

#[path = "../export/forms.rs"]
mod forms;

use rooms_layer::{
    DynamicNamespace,
    export::{
        self, BigIntegers, ExportError,
        schemars::{self, JsonSchema},
    },
    prelude::*,
};
use serde::{Deserialize, Serialize};
use std::{path::Path, process::Command};

#[test]
fn demo_as_typescript() {
    export::check("export/demo.ts", small().typescript::<demo::App>());
}

#[test]
fn demo_as_asyncapi() {
    let document = small().asyncapi::<demo::App>("Demo", "1.0.0");
    export::check("export/demo.asyncapi.json", document);
}

#[test]
fn every_form_as_typescript() {
    export::check("export/forms.ts", export::typescript::<forms::Forms>());
}

/// A namespace for each value, two in a path, of which one may hold what stands between them.
#[derive(Namespace)]
#[namespace(path = "/{team}-board-{id}", server(Moved))]
struct Board {
    team: String,
    id: u32,
}

#[derive(Event)]
#[event(server, broadcast)]
struct Moved(u32);

#[test]
fn a_dynamic_namespace_as_typescript() {
    export::check("export/dynamic.ts", export::typescript::<Board>());
}

#[test]
fn javascript_writes_the_paths_that_rust_reads() {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("paths");
    let built_text = built.to_str().expect("a path of text");
    let options = [
        "--module",
        "es2022",
        "--target",
        "es2022",
        "--outDir",
        built_text,
        "dynamic.ts",
    ];
    run(
        "export",
        "node_modules/.bin/tsc",
        &[&["--ignoreConfig"], &options[..]].concat(),
    );
    let teams = ["red", "a-b", "ä/b c%?", "", "-", "'()*!~_."];
    let script = "const { NAMESPACE } = await import(process.argv[1]); \
        console.log(JSON.stringify(JSON.parse(process.argv[2]).map((team) => NAMESPACE({ team, id: 7 }))));";
    std::fs::write(built.join("package.json"), r#"{"type":"module"}"#).expect("a folder of ours");
    let output = Command::new("node")
        .args(["--input-type=module", "--eval", script])
        .arg(built.join("dynamic.js"))
        .arg(serde_json::to_string(&teams).expect("texts are JSON"))
        .output()
        .expect("node runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let written: Vec<String> = serde_json::from_slice(&output.stdout).expect("a list of paths");
    let paths = teams.map(|team| {
        Board {
            team: team.to_owned(),
            id: 7,
        }
        .path()
    });
    assert_eq!(written, paths);
}

#[test]
fn every_form_as_asyncapi() {
    let document = export::asyncapi::<forms::Forms>("Forms", "1.0.0");
    export::check("export/forms.asyncapi.json", document);
}

/// The compiler, which reads them with `uses.ts`, then says whether what serde writes is of the exported types.
#[test]
fn what_is_sent_has_the_exported_types() {
    let mut samples =
        String::from("import type * as forms from \"./forms\";\n\nexport default [\n");
    for (ty, value) in forms::samples() {
        samples += &format!("  {value} satisfies forms.{ty},\n");
    }
    samples += "];\n";
    export::check("export/samples.ts", Ok::<_, ExportError>(samples));
}

/// `uses.ts` does with the exported interfaces what a page does, and what it must not be able to do: each
/// `@ts-expect-error` in it stands above a line that has to be an error.
#[test]
fn the_official_client_takes_the_interfaces() {
    run("export", "node_modules/.bin/tsc", &["--project", "."]);
}

#[test]
fn the_page_of_the_board_keeps_to_its_contract() {
    run(
        "../examples/board/page",
        "node_modules/.bin/tsc",
        &["--noEmit"],
    );
}

#[test]
fn the_official_parser_takes_the_documents() {
    run(
        "export",
        "node",
        &["asyncapi.mjs", "demo.asyncapi.json", "forms.asyncapi.json"],
    );
}

#[test]
fn the_text_is_always_the_same() {
    for _ in 0..3 {
        let [one, other] = [(); 2].map(|()| export::typescript::<forms::Forms>());
        assert_eq!(text(one), text(other));
        let [one, other] = [(); 2].map(|()| export::asyncapi::<forms::Forms>("Forms", "1"));
        assert_eq!(format!("{:#}", text(one)), format!("{:#}", text(other)));
    }
}

#[test]
fn a_server_exports_the_contract_that_it_names() {
    #[derive(Namespace)]
    #[namespace(contract = forms::Forms, data = u8)]
    struct Server;

    let (server, contract) = (
        export::typescript::<Server>(),
        export::typescript::<forms::Forms>(),
    );
    assert_eq!(text(server), text(contract));
}

#[test]
fn contracts_may_be_declared_in_functions() {
    #[derive(Event)]
    #[event(server, broadcast)]
    struct Here(bool);

    #[derive(Namespace)]
    #[namespace(path = "/here", server(Here))]
    struct Local;

    let text = text(export::typescript::<Local>());
    assert!(
        text.contains("  here: (value: boolean) => void;\n"),
        "{text}"
    );
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Id(i64);

#[derive(Serialize, Deserialize, JsonSchema)]
struct Counted {
    by: Id,
    totals: Totals,
    seen: Option<usize>,
    /// Keys of maps travel as text.
    per_id: std::collections::BTreeMap<u64, u32>,
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    large: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Totals {
    all: Vec<u64>,
    one: u32,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(ack = Result<u128, i64>)]
struct Count {
    counted: Counted,
}

#[derive(Event)]
struct Tick(
    u32,
    /// since
    u64,
);

#[derive(Namespace)]
#[namespace(path = "/", server(Count, Tick), client(Count))]
struct Numbers;

#[test]
fn big_integers_are_refused_with_every_place() {
    let ExportError::BigIntegers { places } = refusal() else {
        panic!("another error");
    };
    assert_eq!(
        places,
        [
            "`Id` holds a `i64`",
            "argument `since` of event `tick` holds a `u64`",
            "field `all` of `Totals` holds a `u64`",
            "field `seen` of `Counted` holds a `usize`",
            "the acknowledgement of event `count` holds a `i64`",
            "the acknowledgement of event `count` holds a `u128`",
        ]
    );
}

#[test]
fn the_refusal_says_what_to_do() {
    let refusal = refusal();
    let text = refusal.to_string();
    for hint in [
        "field `all` of `Totals` holds a `u64`\n",
        "Options::default().big_integers(BigIntegers::Number)",
        "#[schemars(with = \"String\")]",
    ] {
        assert!(text.contains(hint), "{text}");
    }
    assert_eq!(format!("{refusal:?}"), text, "what `unwrap` shows");
}

#[test]
fn big_integers_are_numbers_on_demand() {
    let text = text(small().typescript::<Numbers>());
    for line in [
        "export type Id = number;",
        "  all: number[];",
        "  large: string;",
        "  per_id: { [key: string]: number };",
        "  tick: (value: number, since: number) => void;",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
}

fn small() -> export::Options {
    export::Options::default().big_integers(BigIntegers::Number)
}

fn refusal() -> ExportError {
    export::typescript::<Numbers>().expect_err("integers of 64 bits are refused")
}

#[track_caller]
fn text<T>(exported: Result<T, ExportError>) -> T {
    exported.expect("a contract without big integers")
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// Runs a tool in a folder of this crate.
fn run(folder: &str, program: &str, arguments: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    assert!(
        folder.join("node_modules").is_dir(),
        "the npm packages of {} are missing: run tests/setup.sh",
        folder.display()
    );
    let program = match program {
        "node" => program.into(),
        tool => folder.join(tool),
    };
    let output = Command::new(&program)
        .args(arguments)
        .current_dir(&folder)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}: run tests/setup.sh", program.display()));
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}
