#!/usr/bin/env bash
# Shows Almenara on this machine: installs what building it needs, builds it, starts a server on a
# free port of the loopback address, talks to it and stops it. Nothing is left behind but build/.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: apps/demo.sh [--help]

Installs what is missing to build Almenara, builds it in build/release, starts one server with an
empty data directory in a temporary folder, asks it for an answer and for its status, and stops it.
HELP
}

# fail WHAT WHY NEXT
fail() {
  printf 'demo: %s: %s. %s\n' "$1" "$2" "$3" >&2
  exit 1
}

case "${1:-}" in
  '') ;;
  --help | -h)
    usage
    exit 0
    ;;
  *) fail "$1" "this option is not known" "See apps/demo.sh --help." ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*"; }

# -- Build ----------------------------------------------------------------------------------------

build() {
  local log=build/log/demo-build.log tests=()
  # Who has not configured this folder yet wants to see the programs, not to build the tests.
  [[ -e build/release/CMakeCache.txt ]] || tests=(-DALMENARA_TESTS=OFF)
  mkdir -p build/log
  {
    cmake --preset release "${tests[@]}" &&
      cmake --build --preset release --target almenarad almenara
  } >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    fail "building" "it failed, the end of its log is above" "All of it is in $log."
  }
}

say "What building needs"
bash apps/install-deps.sh --build

say "Building in build/release (minutes the first time, seconds later)"
build

# -- Run ------------------------------------------------------------------------------------------

place=$(mktemp -d)
touch "$place/out" "$place/log"
server=
clean_up() {
  if [[ -n $server ]]; then kill -KILL "$server" 2>/dev/null || true; fi
  rm -rf "$place"
}
trap clean_up EXIT

# Shows a command as one would type it, then runs it.
run() {
  printf '\n$ %s\n' "$*"
  "$@"
}

# server_said PATTERN: the part of the server's first line that is in \(...\).
server_said() { sed -n "1s/$1/\1/p" "$place/out"; }

# An unexpected end is explained by the server's own last words.
server_failed() {
  cat "$place/out" "$place/log" >&2
  fail "almenarad" "$1" "What it said is above."
}

still_runs() { kill -0 "$server" 2>/dev/null; }

# wait_until SECONDS COMMAND...: looks ten times a second until the command succeeds.
wait_until() {
  local looks=$(($1 * 10))
  shift
  until "$@"; do
    looks=$((looks - 1))
    [[ $looks -gt 0 ]] || return 1
    sleep 0.1
  done
}

listening='^almenarad .* listening on \([^ ]*\)$'
is_listening() { [[ -n $(server_said "$listening") ]]; }
listens_or_ended() { is_listening || ! still_runs; }
has_ended() { ! still_runs; }

say "One server, with an empty data directory"
printf '\n$ %s\n' "build/release/bin/almenarad -d $place/data -l 127.0.0.1:0 --plaintext &"
build/release/bin/almenarad -d "$place/data" -l 127.0.0.1:0 --plaintext \
  >"$place/out" 2>"$place/log" </dev/null &
server=$!
wait_until 10 listens_or_ended || server_failed "it did not listen within 10 s"
is_listening || server_failed "it ended before it listened"
cat "$place/out"
address=$(server_said "$listening")

say "A client asks it"
run build/release/bin/almenara -s "$address" --plaintext ping ||
  server_failed "it did not answer a ping"
run build/release/bin/almenara -s "$address" --plaintext status ||
  server_failed "it did not tell its status"

say "The server is asked to stop"
printf '\n$ %s\n' "kill -TERM $server"
kill -TERM "$server"
wait_until 10 has_ended || server_failed "it did not stop within 10 s of SIGTERM"
code=0
wait "$server" || code=$?
server=
[[ $code -eq 0 ]] || server_failed "it ended with $code after SIGTERM, not with 0"
echo "The server ended with 0. README.md says what works today."
