#!/usr/bin/env bash
# Installs what the tests need and runs all of them: the one command of the README, and all that CI calls.
#
#   tests/run.sh
set -euo pipefail
cd "$(dirname "$0")/.."

# Sources, licences and duplicates are checked with this. Its list of advisories is a download of its own, which a build should
# not depend on: `cargo deny check advisories` is for whoever updates a dependency.
cargo_deny_version=0.20.2

main() {
  step "what the tests need" tests/setup.sh
  step "cargo-deny" install_cargo_deny
  step "formatting" cargo fmt --all --check
  step "lints" cargo clippy --workspace --all-targets --all-features -- -D warnings
  step "features, each alone" check_features
  step "tests: units, suites, documentation" cargo test --workspace --all-features
  step "interleavings of threads" try_interleavings
  step "instructions" count_instructions
  step "documentation" build_documentation
  step "dependencies" cargo deny --log-level error check bans licenses sources
  echo "all is well, after $SECONDS s"
}

# The name, then the command. What it prints passes through; the first that fails ends the run.
step() {
  local name=$1 begun=$SECONDS
  shift
  echo "=== $name"
  # Not `"$@" || fail`, which would switch `set -e` off inside functions.
  current=$name
  "$@"
  echo "=== $name: ok, $((SECONDS - begun)) s"
}

current=start
trap '[[ $? == 0 ]] || echo "=== $current: FAILED" >&2' EXIT

install_cargo_deny() {
  [[ "$(cargo deny --version 2>/dev/null)" == "cargo-deny $cargo_deny_version" ]] && return
  # Built without optimisation, which takes less time and which a check of seconds does not need.
  cargo install --quiet --locked --debug --force "cargo-deny@$cargo_deny_version"
}

# Each feature of a library alone, and none. All of them together are linted above.
check_features() {
  local package features feature
  for package in rooms-layer rooms-redis; do
    features=$(cargo metadata --no-deps --format-version 1 | PACKAGE=$package node --eval '
      const { packages } = JSON.parse(require("fs").readFileSync(0, "utf8"));
      console.log(Object.keys(packages.find(({ name }) => name === process.env.PACKAGE).features).join("\n"));
    ')
    [[ -n $features ]]
    for feature in "" $features; do
      echo "$package --no-default-features --features '$feature'"
      cargo clippy --quiet -p "$package" --no-default-features --features "$feature" -- -D warnings
    done
  done
}

# A build of its own, in which locks are those of a model checker.
try_interleavings() {
  RUSTFLAGS="--cfg shuttle -D warnings" cargo test -p rooms-layer --lib --target-dir target/shuttle interleavings
}

# What our server does for a delivery and a round trip, which may not grow unnoticed. `benches/README.md` tells how to let it.
count_instructions() {
  cargo run --quiet -p rooms-bench --bin instructions -- --servers rooms --check benches/instructions.txt
}

build_documentation() {
  RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps
}

main
