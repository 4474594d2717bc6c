#!/usr/bin/env bash
# Ten thousand changes of a direction on a kernel that has netem.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
exec "$top_builddir/tests/system/test-link-changes"
