//! The plan that `docs/ARCHITECTURE.md` draws, held against what the sources of `rooms-layer` import.

use proc_macro2::{Spacing, Span, TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{
    Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, UseTree, VisRestricted,
    spanned::Spanned,
    visit::{self, Visit},
};

#[test]
fn imports_follow_the_arrows() {
    complain(Plan::drawn().forbidden(&sources()));
}

#[test]
fn every_arrow_that_is_drawn_is_there() {
    complain(Plan::drawn().unused(&sources()));
}

#[test]
fn every_room_is_drawn_and_no_arrows_form_a_ring() {
    let plan = Plan::drawn();
    let (mut reader, _) = read(&source_root().join("lib.rs"), Vec::new());
    reader.children.sort();
    let drawn: Vec<_> = plan.arrows.keys().cloned().collect();
    assert_eq!(drawn, reader.children, "rooms drawn, and rooms there are");
    assert_eq!(plan.ring(), None, "rooms whose arrows form a ring");
}

#[test]
fn what_is_absent_stays_absent() {
    complain(Plan::drawn().trespasses(&sources()));
}

/// What `docs/ARCHITECTURE.md` says in its fenced blocks.
struct Plan {
    /// Of the block `arrows`: what each room may import.
    arrows: BTreeMap<String, BTreeSet<String>>,
    /// Of the block `absences`: a module, and a path that does not occur in it.
    absences: Vec<(Names, Names)>,
}

type Names = Vec<String>;

/// A path that a source file names.
#[derive(Debug, Clone)]
struct Use {
    /// Where: `file:line`.
    place: String,
    /// The module that names it, from the root of the crate.
    module: Names,
    /// Absolute, so beginning with `crate`, where it is a path of ours that does not begin with a child module.
    path: Names,
}

impl Plan {
    fn drawn() -> Self {
        let file = repository().join("docs/ARCHITECTURE.md");
        Self::parse(&fs::read_to_string(file).expect("docs/ARCHITECTURE.md is there"))
    }

    fn parse(markdown: &str) -> Self {
        let pairs = |block: &str, separator: &str| -> Vec<(String, Vec<String>)> {
            let begin = format!("```{block}");
            let lines = markdown.lines().skip_while(move |line| *line != begin);
            let lines = lines.skip(1).take_while(|line| *line != "```");
            let pair = |line: &str| {
                let (left, right) = line
                    .split_once(separator)
                    .unwrap_or_else(|| panic!("no `{separator}` in `{line}`"));
                let right = right.split(',').map(|item| item.trim().to_owned());
                let right = right.filter(|item| !item.is_empty() && item != "nothing");
                (left.trim().to_owned(), right.collect())
            };
            let pairs: Vec<_> = lines.map(pair).collect();
            assert!(!pairs.is_empty(), "there is a block `{block}`");
            pairs
        };
        let absences = pairs("absences", ":: without").into_iter();
        Self {
            arrows: pairs("arrows", "->")
                .into_iter()
                .map(|(from, to)| (from, to.into_iter().collect()))
                .collect(),
            absences: absences
                .flat_map(|(module, paths)| {
                    let module = names(&module);
                    paths
                        .into_iter()
                        .map(move |path| (module.clone(), names(&path)))
                })
                .collect(),
        }
    }

    fn forbidden(&self, uses: &[Use]) -> Vec<String> {
        let faults = self.steps(uses).filter(|(_, from, to)| {
            let drawn = self.arrows.get(*from);
            !drawn.is_some_and(|drawn| drawn.contains(*to))
        });
        faults
            .map(|(import, from, to)| format!("{}: `{from} -> {to}` is not drawn", import.place))
            .collect()
    }

    fn unused(&self, uses: &[Use]) -> Vec<String> {
        let used: BTreeSet<_> = self.steps(uses).map(|(_, from, to)| (from, to)).collect();
        let drawn = self
            .arrows
            .iter()
            .flat_map(|(from, all)| all.iter().map(move |to| (from.as_str(), to.as_str())));
        drawn
            .filter(|arrow| !used.contains(arrow))
            .map(|(from, to)| format!("`{from} -> {to}` is drawn, and nothing in {from}/ needs it"))
            .collect()
    }

    /// The uses that lead from one room to another, or out through the front door: to what `lib.rs` itself names.
    fn steps<'a>(&self, uses: &'a [Use]) -> impl Iterator<Item = (&'a Use, &'a str, &'a str)> {
        uses.iter().filter_map(|used| {
            let from = used.module.first()?;
            match &used.path[..] {
                [root, to, ..] if root == "crate" && to != from => {
                    let is_room = self.arrows.contains_key(to);
                    Some((used, &**from, if is_room { &**to } else { "lib" }))
                }
                _ => None,
            }
        })
    }

    fn trespasses(&self, uses: &[Use]) -> Vec<String> {
        let mut faults = Vec::new();
        for (module, absent) in &self.absences {
            let inside = uses.iter().filter(|used| used.module.starts_with(module));
            let inside: Vec<_> = inside.collect();
            assert!(!inside.is_empty(), "there is a module `{module:?}`");
            let found = inside
                .iter()
                .filter(|used| used.path.windows(absent.len()).any(|part| part == absent));
            faults.extend(found.map(|used| {
                let (module, absent) = (module.join("::"), absent.join("::"));
                format!("{}: `{absent}` is absent from `{module}`", used.place)
            }));
        }
        faults
    }

    /// The rooms that are left when those without arrows to any other that is left are taken out again and again.
    fn ring(&self) -> Option<Vec<&str>> {
        let mut left: BTreeSet<&str> = self.arrows.keys().map(String::as_str).collect();
        loop {
            let ends = left
                .iter()
                .filter(|room| !self.arrows[**room].iter().any(|to| left.contains(&**to)));
            let ends: Vec<_> = ends.copied().collect();
            match (left.is_empty(), ends.is_empty()) {
                (true, _) => return None,
                (_, true) => return Some(left.into_iter().collect()),
                _ => left.retain(|room| !ends.contains(room)),
            }
        }
    }
}

