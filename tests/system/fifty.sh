#!/usr/bin/env bash
# Fifty pnodes' switches and one database, with dummy devices: neither root nor a lab is needed.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
exec "$top_builddir/tests/system/test-fifty"
