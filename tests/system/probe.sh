#!/usr/bin/env bash
# test-probe.py on a kernel that has netem, in exact time.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
exec python3 "$top_srcdir/tests/system/test-probe.py"
