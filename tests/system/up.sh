#!/usr/bin/env bash
# The commands end to end on a real kernel: up, status, exec, change, kill -9, down, cleanup.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

dir=$(mktemp -d)
on_exit rm -rf "$dir"

# Somebody else's things, which must be as they are at the end.
ip link add foreign0 type veth peer name foreign1
ip link add foreignbr type bridge
foreign() {
    ip -o link show foreign0 && ip -o link show foreign1 && ip -o link show foreignbr
}
foreign | sed 's/^[0-9]*: //' >"$dir/foreign.before"
sysctl -n net.ipv4.neigh.default.gc_thresh1 net.ipv6.neigh.default.gc_thresh3 >"$dir/limits.before"

on_exit distem cleanup
on_exit stop_daemon

exits_with() {
    local expected=$1
    shift
    "$@" && [[ $expected -eq 0 ]] && return
    [[ $? -eq $expected ]]
}
prints() {
    local expected=$1 got
    shift
    got=$("$@" 2>/dev/null)
    echo "$got"
    [[ $got == "$expected" ]]
}
status_is() {
    distem status --json | json "$1"
}
# pids: of all vnodes' inits, as the platform knows them.
pids() {
    distem status --json | python3 -c 'import json, sys
print(*(v["name"] + "=" + str(v["pid"]) for v in json.load(sys.stdin)["vnodes"]))'
}

# --- the daemon
check "without a daemon, the error says how to start one" \
    bash -c '! distem status 2>"'"$dir"'/err" && grep -q "distemd --detach" "'"$dir"'/err"'
check "distemd --detach returns when requests are answered" distemd --detach
check "... and it answers at once" curl -sf http://127.0.0.1:4567/
check "a second distemd refuses to start" bash -c '! distemd --detach'
check "it listens on loopback only" bash -c '! ss -Hltn sport = :4567 | grep -v 127.0.0.1:4567'
check "without a platform, status says so" bash -c 'distem status | grep -q "There is no platform"'
check "... and down is fine" distem down

# --- refusals
cat >"$dir/bad.json" <<'JSON'
{
  "distem": 2, "name": "bad",
  "vnetworks": {"net": {"ipv4": "10.1.0.0/24"}},
  "vnodes": {
    "a": {"memry": "1GiB", "vifaces": {"if0": {"vnetwork": "net", "output": {"bandwidth": "10"}}}},
    "b": {"vifaces": {"if0": {"vnetwork": "nett"}}}
  }
}
JSON
distem up "$dir/bad.json" >"$dir/out" 2>"$dir/err"
check "a wrong file is refused" test $? -eq 1
check "... with all errors, their lines and pointers" bash -c "
    grep -q 'bad.json:5: /vnodes/a/memry: .*memory' '$dir/err' &&
    grep -q 'bad.json:5: /vnodes/a/vifaces/if0/output/bandwidth: .*unit' '$dir/err' &&
    grep -q 'bad.json:6: /vnodes/b/vifaces/if0/vnetwork: ' '$dir/err'"
check "... and nothing is there afterwards" bash -c 'distem status | grep -q "There is no platform"'

# --- up
cp "$top_srcdir/examples/figure3.json" "$dir/topo.json"
check "diff says what up would do" bash -c "distem diff '$dir/topo.json' | grep -q '^+.*n1'"
check "up brings five vnodes up" distem up "$dir/topo.json"
check "status: all run, generation realised" status_is 'd["state"] == "ready" and [v["state"] for v in d["vnodes"]] == ["running"] * 5'
check "up again changes nothing" bash -c "distem up '$dir/topo.json' --json | grep -q '\"changes\": *\\[\\]'"
check "only n3 forwards" status_is '[v["name"] for v in d["vnodes"] if v["forwards"]] == ["n3"]'

# --- exec
check "exec passes on output" prints n1 distem exec n1 -- hostname
check "exec passes on the exit code" exits_with 7 distem exec n1 -- sh -c 'exit 7'
check "exec passes on standard input" bash -c '[[ $(echo hello | distem exec n2 -- cat) == hello ]]'
check "exec keeps the two outputs apart" bash -c '[[ $(distem exec n2 -- sh -c "echo out; echo err >&2" 2>/dev/null) == out ]]'
check "exec: a command that is not there is 127" exits_with 127 distem exec n1 -- no-such-command
check "exec: a vnode that is not there is named" bash -c 'distem exec nobody -- true 2>&1 | grep -q nobody'
check "a vnode sees its own network only" bash -c \
    '[[ $(distem exec n3 -- ls /sys/class/net | sort | tr "\n" " ") == "if0 if1 lo " ]]'
check "n1 reaches n4 through n3" distem exec n1 -- ping -c 2 -W 2 10.2.0.2
check "what a vnode writes stays in it" bash -c 'distem exec n1 -- touch /etc/only-in-n1 && [[ ! -e /etc/only-in-n1 ]]'

