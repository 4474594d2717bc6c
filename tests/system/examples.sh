#!/usr/bin/env bash
# The example files as a newcomer tries them: each comes up, is measured against itself, and goes down.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon
check "distemd starts" distemd --detach

# try FILE VNODES [VERIFY-OPTION]...
try() {
    local file=$1 vnodes=$2 name
    shift 2
    name=$(basename "$file" .json)
    check "$name: is valid" distem validate "$file"
    check "$name: up" distem up "$file"
    check "$name: $vnodes vnodes run" bash -c "distem status | grep -q 'is ready: $vnodes of $vnodes vnodes running'"
    check "$name: nothing is left to change" bash -c "[[ -z \$(distem diff '$file') ]]"
    check "$name: measures as specified" distem verify "$@"
    check "$name: down" bash -c "distem down 2>'$dir/down' && grep -q 'of $vnodes vnodes removed' '$dir/down'"
}

try "$top_srcdir/examples/figure3.json" 5
try "$top_srcdir/examples/dual-stack.json" 8 --sample 6
try "$top_srcdir/examples/lossy-wireless.json" 13 --sample 4
sed 's/\[1-1000\]/[1-60]/' "$top_srcdir/examples/thousand.json" >"$dir/sixty.json"
try "$dir/sixty.json" 60 --sample 10
check "a thousand vnodes are valid" bash -c "distem validate '$top_srcdir/examples/thousand.json' | grep -q '1,000 vnodes'"
check "... and diff lists them" bash -c "[[ \$(distem diff '$top_srcdir/examples/thousand.json' | wc -l) -eq 2002 ]]"

cat >"$dir/empty.json" <<'JSON'
{"distem": 2, "name": "empty", "vnetworks": {}, "vnodes": {}}
JSON
check "a platform without vnodes comes up" distem up "$dir/empty.json"
check "... and there is nothing to measure" bash -c 'distem verify | grep -qx "PASS: there was nothing to measure"'
check "nothing unexpected in the log" unexpected_log 'a limit is low'
check "down" distem down
stop_daemon
check "cleanup" distem cleanup
check "nothing is left" bash -c "$(declare -f leftovers); [[ -z \$(leftovers) ]]"
finish
