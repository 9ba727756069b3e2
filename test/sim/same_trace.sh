#!/usr/bin/env bash
# The same seed tells the same story, to the byte; another seed tells another one.
#
#   same_trace.sh PROGRAM [OPTION]...
set -euo pipefail

program=$1
shift
once=$("$program" --seed 7 --trace "$@" | sha256sum)
again=$("$program" --seed 7 --trace "$@" | sha256sum)
other=$("$program" --seed 8 --trace "$@" | sha256sum)
if [[ $once != "$again" ]]; then
  echo "seed 7 was told in two ways: $program --seed 7 --trace $*" >&2
  exit 1
fi
if [[ $once == "$other" ]]; then
  echo "seeds 7 and 8 tell the same story: the seed has no effect" >&2
  exit 1
fi
