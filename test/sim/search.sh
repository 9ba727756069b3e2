#!/usr/bin/env bash
# The simulator's part of a test run: as many seeds as the scale asks for, every profile in turn or
# one.
#
#   search.sh PROGRAM SERVERS SHARE [PROFILE]
#
# ALMENARA_SIMULATED_SECONDS / 2 seeds of 60 virtual seconds are run in all; SHARE of a hundred of
# them here. With ci that is 300 seeds. A search of thirty with every profile must have seen
# everything that can go wrong and what comes of it, and a longer one also what is rare.
set -euo pipefail

program=$1
servers=$2
share=$3
profile=${4:-all}
seconds=${ALMENARA_SIMULATED_SECONDS:-60}

seeds=$((seconds * share / 200))
[[ $seeds -ge 1 ]] || seeds=1
options=(--seeds "$seeds" --seconds 60 --servers "$servers" --profile "$profile")
if [[ $profile == all && $seeds -ge 30 ]]; then
  options+=(--expect-coverage)
elif [[ $profile == damage && $seeds -ge 30 ]]; then
  # What hardly any other profile meets.
  options+=(--expect-sight 'damaged_log,damaged_unknown,damaged_while_running,repaired_log')
fi
exec "$program" "${options[@]}"
