#!/usr/bin/env bash
# Installs what the tests need, builds, and runs everything. One of the two commands a newcomer
# needs; the other is apps/demo.sh.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: test/run.sh [OPTION]...

Builds and tests in stages, each in build/<stage>, each with its logs in build/log:

  release   g++, as it ships: all tests
  clang     clang 19, otherwise as release: all tests                       (full)
  asan      address and undefined behaviour sanitizers: unit tests, tests
            with real processes (each row of the reliability table once),
            scripts, fuzz corpora, some seeds of the simulator              (ci, full)
  tsan      thread sanitizer: the tests that cross threads                  (ci, full)
  fuzz      each fuzzer on new inputs, beginning with its corpus            (ci, full)

  --scale SCALE   how much: quick (release only, for a moment between two edits), ci (the
                  default: 10 s per fuzzer, a handful of runs per row of the reliability
                  table) or full (60 s per fuzzer, 20 or 100 runs per row). The tests see it
                  as ALMENARA_SCALE
  --only STAGE    this stage alone
  --seconds N     how many simulated seconds a test with a virtual cluster may take; by default
                  60, 600 or 3600 with the scale. The tests see it as ALMENARA_SIMULATED_SECONDS
  --jobs N        how much is done at once; by default one for each processor
  --help          this text

The tests of the release build run last, so the last line is CTest's own.
HELP
}

# fail WHAT WHY NEXT
fail() {
  printf 'run: %s: %s. %s\n' "$1" "$2" "$3" >&2
  exit 1
}

# -- Options --------------------------------------------------------------------------------------

scale=ci
only=
seconds=
jobs=$(nproc)

while [[ $# -gt 0 ]]; do
  case "$1" in
    --scale | --only | --seconds | --jobs)
      [[ $# -ge 2 ]] || fail "$1" "it needs a value" "See test/run.sh --help."
      case "$1" in
        --scale) scale=$2 ;;
        --only) only=$2 ;;
        --seconds) seconds=$2 ;;
        --jobs) jobs=$2 ;;
      esac
      shift 2
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) fail "$1" "this option is not known" "See test/run.sh --help." ;;
  esac
done

case "$scale" in
  quick) stages=(release) fuzz_seconds=10 default_seconds=60 sanitized_seeds=11 ;;
  ci) stages=(release asan tsan fuzz) fuzz_seconds=10 default_seconds=600 sanitized_seeds=22 ;;
  full) stages=(release clang asan tsan fuzz) fuzz_seconds=60 default_seconds=3600 sanitized_seeds=110 ;;
  *) fail "--scale $scale" "there are quick, ci and full" "Choose one of them." ;;
esac
case "$only" in
  '') ;;
  release | clang | asan | tsan | fuzz) stages=("$only") ;;
  *) fail "--only $only" "there are release, clang, asan, tsan and fuzz" "Choose one of them." ;;
esac
seconds=${seconds:-$default_seconds}
[[ $seconds =~ ^[1-9][0-9]*$ ]] ||
  fail "--seconds $seconds" "it is not a number above 0" "Say --seconds 600 for ten minutes."
[[ $jobs =~ ^[1-9][0-9]*$ ]] ||
  fail "--jobs $jobs" "it is not a number above 0" "Say --jobs 2 for two at once."

export ALMENARA_SCALE=$scale
export ALMENARA_SIMULATED_SECONDS=$seconds
export CMAKE_BUILD_PARALLEL_LEVEL=$jobs
export CTEST_PARALLEL_LEVEL=$jobs
# A sanitizer's report is read by people: with names and lines, which takes LLVM's symbolizer.
PATH=/usr/lib/llvm-19/bin:$PATH
export UBSAN_OPTIONS=print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export TSAN_OPTIONS=suppressions=$PWD/test/tsan.supp${TSAN_OPTIONS:+:$TSAN_OPTIONS}
exec </dev/null # a test that waits for somebody to type must fail, not hang

# -- Doing a step, and saying how long it took ----------------------------------------------------

logs=build/log
mkdir -p "$logs"
summary=()

duration() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }

# step TITLE COMMAND...: a heading, the command, its time.
step() {
  local title=$1 began=$SECONDS
  shift
  printf '\n== %s\n' "$title"
  "$@"
  summary+=("$(printf '%-16s %s' "$title" "$(duration $((SECONDS - began)))")")
}

# quietly LOG WHAT COMMAND...: the output goes into the log, its end is shown if the command fails.
quietly() {
  local log=$1 what=$2
  shift 2
  "$@" >>"$log" 2>&1 || {
    tail -n 60 "$log" >&2
    fail "$what" "it failed, the end of its log is above" "All of it is in $log."
  }
}

