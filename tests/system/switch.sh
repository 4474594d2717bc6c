#!/usr/bin/env bash
# test-switch on a kernel that has the module openvswitch, so that both datapaths are tried.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
exec "$top_builddir/tests/system/test-switch"
