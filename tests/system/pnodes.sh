#!/usr/bin/env bash
# Several machines, each a network namespace on one kernel: they register, are taken in, share a platform over VXLAN, and leave.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

export DISTEM_URL=http://192.0.2.1:4567
dir=$(mktemp -d)
on_exit rm -rf "$dir"

# at MACHINE COMMAND...: runs it with the network of that machine. The rest they share, so each has folders of its own.
at() {
    local machine=$1
    shift
    nsenter --net="/run/netns/$machine" "$@"
}
pid_of() {
    cat "/run/$1/distemd.pid" 2>/dev/null
}
daemon() {
    local machine=$1
    shift
    at "$machine" distemd --detach --name "$machine" --run-dir "/run/$machine" --state-dir "/var/lib/$machine" "$@"
}
# end MACHINE [SIGNAL]
end() {
    local pid
    pid=$(pid_of "$1") || return 0
    kill -"${2-TERM}" "$pid" 2>/dev/null || return 0
    wait_until test ! -d "/proc/$pid"
}
clean() {
    at "$1" distemd --cleanup --run-dir "/run/$1" --state-dir "/var/lib/$1"
}
# machine NAME NUMBER: 192.0.2.NUMBER and fd00:2::NUMBER on its eth0.
machine() {
    ip netns add "$1"
    on_exit ip netns del "$1"
    ip link add name "u$2" type veth peer name eth0 netns "$1"
    ip link set "u$2" mtu 1600 master underlay up
    ip -n "$1" link set lo up
    ip -n "$1" link set eth0 mtu 1600 up
    ip -n "$1" addr add "192.0.2.$2/24" dev eth0
    ip -n "$1" addr add "fd00:2::$2/64" dev eth0 nodad
    on_exit clean "$1"
    on_exit end "$1"
}
rest() {
    local method=$1 path=$2
    shift 2
    at c curl -sS -X "$method" "$@" "$DISTEM_URL$path"
}
pnodes_are() {
    rest GET /pnodes | json "$1"
}
fails_with() {
    local pattern=$1
    shift
    ! "$@" >"$dir/out" 2>&1 && grep -q "$pattern" "$dir/out"
}
merges() {
    at "$1" ethtool -k "$2" | grep -q '^generic-receive-offload: on'
}
does_not() {
    ! "$@"
}
# heartbeat MACHINE: its number; waits for a database that has just ended.
heartbeat() {
    wait_until test -S /run/c/distem-db.sock
    at c ovsdb-client query unix:/run/c/distem-db.sock '["Distem", {"op": "select", "table": "Pnode_State", "where": [["pnode", "==", "'"$1"'"]],
        "columns": ["heartbeat"]}]' 2>/dev/null | grep -o '[0-9]*' | tail -n 1
}
has_beaten() {
    [[ $(heartbeat p1) -gt $1 ]]
}

ip link add name underlay mtu 1600 type bridge
on_exit ip link del underlay
ip link set underlay up
machine c 1
machine p1 2
machine p2 3
machine p3 4
for machine in p1 p2 p3; do
    ip netns exec "$machine" ethtool -K eth0 gro on
done

# --- registering
check "a pnode without its coordinator says so" fails_with 'does not answer' daemon p1 --pnode --coordinator 192.0.2.1 --label rack=a
check "... and runs on" test -d "/proc/$(pid_of p1)"
check "the coordinator starts" daemon c --coordinator --listen 192.0.2.1
check "the pnode registers once there is a coordinator" wait_until pnodes_are '[p["name"] for p in d["pnodes"]] == ["p1"]'
check "another one does at once" daemon p2 --pnode --coordinator 192.0.2.1:4567 --underlay eth0
check "... with both its addresses" bash -c "ovsdb-client dump unix:/run/c/distem-db.sock Distem Pnode | grep -q '\"192.0.2.3\" *\"fd00:2::3\"'"
check "a heartbeat goes on" wait_until has_beaten "$(heartbeat p1)"
check "a third one waits" daemon p3 --pnode --listen 192.0.2.4
check "... and is taken in" bash -c "nsenter --net=/run/netns/c curl -sSf -d '{\"address\": \"192.0.2.4\", \"labels\": {\"rack\": \"b\"}}' \
    $DISTEM_URL/pnodes | grep -q p3"
check "all three are there" pnodes_are '[p["name"] for p in d["pnodes"]] == ["p1", "p2", "p3"]'
end p3
check "taken in, it needs no option after a restart" daemon p3 --pnode --listen 192.0.2.4
check "a machine with a name that is taken is refused" fails_with 'another machine is pnode p1' at c distemd --detach --name p1 \
    --run-dir /run/x --state-dir /var/lib/x --pnode --coordinator 192.0.2.1
kill "$(pid_of x)"
wait_until test ! -d "/proc/$(pid_of x)"
at c distemd --cleanup --run-dir /run/x --state-dir /var/lib/x >/dev/null

