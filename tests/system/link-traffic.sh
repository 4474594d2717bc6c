#!/usr/bin/env bash
# test-link-traffic on a kernel that has netem, in exact time.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
exec "$top_builddir/tests/system/test-link-traffic"
