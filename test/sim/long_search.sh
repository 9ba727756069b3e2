#!/usr/bin/env bash
# A search over 10,000 seeds of 60 virtual seconds: 7,000 with three servers, 2,000 with five and
# 1,000 with seven, all profiles in turn. Not part of a test run: it takes most of an hour on a
# core. Says a line of JSON for each thousand, and the line that replays each seed that fails.
#
#   long_search.sh PROGRAM [JOBS] [FIRST_SEED]
set -euo pipefail

program=$1
jobs=${2:-1}
first=${3:-1}
failed=0

# thousands SERVERS COUNT
thousands() {
  local servers=$1 count=$2 i
  for ((i = 0; i < count; i++)); do
    "$program" --seed "$first" --seeds 1000 --seconds 60 --servers "$servers" --profile all \
      --jobs "$jobs" --expect-coverage --json || failed=1
    first=$((first + 1000))
  done
}

thousands 3 7
thousands 5 2
thousands 7 1
exit "$failed"
