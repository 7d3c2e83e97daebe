#!/usr/bin/env bash
# Installs what the tests need besides Rust and Node, on Debian and its kin. Quick when everything is there.
#
#   tests/setup.sh
set -euo pipefail
cd "$(dirname "$0")/.."

# command:package
system_tools=(
  chromium:chromium
  curl:curl
  faketime:faketime
  nats-server:nats-server
  pkg-config:pkg-config
  python3:python3
  redis-server:redis-server
  taskset:util-linux
  valgrind:valgrind
)
# What shows that it is there:package. Of these there is no command.
system_packages=(
  "python3 -c 'import ensurepip, venv'":python3-venv
  "pkg-config --exists openssl":libssl-dev
)
npm_folders=(
  examples/board/page
  tests/adapters/node
  tests/adapters/node-2
  tests/clients/engine
  tests/clients/js
  tests/browser
  tests/export
)
python_folders=(
  tests/clients/python
)

fail() {
  echo "tests/setup.sh: $*" >&2
  exit 1
}

# Debian puts some servers where only root looks for programs.
have() {
  PATH=$PATH:/usr/sbin command -v "$1" >/dev/null
}

check_toolchains() {
  have cargo || fail "Rust is missing: see https://rustup.rs"
  have node && have npm || fail "Node 20 or newer is missing: see https://nodejs.org"
  local major
  major=$(node --print 'process.versions.node.split(".")[0]')
  ((major >= 20)) || fail "Node 20 or newer is needed, this is $(node --version)"
}

install_system_tools() {
  local missing=() tool
  for tool in "${system_tools[@]}"; do
    have "${tool%%:*}" || missing+=("${tool##*:}")
  done
  for tool in "${system_packages[@]}"; do
    eval "${tool%:*}" &>/dev/null || missing+=("${tool##*:}")
  done
  ((${#missing[@]})) || return 0

  have apt-get || fail "no apt-get here; install these by hand: ${missing[*]}"
  local as_root=()
  if ((EUID != 0)); then
    have sudo || fail "run as root, or install these by hand: ${missing[*]}"
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}" >&2
  keep_services_off
  "${as_root[@]}" apt-get update --quiet=2 || fail "apt-get update failed"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}" >/dev/null || fail "apt-get could not install ${missing[*]}"
  for tool in "${system_tools[@]}"; do
    have "${tool%%:*}" || fail "${tool##*:} is installed, but there is no command ${tool%%:*}"
  done
  for tool in "${system_packages[@]}"; do
    eval "${tool%:*}" &>/dev/null || fail "${tool##*:} is installed, but this fails: ${tool%:*}"
  done
}

# Tests start servers of their own. Debian starts what it installs, unless this file says no; services that are there already, or
# that their owner wants, are left alone.
keep_services_off() {
  local policy=/usr/sbin/policy-rc.d
  [[ -e $policy ]] && return
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod +x "$policy"
  # shellcheck disable=SC2064 # What it is now.
  trap "${as_root[*]} rm -f $policy" EXIT
}

# A copy of the lock file inside node_modules says which lock file that folder was installed from. The board's build.mjs
# keeps to the same convention.
install_npm_packages() {
  local folder
  for folder in "${npm_folders[@]}"; do
    cmp --silent "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json" && continue
    echo "installing npm packages in $folder" >&2
    npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error >&2 || fail "npm ci failed in $folder"
    cp "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json"
  done
}

# As with npm, a copy of the requirements says what the environment was made from.
install_python_packages() {
  local folder
  for folder in "${python_folders[@]}"; do
    cmp --silent "$folder/requirements.txt" "$folder/.venv/requirements.txt" && continue
    echo "installing Python packages in $folder" >&2
    python3 -m venv --clear "$folder/.venv" || fail "python3 could not make $folder/.venv"
    "$folder/.venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$folder/requirements.txt" \
      || fail "pip could not install $folder/requirements.txt"
    cp "$folder/requirements.txt" "$folder/.venv/requirements.txt"
  done
}

check_toolchains
install_system_tools
install_npm_packages
install_python_packages