# --- a platform
cat >"$dir/topo.json" <<'JSON'
{
  "distem": 2, "name": "three",
  "vnetworks": {"net": {"ipv4": "10.1.0.0/24", "ipv6": "fd01::/64"}, "same": {"ipv4": "10.1.0.0/24", "transport": "vxlan", "underlay": "ipv6"}},
  "vnodes": {
    "a": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "net", "output": {"latency": "20ms"}}}},
    "b": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "net"}}},
    "c": {"pnode": "p3", "vifaces": {"if0": {"vnetwork": "net"}}},
    "d": {"pnode": "p3", "vifaces": {"if0": {"vnetwork": "same"}}},
    "e": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "same"}}}
  }
}
JSON
grep -v '"c":' "$dir/topo.json" >"$dir/less.json"
sed 's/^    "e":/    "f": {"pnode": "c", "vifaces": {"if0": {"vnetwork": "net"}}},\n&/' "$dir/topo.json" >"$dir/more.json"
check "a platform on three machines comes up" at c distem up "$dir/topo.json"
check "a vnode reaches another machine's" at c distem exec a -- ping -c 3 -W 2 10.1.0.2
check "... with its latency" bash -c "nsenter --net=/run/netns/c distem exec a -- ping -c 3 -W 2 10.1.0.2 | grep -q 'rtt.* = 20\.[0-9]*/20\.'"
check "... and the third one's" at c distem exec b -- ping -c 3 -W 2 10.1.0.3
check "... over IPv6, too" at c distem exec c -- ping -6 -c 3 -W 2 fd01::1
check "the other vnetwork has the same addresses" at c distem exec d -- ping -c 3 -W 2 10.1.0.2
check "nothing that comes from elsewhere is merged" does_not merges p2 eth0
check "... nor behind the tunnel" does_not merges p2 vxlan_sys_14789

# --- daemons end
end p1 KILL
check "without its daemon a pnode's vnodes go on" at c distem exec b -- ping -c 1 -W 2 10.1.0.1
check "... which starts again" daemon p1 --pnode --coordinator 192.0.2.1 --label rack=a
end c KILL
check "the coordinator starts again, as a pnode, too" daemon c --listen 192.0.2.1
check "... and finds all as it was" wait_until bash -c "nsenter --net=/run/netns/c distem status | grep -q 'is ready: 5 of 5'"
kill -KILL "$(cat /run/c/distem-db.pid)"
check "when the database server has ended, heartbeats go on" wait_until has_beaten "$(($(heartbeat p1) + 1))"

# --- a change
check "the coordinator's machine gets a vnode, too" at c distem up "$dir/more.json"
check "... that reaches the others" at c distem exec f -- ping -c 3 -W 2 10.1.0.2
check "... and is reached" at c distem exec c -- ping -6 -c 3 -W 2 fd01::4
check "a vnode goes" at c distem up "$dir/less.json"
check "... and is reached no more" does_not at c distem exec b -- ping -c 1 -W 1 10.1.0.3
check "... the others are" at c distem exec b -- ping -c 1 -W 2 10.1.0.1
check "all go" at c distem down
check "nothing is left on the switches" bash -c '! for p in p1 p2 p3; do ovs-vsctl --db=unix:/run/$p/ovs/db.sock list-br; done | grep .'
check "the interfaces do what they did before" merges p2 eth0

# --- leaving
remove_row() {
    at c ovsdb-client transact unix:/run/c/distem-db.sock '["Distem",
        {"op": "delete", "table": "Pnode", "where": [["name", "==", "'"$1"'"]]},
        {"op": "delete", "table": "Pnode_State", "where": [["pnode", "==", "'"$1"'"]]}]' >/dev/null
}
is_waiting() {
    at "$1" curl -sS "http://$2:4568/" | json 'd["waiting"]'
}
take_in() {
    rest POST /pnodes -f -d '{"address": "'"$1"'"}'
}
has_no_vnodes() {
    [[ -z $(ls "/run/$1/netns") ]] && ! ip -n "$1" -o link | grep -E ' d[vi][0-9]'
}
at c distem up "$dir/topo.json" >/dev/null 2>&1
remove_row p3
check "a machine that is removed waits again" wait_until is_waiting p3 192.0.2.4
check "... and has given up its share" has_no_vnodes p3
end p3
check "... also after a restart" daemon p3 --pnode --listen 192.0.2.4
check "... as it says" is_waiting p3 192.0.2.4
check "it is taken in again" take_in 192.0.2.4
check "... and has its share again" wait_until bash -c "nsenter --net=/run/netns/c distem status | grep -q 'is ready: 5 of 5'"
end p3
remove_row p3
check "a machine that is removed while it has no daemon" daemon p3 --pnode --listen 192.0.2.4
check "... notices it" wait_until is_waiting p3 192.0.2.4
check "... and gives up its share" has_no_vnodes p3
check "the others go on" at c distem exec a -- ping -c 1 -W 2 10.1.0.2

# --- nothing is left
at c distem down >/dev/null 2>&1
for machine in p1 p2 p3; do
    end "$machine"
    check "cleanup of $machine" clean "$machine"
    check "... leaves nothing" bash -c "! ip -n $machine -o link | grep -E ': (d[vibtqr][0-9]|vxlan_sys|ovs-)' && [[ ! -e /run/$machine ]]"
done
end c
check "cleanup of the coordinator" clean c
finish
