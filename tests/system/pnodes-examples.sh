#!/usr/bin/env bash
# The examples for several machines: each comes up with every vnetwork spread over three pnodes, is measured against itself, goes down.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
. "$top_srcdir/tests/pnodes.sh"

dir=$(mktemp -d)
on_exit rm -rf "$dir"
make_pnodes 3
remember_pnodes
check "a coordinator and three pnodes start" start_all

changes_nothing() {
    local changes
    changes=$(distem diff "$@") || return
    echo "$changes"
    [[ -z $changes ]]
}
# try NAME VNODES WAYS [up OPTION]...: WAYS is what the vnetworks are joined by, in the file's order.
try() {
    local name=$1 vnodes=$2 ways=$3
    shift 3
    spread "$top_srcdir/examples/$name.json" >"$dir/$name.json"
    check "$name: up" distem up "$@" "$dir/$name.json"
    check "$name: $vnodes vnodes run" platform_has "[v['state'] for v in d['vnodes']] == ['running'] * $vnodes"
    check "$name: on all pnodes" platform_has "len({v['pnode'] for v in d['vnodes']}) == 3"
    check "$name: joined by $ways" platform_has "' '.join(n['transport'] for n in d['vnetworks']) == '$ways'"
    check "$name: nothing is left to change" changes_nothing "$@" "$dir/$name.json"
    check "$name: the RTT of all pairs is right" distem verify --only rtt
    check "$name: some goodputs are right" distem verify --only goodput --sample 6
    check "$name: down" distem down
}

for name in vlan mixed; do
    sed 's/"eth1"/"u1"/' "$top_srcdir/examples/$name-layout.json" >"$dir/$name-layout.json"
done
try three-sites 9 "vxlan vxlan vxlan vxlan"
try vlan 7 "vlan vlan" --layout "$dir/vlan-layout.json"
try mixed 9 "vxlan vlan local" --layout "$dir/mixed-layout.json"
cp "$top_srcdir/examples/world-latency.csv" "$dir"
try world 9 vxlan
check "what says nothing about machines is placed by itself" distem up "$top_srcdir/examples/three-sites.json"
check "... on more than one" platform_has "len({v['pnode'] for v in d['vnodes']}) > 1"
check "... and works" distem verify --only rtt --sample 6
check "nothing unexpected in the logs" unexpected_logs
check "down" distem down
stop_all
check "cleanup" cleanup_all
check "nothing is left" pnodes_as_before
finish
