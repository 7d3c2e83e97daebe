#!/usr/bin/env bash
# Whether servers of two builds get along in one cluster, as they must while it is upgraded: every second server is built from an
# earlier revision, and each is replaced once, under load. Takes as long as building the earlier one does, and some minutes.
#
#   tests/upgrade.sh REVISION ADAPTER [DELIVERIES]   # classic, sharded, streams, nats, jetstream
set -euo pipefail
cd "$(dirname "$0")/.."

(($# >= 2)) || {
  sed --quiet '2,/^set/s/^#//p' "$0" >&2
  exit 1
}
revision=$(git rev-parse --short "$1^{commit}")
adapter=$2
deliveries=${3:-100000}

old=target/upgrade/$revision
if [[ ! -d $old ]]; then
  git worktree prune
  git worktree add --quiet --detach "$old" "$revision"
fi
# One folder for all revisions, so that what they depend on is built once.
(cd "$old" && cargo build --quiet -p rooms-tests --bin cluster-server --target-dir ../target)
cp target/upgrade/target/debug/cluster-server "target/upgrade/cluster-server-$revision"
git worktree remove --force "$old"

cargo build --quiet -p rooms-tests --bins
target/debug/soak cluster "$adapter" "$deliveries" replace replace replace replace "target/upgrade/cluster-server-$revision"