/// Every path that the library's sources name, tests left out.
fn sources() -> Vec<Use> {
    let mut uses = Vec::new();
    let (door, _) = read(&source_root().join("lib.rs"), Vec::new());
    let mut waiting: Vec<(PathBuf, Names)> = door
        .children
        .into_iter()
        .map(|room| (source_root(), vec![room]))
        .collect();
    while let Some((folder, module)) = waiting.pop() {
        let name = module.last().expect("a module has a name");
        let file = [
            folder.join(format!("{name}.rs")),
            folder.join(name).join("mod.rs"),
        ]
        .into_iter()
        .find(|file| file.exists())
        .unwrap_or_else(|| panic!("no file for module `{}`", module.join("::")));
        let (reader, module) = read(&file, module);
        let folder = folder.join(module.last().expect("a module has a name"));
        waiting.extend(reader.children.into_iter().map(|child| {
            let module = module.iter().cloned().chain([child]).collect();
            (folder.clone(), module)
        }));
        uses.extend(reader.uses);
    }
    uses
}

fn read(file: &Path, module: Names) -> (Reader, Names) {
    let text = fs::read_to_string(file).expect("a source file can be read");
    let syntax = syn::parse_file(&text).expect("what compiles can be parsed");
    let shown = file.strip_prefix(repository()).unwrap_or(file);
    let mut reader = Reader::new(shown.display().to_string(), module);
    reader.visit_file(&syntax);
    let module = std::mem::take(&mut reader.module);
    (reader, module)
}

/// Collects what one file names.
struct Reader {
    file: String,
    module: Names,
    uses: Vec<Use>,
    /// Modules that have files of their own.
    children: Vec<String>,
}

impl Reader {
    fn new(file: String, module: Names) -> Self {
        Self {
            file,
            module,
            uses: Vec::new(),
            children: Vec::new(),
        }
    }

    fn note(&mut self, span: Span, written: &[String]) {
        let ups = written.iter().take_while(|name| *name == "super").count();
        let path = match written[0].as_str() {
            "self" => self.absolute(0, &written[1..]),
            "super" => self.absolute(ups, &written[ups..]),
            _ => written.to_vec(),
        };
        self.uses.push(Use {
            place: format!("{}:{}", self.file, span.start().line),
            module: self.module.clone(),
            path,
        });
    }

    fn absolute(&self, ups: usize, rest: &[String]) -> Names {
        let home = &self.module[..self.module.len().saturating_sub(ups)];
        let root = ["crate".to_owned()];
        root.iter().chain(home).chain(rest).cloned().collect()
    }

