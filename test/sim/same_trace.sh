#!/usr/bin/env bash
# The same seed tells the same story, to the byte, under every profile; another seed tells another
# one; and a run is the same whether its story is told or not.
#
#   same_trace.sh PROGRAM [OPTION]...
set -euo pipefail

program=$1
shift
stories=$(mktemp -d)
trap 'rm -r "$stories"' EXIT
profiles=$("$program" --help | sed -n '/^Profiles:/,/^$/s/^  \([a-z_]*\) .*/\1/p')

for profile in $profiles; do
  options=(--profile "$profile" "$@")
  "$program" --seed 7 "${options[@]}" --trace >"$stories/once"
  "$program" --seed 7 "${options[@]}" --trace >"$stories/again"
  "$program" --seed 8 "${options[@]}" --trace >"$stories/other"
  if ! cmp -s "$stories/once" "$stories/again"; then
    echo "seed 7 was told in two ways: $program --seed 7 ${options[*]} --trace" >&2
    exit 1
  fi
  if cmp -s "$stories/once" "$stories/other"; then
    echo "seeds 7 and 8 tell the same story under $profile: the seed has no effect" >&2
    exit 1
  fi
  told=$(sed -n 's/^end: digest //p' "$stories/once")
  silent=$("$program" --seed 7 "${options[@]}" --json | sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/')
  if [[ -z $told || $told != "$silent" ]]; then
    echo "seed 7 under $profile comes to $told when it is told and to $silent when it is not" >&2
    exit 1
  fi
done
