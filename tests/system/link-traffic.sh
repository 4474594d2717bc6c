#!/usr/bin/env bash
# test-link-traffic on a kernel that has netem, in exact time.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
# A machine of the lab has it; another one with netem may be busy with other things.
[[ -z ${LAB_INDEX-} ]] || export EXACT_TIME=1
exec "$top_builddir/tests/system/test-link-traffic"
