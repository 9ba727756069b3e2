#!/usr/bin/env bash
# scripts refuses this as test/syntax.sh
if true; then
  echo "no end"