# -- The stages -----------------------------------------------------------------------------------

# build PRESET [TARGET]...: all of it, or only these programs.
build() {
  local preset=$1 log=$logs/$1-build.log
  shift
  : >"$log"
  # ALMENARA_TESTS: apps/demo.sh may have configured this folder without them.
  quietly "$log" "configuring $preset" cmake --preset "$preset" -DALMENARA_TESTS=ON
  quietly "$log" "building $preset" cmake --build --preset "$preset" --target "${@:-all}"
  echo "built in build/$preset, log in $log"
}

# run_tests PRESET [CTEST OPTION]...
run_tests() {
  local preset=$1 log=$logs/$1-tests.log
  shift
  ctest --preset "$preset" --no-label-summary "$@" 2>&1 | tee "$log" ||
    fail "the tests of $preset" "not all passed, see above" \
      "All of it is in $log. One test again: ctest --preset $preset -R NAME"
}

# number_of_tests PRESET: of those that cross threads.
number_of_tests() {
  ctest --preset "$1" --show-only --label-regex '^threads$' 2>/dev/null |
    sed -n 's/^Total Tests: //p' || true # then there are none, and running them says why
}

fuzz_one() {
  local name=$1 log=$logs/fuzz-$1.log
  local corpus=test/fuzz/corpus/$name found=build/fuzz/found/$name
  mkdir -p "build/fuzz/corpus/$name" "$found"
  # New inputs go into the build folder; which of them join the tree is a person's choice.
  "build/fuzz/bin/fuzz-$name" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$found/" -print_final_stats=1 \
    "build/fuzz/corpus/$name" "$corpus" >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    printf 'run: fuzz-%s: %s. %s\n' "$name" "it found an input that breaks it, see above" \
      "The input is in $found, all of the log in $log. Again: build/fuzz/bin/fuzz-$name INPUT" >&2
    return 1
  }
  printf 'fuzz-%s: %s inputs in %s s, nothing found\n' "$name" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$fuzz_seconds"
}

# A fuzzer and its corpus have one name.
fuzzers() { find test/fuzz/corpus -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort; }

fuzz_all() {
  local name pid running=() failed=0
  for name in $(fuzzers); do
    # All take the same time, so the oldest is the next to end.
    if [[ ${#running[@]} -ge $jobs ]]; then
      wait "${running[0]}" || failed=1
      running=("${running[@]:1}")
    fi
    fuzz_one "$name" &
    running+=($!)
  done
  for pid in "${running[@]}"; do
    wait "$pid" || failed=1
  done
  [[ $failed -eq 0 ]] || exit 1
}

# The tests of `release` wait for the end.
stage_release() { step "release build" build release; }
stage_clang() {
  step "clang build" build clang
  step "clang tests" run_tests clang
}
stage_asan() {
  step "asan build" build asan
  # Each row once: what a sanitizer finds it finds then, and figures are not its business.
  ALMENARA_RUNS=1 \
    step "asan tests" run_tests asan --label-regex '^(unit|daemon|cluster|corpus|scripts)$'
  # A sanitized simulator is ten times slower: a few seeds of every profile, with no rule broken.
  step "asan simulator" build/asan/bin/almenara-sim --profile all --seeds "$sanitized_seeds" \
    --seconds 20 --jobs "$jobs"
}
stage_tsan() {
  # What crosses threads is a program of its own, so nothing else need be built for this.
  step "tsan build" build tsan almenara-threads
  # A test that got the label elsewhere would be left out without a word.
  local here there
  here=$(number_of_tests tsan)
  there=$(number_of_tests release)
  [[ -n $only || $here -eq $there ]] ||
    fail "tsan" "$there tests have the label threads, almenara-threads has $here of them" \
      "Move the others into that program."
  step "tsan tests" run_tests tsan --label-regex '^threads$'
}
stage_fuzz() {
  mapfile -t targets < <(fuzzers)
  step "fuzz build" build fuzz "${targets[@]/#/fuzz-}"
  step "fuzz" fuzz_all
}

step "packages" bash apps/install-deps.sh --test
for stage in "${stages[@]}"; do
  "stage_$stage"
done

printf '\n== %s so far, scale %s, %d at once\n' "$(duration "$SECONDS")" "$scale" "$jobs"
printf '%s\n' "${summary[@]}"

if [[ " ${stages[*]} " == *" release "* ]]; then
  step "release tests" run_tests release
fi
