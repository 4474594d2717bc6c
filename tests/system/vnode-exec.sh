#!/usr/bin/env bash
# test-vnode-exec on Debian's own kernel: control groups version 2, the kernel's datapath.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
exec "$top_builddir/tests/system/test-vnode-exec"
