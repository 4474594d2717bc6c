#!/usr/bin/env bash
# The pnode watches itself: what makes results doubtful is told by status, log and verify, and nothing is told of a machine that is well.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon

cat >"$dir/topo.json" <<'JSON'
{
  "distem": 2, "name": "health",
  "vnetworks": {"net": {"ipv4": "10.0.0.0/24"}},
  "vnodes": {
    "n[1-2]": {"vifaces": {"if0": {"vnetwork": "net", "both": {"latency": "10ms"}}}},
    "n3": {"vifaces": {"if0": {"vnetwork": "net", "output": {"latency": "10ms", "bandwidth": "1Mbit/s", "queue": "10packets"}}}},
    "n4": {"vifaces": {"if0": {"vnetwork": "net", "output": {"latency": "10ms", "loss": "20%"}}}}
  }
}
JSON
distemd --detach
check "up" distem up "$dir/topo.json"

# pnode EXPRESSION: of Python about the pnode d.
pnode() {
    curl -sf http://127.0.0.1:4567/pnodes | json "(lambda d: $1)(d['pnodes'][0])"
}
heartbeat() {
    curl -sf http://127.0.0.1:4567/pnodes | python3 -c 'import json, sys; print(json.load(sys.stdin)["pnodes"][0]["heartbeat"])'
}
# wait_slowly COMMAND...: as wait_until, for what takes seconds: looking is work as well.
wait_slowly() {
    local tries
    for ((tries = 0; tries < 60; tries++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 1
    done
    return 1
}
# beats N: waits until the pnode has looked at itself N times more.
beats() {
    local until=$(($(heartbeat) + $1))
    wait_slowly pnode "d['heartbeat'] >= $until"
}
device() {
    curl -sf "http://127.0.0.1:4567/vnodes/$1/vifaces/if0" | python3 -c 'import json, sys; print("dv%d" % json.load(sys.stdin)["id"])'
}

beats 2
distem exec n3 -- ping -q -l 50 -c 50 10.0.0.1 >"$dir/queue"
distem exec n4 -- ping -q -i 0.01 -c 100 10.0.0.1 >"$dir/loss"
check "a queue overflows, and frames are lost" bash -c "! grep -l ' 0% packet loss' '$dir/queue' '$dir/loss'"
beats 2
check "a queue that overflows and losses, as they were asked for, are no reason for doubt" \
    pnode "not [doubt for doubt in d['doubts'] if 'idle' not in doubt]"
check "... nor is all else" bash -c '! distem status | grep -v "no idle time" | grep "Not to be trusted"'

tc qdisc change dev "$(device n2)" root handle 1: netem delay 10ms limit 3
distem exec n1 -- ping -q -l 20 -c 20 10.0.0.2 >/dev/null
check "frames that netem drops without being asked to are" \
    wait_slowly pnode "'netem dropped frames, with too many in flight, at the input of n2:if0' in d['doubts']"
check "... status tells" bash -c 'distem status | grep "Not to be trusted: pnode .*at the input of n2:if0"'
check "... and the log" grep -q 'warning pnode "results are not to be trusted" cause="netem dropped frames' /var/lib/distem/distemd.log
beats 2
check "... that it has passed" bash -c '! distem status | grep "n2:if0, also now"'

distem exec n1 -- sh -c 'exec timeout 30 sh -c "while :; do :; done"' &
busy=$!
check "a machine without idle time is" wait_slowly pnode "'its CPUs had no idle time for seconds' in d['doubts']"
distem verify --json --only loss,rtt --pairs n1:n2,n1:n3 >"$dir/busy"
check "... verify tells what happened meanwhile" json "any('no idle time' in doubt for doubt in d['doubts'])" <"$dir/busy"
check "... and only that" json "not any('n2:if0' in doubt for doubt in d['doubts'])" <"$dir/busy"
kill "$busy"
wait "$busy" 2>/dev/null

beats 2
daemon=$(daemon_pid)
for _ in 1 2 3; do
    kill -STOP "$daemon"
    sleep 0.2
    kill -CONT "$daemon"
done
check "timers that are late are" wait_slowly pnode "'its timers were more than 1 ms late' in d['doubts']"

beats 2
switch=$(pgrep -x ovs-vswitchd)
kill -STOP "$switch"
distem exec n1 -- python3 -c '
import socket, time
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind(("if0", 0))
for number in range(20000):
    sender.send(bytes([2, 0, 0, 1, number >> 8, number & 255, 2, 0, 0, 2, 0, 0, 0x88, 0xb5]) + bytes(46))
    if number % 500 == 499: # No more than fit into the latency.
        time.sleep(0.05)'
check "frames that the switch has no time for are" wait_slowly pnode "any('Open vSwitch dropped' in doubt for doubt in d['doubts'])"
kill -CONT "$switch"

check "down" distem down
beats 2
check "what was wrong goes with the platform" pnode "d['doubts'] == {}"
check "nothing unexpected in the log" unexpected_log 'netem dropped frames|Open vSwitch dropped frames'
stop_daemon
check "cleanup" distem cleanup
check "nothing is left" test -z "$(leftovers)"
finish
