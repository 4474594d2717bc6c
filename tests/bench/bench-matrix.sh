#!/usr/bin/env bash
# What a frame costs in a latency matrix of 10 groups and in one of 1,000, in exact time: a nanosecond is an instruction.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

exec "$top_builddir/tests/bench/bench-matrix"
