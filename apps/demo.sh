#!/usr/bin/env bash
# Shows Almenara on this machine: installs what building it needs, builds it, starts three servers on
# ports of the loopback address, opens a shell on them, and stops them when the shell is left.
# Nothing is left behind but build/.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: apps/demo.sh [OPTION]...

Installs what is missing to build Almenara, builds it in build/release, and runs
'build/release/bin/almenara demo' with these options: three servers without root, a shell on them, and
everything stopped and cleaned up at the end. With commands on the standard input it is a script:

    printf 'kv put colour blue\nkill primary\nkv get colour\n' | apps/demo.sh

See 'build/release/bin/almenara demo --help' for the options.
HELP
}

# fail WHAT WHY NEXT
fail() {
  printf 'demo: %s: %s. %s\n' "$1" "$2" "$3" >&2
  exit 1
}

case "${1:-}" in
  --help | -h)
    usage
    exit 0
    ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '== %s\n' "$*" >&2; }

build() {
  local log=build/log/demo-build.log tests=()
  # Who has not configured this folder yet wants to see the programs, not to build the tests.
  [[ -e build/release/CMakeCache.txt ]] || tests=(-DALMENARA_TESTS=OFF)
  mkdir -p build/log
  {
    cmake --preset release "${tests[@]}" &&
      cmake --build --preset release --target almenarad almenara
  } >"$log" 2>&1 </dev/null || {
    tail -n 40 "$log" >&2
    fail "building" "it failed, the end of its log is above" "All of it is in $log."
  }
}

say "What building needs"
bash apps/install-deps.sh --build >&2 </dev/null

say "Building in build/release (minutes the first time, seconds later)"
build

say "Three servers and a shell on them"
exec build/release/bin/almenara demo "$@"
