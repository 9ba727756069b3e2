#!/usr/bin/env bash
# scripts refuses this as test/quotes.sh
rm -rf $1/build # refused