    fn note_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: String| before.iter().cloned().chain([name]).collect::<Names>();
        match tree {
            UseTree::Path(path) => {
                let before = with(path.ident.to_string());
                self.note_tree(&path.tree, &before);
            }
            UseTree::Name(name) => self.note(tree.span(), &with(name.ident.to_string())),
            UseTree::Rename(rename) => self.note(tree.span(), &with(rename.ident.to_string())),
            UseTree::Glob(_) => self.note(tree.span(), before),
            UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| self.note_tree(item, before)),
        }
    }

    /// Finds the paths among the tokens of a macro, which are not parsed.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: Option<(Span, Names)> = None;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct)
                    if punct.as_char() == ':'
                        && (colons == 1 || punct.spacing() == Spacing::Joint) =>
                {
                    colons += 1;
                }
                TokenTree::Ident(ident) => {
                    match &mut path {
                        Some((_, names)) if colons == 2 => names.push(ident.to_string()),
                        _ => {
                            self.note_found(path.take());
                            path = Some((ident.span(), vec![ident.to_string()]));
                        }
                    }
                    colons = 0;
                }
                other => {
                    self.note_found(path.take());
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.note_tokens(group.stream());
                    }
                }
            }
        }
        self.note_found(path);
    }

    fn note_found(&mut self, path: Option<(Span, Names)>) {
        if let Some((span, names)) = path
            && names.len() > 1
        {
            self.note(span, &names);
        }
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item(&mut self, item: &'a Item) {
        let attributes = match item {
            Item::Const(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Macro(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Static(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Trait(item) => &item.attrs,
            Item::Type(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[][..],
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'a ImplItem) {
        let is_test = matches!(item, ImplItem::Fn(item) if is_test(&item.attrs));
        if !is_test {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        let Some((_, items)) = &item.content else {
            return self.children.push(item.ident.to_string());
        };
        self.module.push(item.ident.to_string());
        items.iter().for_each(|item| self.visit_item(item));
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.note_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let written: Names = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if written.len() > 1 {
            self.note(path.span(), &written);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'a Macro) {
        self.visit_path(&invocation.path);
        self.note_tokens(invocation.tokens.clone());
    }

    /// `pub(in crate::wire)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'a VisRestricted) {}

    fn visit_attribute(&mut self, _: &'a Attribute) {}
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|condition| condition.is_ident("test"))
    })
}

fn names(path: &str) -> Names {
    path.split("::").map(str::to_owned).collect()
}

fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ lies in it").to_owned()
}

fn source_root() -> PathBuf {
    repository().join("rooms-layer/src")
}

#[track_caller]
fn complain(faults: Vec<String>) {
    assert!(
        faults.is_empty(),
        "against docs/ARCHITECTURE.md:\n{}",
        faults.join("\n")
    );
}

mod of_the_checks_themselves {
    use super::*;

    const PLAN: &str = "
```arrows
api -> engine, wire
engine -> wire
wire -> nothing
```
```absences
wire :: without tokio, Instant::now
```
";

    fn uses(module: &str, source: &str) -> Vec<Use> {
        let mut reader = Reader::new("x.rs".into(), names(module));
        reader.visit_file(&syn::parse_str(source).expect("a source"));
        reader.uses
    }

    #[test]
    fn arrows_are_found_wherever_they_are_written() {
        let cases = [
            ("api", "use crate::engine::Engine;", ""),
            ("engine", "use crate::api::Io;", "engine -> api"),
            (
                "engine",
                "use crate::{wire::Data, api::{self, Io}};",
                "engine -> api",
            ),
            (
                "engine::mailbox",
                "use super::super::api::Io;",
                "engine -> api",
            ),
            ("engine::mailbox", "use super::flusher::Batch;", ""),
            ("engine", "pub use super::api as other;", "engine -> api"),
            ("engine", "use crate::api::*;", "engine -> api"),
            ("engine", "fn f() { crate::api::g(); }", "engine -> api"),
            ("engine", "fn f(_: Vec<crate::api::Io>) {}", "engine -> api"),
            ("engine", "impl crate::api::T for X {}", "engine -> api"),
            (
                "engine",
                "fn f() { log!(\"{}\", [crate::api::g()]); }",
                "engine -> api",
            ),
            (
                "engine",
                "mod a { mod b { use super::super::super::api; } }",
                "engine -> api",
            ),
            (
                "engine",
                "#[cfg(feature = \"x\")] use crate::api::Io;",
                "engine -> api",
            ),
            (
                "engine",
                "#[cfg(test)] mod tests { use crate::api::Io; }",
                "",
            ),
            ("engine", "#[cfg(test)] use crate::api::Io;", ""),
            ("wire", "pub(in crate::wire) fn f() {}", ""),
            ("engine", "use crate::Io;", "engine -> lib"),
        ];
        let plan = Plan::parse(PLAN);
        for (module, source, expected) in cases {
            let faults = plan.forbidden(&uses(module, source)).join("\n");
            assert_eq!(faults.is_empty(), expected.is_empty(), "{source}: {faults}");
            assert!(faults.contains(expected), "{source}: {faults}");
        }
    }

    #[test]
    fn arrows_without_a_use_are_found() {
        let plan = Plan::parse(PLAN);
        let mut all = uses("api", "use crate::engine::A; use crate::wire::B;");
        assert_eq!(plan.unused(&all).len(), 1);
        all.extend(uses("engine::x", "use crate::wire::B;"));
        assert!(plan.unused(&all).is_empty());
    }

    #[test]
    fn rings_are_found() {
        assert_eq!(Plan::parse(PLAN).ring(), None);
        let bent = PLAN.replace("wire -> nothing", "wire -> api");
        assert_eq!(
            Plan::parse(&bent).ring(),
            Some(vec!["api", "engine", "wire"])
        );
    }

    #[test]
    fn trespasses_are_found() {
        let cases = [
            ("wire::x", "use std::time::Instant;", 0),
            ("wire::x", "fn f() { Instant::now(); }", 1),
            ("wire::x", "fn f() { std::time::Instant::now(); }", 1),
            ("wire::x", "use tokio::time;", 1),
            ("wire::x", "use tokio_util::time;", 0),
            ("engine", "use tokio::time;", 0),
        ];
        let plan = Plan::parse(PLAN);
        for (module, source, expected) in cases {
            let mut all = uses(module, source);
            all.extend(uses("wire", "use std::fmt;"));
            assert_eq!(plan.trespasses(&all).len(), expected, "{source}");
        }
    }
}
