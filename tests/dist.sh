#!/usr/bin/env bash
# The tarball builds, passes its unit tests, installs and uninstalls: make distcheck.
set -u

: "${top_srcdir:?run it through make check-dist}" "${top_builddir:?run it through make check-dist}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
options=$("$top_builddir/config.status" --config | tr ' ' '\n' | grep -- --with-ovs | tr '\n' ' ')
# Of what runs this test, make would pass on its list of tests.
unset MAKEFLAGS MAKEOVERRIDES MFLAGS
echo "1..1"
if make -C "$top_builddir" -j"$(nproc)" distcheck DISTCHECK_CONFIGURE_FLAGS="${options//\'/}" >"$log" 2>&1; then
    echo "ok 1 - make distcheck"
else
    echo "not ok 1 - make distcheck"
    tail -n 60 "$log" | sed 's/^/# /'
fi
