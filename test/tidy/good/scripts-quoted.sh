#!/usr/bin/env bash
# scripts accepts this as test/quoted.sh
rm -rf "$1/build"
