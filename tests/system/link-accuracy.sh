#!/usr/bin/env bash
# What a direction is asked for and what it does, measured in exact time.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
exec "$top_builddir/tests/system/test-link-accuracy"