# --- a change: only the difference
before=$(pids)
sed 's/"latency": "30ms"/"latency": "50ms"/' "$dir/topo.json" >"$dir/slower.json"
distem exec n1 -- ping -c 30 -i 0.1 -W 2 10.1.0.2 >"$dir/ping" &
ping_pid=$!
check "up with one latency changed is one change" bash -c "distem diff '$dir/slower.json' | grep -c . | grep -qx 1"
check "... is applied" distem up "$dir/slower.json"
check "... without touching a vnode's processes" prints "$before" pids
wait "$ping_pid"
check "... and no packet was lost meanwhile" grep -q ' 0% packet loss' "$dir/ping"
check "... and the RTT is the new one" bash -c \
    'distem exec n1 -- ping -c 3 -W 2 10.1.0.2 | grep -q "rtt.* = 10[12]\.[0-9]*/10[12]\."'
python3 - "$dir/topo.json" "$dir/more.json" <<'PYTHON'
import json, sys
d = json.load(open(sys.argv[1]))
del d["vnodes"]["n5"]
d["vnodes"]["n6"] = {"vifaces": {"if0": {"vnetwork": "net2"}}}
json.dump(d, open(sys.argv[2], "w"))
PYTHON
check "a vnode is removed and another added" distem up "$dir/more.json"
check "... and the others kept their processes" bash -c "[[ '${before% n5=*}' == '$(pids | sed 's/ n6=.*//')' ]]"
check "... and their addresses" status_is '[v["vifaces"][0]["ipv4"] for v in d["vnodes"] if v["name"] == "n4"] == ["10.2.0.2/24"]'
check "the new one reaches the others" distem exec n6 -- ping -c 1 -W 2 10.1.0.1

# --- the daemon dies
before=$(pids)
distem exec n2 -- sh -c 'sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/run/sleep.pid'
kill_daemon
check "after kill -9 distemd starts again" distemd --detach
check "... to the same platform" wait_until status_is 'd["state"] == "ready"'
check "... whose vnodes it did not touch" prints "$before" pids
check "... nor what runs in them" distem exec n2 -- sh -c 'kill -0 $(cat /run/sleep.pid)'

# --- everything dies
kill_daemon
pkill -KILL -f "[d]istem-vnode" || true
for pid in $(tr ' ' '\n' <<<"$before" | sed 's/.*=//'); do
    kill -KILL "$pid"
done
for file in /run/distem/*.pid /run/distem/ovs/*.pid; do
    [[ ! -e $file ]] || kill -KILL "$(cat "$file")" 2>/dev/null || true
done
check "after kill -9 of all, distemd starts again" distemd --detach
check "... and comes back to the same platform" wait_until status_is \
    'd["state"] == "ready" and [v["state"] for v in d["vnodes"]] == ["running"] * 5'
check "... that works" distem exec n6 -- ping -c 1 -W 2 10.1.0.1
check "... with what the vnodes had written" distem exec n1 -- test -e /etc/only-in-n1

# --- a vnode dies
victim=$(pids | tr ' ' '\n' | sed -n 's/^n4=//p')
kill -KILL "$victim"
check "a vnode that ends by itself is started again" wait_until status_is \
    "d['state'] == 'ready' and $victim not in [v['pid'] for v in d['vnodes']]"

# --- down
check "down takes everything away" distem down
# What belongs to the daemon, which still runs, may be there.
of_vnodes() {
    leftovers | grep -vxE 'process .*|mount /run/distem/netns|cgroup /sys/fs/cgroup/distem-[0-9a-f]*'
}
check "... all of it" prints "" of_vnodes
check "the limits are back" prints "$(cat "$dir/limits.before")" sysctl -n net.ipv4.neigh.default.gc_thresh1 \
    net.ipv6.neigh.default.gc_thresh3
check "nothing unexpected in the log" unexpected_log 'ended by itself and is started again'
stop_daemon
check "cleanup finds the folders and the private switch" bash -c 'distem cleanup --dry-run | grep -q "would remove folder /run/distem"'
check "... and removes them" distem cleanup
check "... after which there is nothing" bash -c 'distem cleanup | grep -q "Nothing to clean up" && [[ ! -e /run/distem && ! -e /var/lib/distem ]]'
check "nothing is left" prints "" leftovers
check "somebody else's devices are untouched" bash -c "$(declare -f foreign); foreign | sed 's/^[0-9]*: //' | diff - '$dir/foreign.before'"

# --- cleanup after a crash in the middle of a deployment
distemd --detach
distem up --no-wait "$dir/topo.json" >/dev/null
wait_until bash -c 'ip -o link show group 53591 | grep -q dv'
kill_daemon
check "cleanup after a crash in the middle" distem cleanup
check "... leaves nothing" prints "" leftovers
finish
