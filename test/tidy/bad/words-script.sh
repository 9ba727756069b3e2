#!/usr/bin/env bash
# words refuses this as test/page.sh
cd /home/anna/almenara # refused
