//! What serves the fixture app.

use std::path::Path;
use tokio::process::Command;

/// A framework that serves ours, or the server that defines what is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framework {
    Axum,
    Hyper,
    Warp,
    /// Node's own Socket.IO. A row that fails here describes us and not Socket.IO.
    Node,
}

impl Framework {
    pub(crate) const ALL: [Self; 4] = [Self::Axum, Self::Hyper, Self::Warp, Self::Node];
    /// Those that serve ours.
    pub(crate) const OURS: &[Self] = &[Self::Axum, Self::Hyper, Self::Warp];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Hyper => "hyper",
            Self::Warp => "warp",
            Self::Node => "Node",
        }
    }

    /// The program, whose arguments are those of FIXTURE.md.
    pub(crate) fn command(self) -> Command {
        match self {
            Self::Axum => Command::new(env!("CARGO_BIN_EXE_fixture-axum")),
            Self::Hyper => Command::new(env!("CARGO_BIN_EXE_fixture-hyper")),
            Self::Warp => Command::new(env!("CARGO_BIN_EXE_fixture-warp")),
            Self::Node => {
                let mut node = Command::new("node");
                let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
                node.arg(tests.join("clients/js/reference-server.mjs"));
                node
            }
        }
    }
}
