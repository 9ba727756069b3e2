#!/bin/sh
# compile.sh CCACHE COMPILER ARGUMENT...: compiles through ccache.
#
# A precompiled header is made by including its source. If the one of an earlier build still lies
# there, ccache's look through the preprocessor finds that instead of the source, and answers with
# what was made of older headers. So it goes first.
set -eu

makes_header=no
output=
previous=
for argument in "$@"; do
  case "$previous" in
    -x) [ "$argument" = c++-header ] && makes_header=yes ;;
    -o) output=$argument ;;
  esac
  previous=$argument
done
if [ "$makes_header" = yes ] && [ -n "$output" ]; then
  rm -f "$output"
fi
exec "$@"
