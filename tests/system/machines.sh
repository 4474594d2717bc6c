#!/usr/bin/env bash
# Three machines with a kernel each: VXLAN over IPv4 and IPv6, VLANs, MTU, checksums, a command elsewhere, a machine that loses power.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
[[ $(id -u) -eq 0 ]] || skip_all "needs root"
command -v qemu-system-x86_64 >/dev/null || skip_all "needs qemu-system-x86_64"
. "$top_srcdir/tests/pnodes.sh"

# Where all machines see it.
dir=$(mktemp -d "$top_builddir/machines.XXXXXX")
on_exit rm -rf "$dir"
# A round trip takes some milliseconds more or less here: what counts is that there is one.
reached=(--only rtt --tolerance rtt=100%,rtt-floor=500ms)

make_machines 3
# lists N: `distem pnode list` has so many that are ready.
lists() {
    distem pnode list >"$dir/out"
    cat "$dir/out"
    [[ $(grep -c ' ready' "$dir/out") -eq $1 ]]
}
check "a coordinator and two pnodes start" start_all
check "pnode list shows all" lists 3

# --- the examples, every vnetwork on all machines
try() {
    local name=$1
    shift
    spread "$top_srcdir/examples/$name.json" >"$dir/$name.json"
    check "$name: up" distem up "$@" "$dir/$name.json"
    check "$name: on three machines" platform_has "len({v['pnode'] for v in d['vnodes']}) == 3"
    check "$name: all pairs are reached" distem verify "${reached[@]}"
    check "$name: down" distem down
}
for name in vlan mixed; do
    sed 's/"eth1"/"lab1"/' "$top_srcdir/examples/$name-layout.json" >"$dir/$name-layout.json"
done
try three-sites
try vlan --layout "$dir/vlan-layout.json"
try mixed --layout "$dir/mixed-layout.json"

# --- MTU, checksums
# pair UNDERLAY [MTU]
pair() {
    cat >"$dir/pair.json" <<JSON
{
  "distem": 2, "name": "pair",
  "vnetworks": {"net": {"ipv4": "10.1.0.0/24", "underlay": "$1"${2:+, \"mtu\": $2}}},
  "vnodes": {
    "a": {"pnode": "m1", "vifaces": {"if0": {"vnetwork": "net"}}},
    "b": {"pnode": "m2", "vifaces": {"if0": {"vnetwork": "net"}}},
    "c": {"pnode": "m3", "vifaces": {"if0": {"vnetwork": "net"}}}
  }
}
JSON
}
fails_with() {
    local pattern=$1
    shift
    ! "$@" >"$dir/out" 2>&1 && tr '\n' ' ' <"$dir/out" | grep -qE "$pattern"
}
# fits BYTES: an IP packet of so many bytes passes whole; one of one more does not.
fits() {
    distem exec a -- ping -c 2 -W 5 -M 'do' -s $(($1 - 28)) 10.1.0.2 && ! distem exec a -- ping -c 1 -W 5 -M 'do' -s $(($1 - 27)) 10.1.0.2
}
# transfer FROM TO: four mebibytes by TCP arrive as they were sent.
# shellcheck disable=SC2016
transfer() {
    local sent received
    sent=$(distem exec "$1" -- sh -c 'head -c 4194304 /dev/urandom >/tmp/data && sha256sum </tmp/data') || return
    distem exec "$1" -- python3 -c 'import os, socket
s = socket.create_server(("0.0.0.0", 5000))
if os.fork() == 0:
    os.setsid()
    for fd in (0, 1, 2):
        os.close(fd)
    c = s.accept()[0]
    c.sendall(open("/tmp/data", "rb").read())' || return
    received=$(distem exec "$2" -- python3 -c 'import hashlib, socket, sys
c = socket.create_connection((sys.argv[1], 5000), timeout=60)
h = hashlib.sha256()
while d := c.recv(65536):
    h.update(d)
print(h.hexdigest(), " -")' "$3") || return
    echo "$sent / $received"
    [[ $sent == "$received" ]]
}
pair ipv4 1500
check "an MTU that does not fit is refused before anything is built" fails_with '1500 .*1450' distem up "$dir/pair.json"
check "... and nothing is there" fails_with 'no platform' distem verify
for underlay in ipv4 ipv6; do
    mtu=1450
    [[ $underlay == ipv4 ]] || mtu=1430
    pair "$underlay"
    check "over $underlay: up" distem up "$dir/pair.json"
    check "over $underlay: the MTU is $mtu" platform_has "d['vnetworks'][0]['mtu'] == $mtu and d['vnetworks'][0]['underlay'] == '$underlay'"
    check "over $underlay: a packet of $mtu bytes passes, a larger one does not" fits "$mtu"
    check "over $underlay: TCP arrives as sent" transfer a b 10.1.0.1
    check "over $underlay: ... and the other way" transfer b a 10.1.0.2
done
says() {
    local expected=$1 got
    shift
    got=$("$@")
    echo "$got"
    [[ $got == "$expected" ]]
}
check "a command runs on another machine" says c distem exec c -- hostname

# --- power
check "a machine loses power" poweroff_pnode 3
is_lost() {
    pnodes_have "[p['state'] for p in d['pnodes'] if p['name'] == 'm3'] == ['lost']" &&
        platform_has "{v['name']: v['state'] for v in d['vnodes']} == {'a': 'running', 'b': 'running', 'c': 'lost'}"
}
check "... and is shown as lost, with its vnode" wait_until is_lost
check "... the rest goes on" distem exec a -- ping -c 2 -W 5 10.1.0.2
check "... a command on it says why not" fails_with 'm3' distem exec c -- true
check "it boots again" boot_pnode 3
check "... its daemon starts" start_pnode 3
is_back() {
    platform_has "d['state'] == 'ready' and [v['state'] for v in d['vnodes']] == ['running'] * 3"
}
check "... and its share is built again" wait_until is_back
check "... and works" distem exec a -- ping -c 2 -W 5 10.1.0.3
check "down" distem down
stop_all
check "cleanup" cleanup_all
finish
