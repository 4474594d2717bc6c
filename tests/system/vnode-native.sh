#!/usr/bin/env bash
# test-vnode on this machine's own kernel, as far as that goes.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
exec "$top_builddir/tests/system/test-vnode"
