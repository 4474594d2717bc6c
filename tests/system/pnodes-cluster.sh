#!/usr/bin/env bash
# The Distem database on three machines, set up as doc/cluster.md says: the server that leads is killed during a deployment, and two of
# three are gone for minutes. The deployment ends, vnodes run on, and what was asked for meanwhile is done once.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
. "$top_srcdir/tests/pnodes.sh"

dir=$(mktemp -d)
on_exit rm -rf "$dir"
make_pnodes 3
remember_pnodes
remotes=tcp:192.0.2.1:4569,tcp:192.0.2.2:4569,tcp:192.0.2.3:4569

# --- the servers: K's is in pnode K's namespaces
start_server() {
    in_pnode "$1" ovsdb-server --detach --no-chdir --pidfile="$dir/$1.pid" --unixctl="$dir/$1.ctl" --log-file="$dir/$1.log" -vconsole:off \
        --remote="ptcp:4569" "$dir/$1.db"
}
kill_server() {
    local pid
    pid=$(cat "$dir/$1.pid")
    kill -KILL "$pid"
    wait_until test ! -d "/proc/$pid"
    rm -f "$dir/$1.pid" "$dir/$1.ctl"
}
stop_servers() {
    local k
    for k in 1 2 3; do
        [[ ! -e $dir/$k.pid ]] || kill_server "$k"
    done
}
# server_says K WORDS
server_says() {
    ovs-appctl -t "$dir/$1.ctl" cluster/status Distem 2>/dev/null | grep -q "$2"
}
leader() {
    local k
    for k in 1 2 3; do
        ! server_says "$k" 'Role: leader' || echo "$k"
    done
}
on_exit stop_servers
make_cluster() {
    local k
    ovsdb-tool create-cluster "$dir/1.db" "$DISTEM_DATADIR/distem.ovsschema" tcp:192.0.2.1:4570 && start_server 1 || return
    for k in 2 3; do
        ovsdb-tool join-cluster "$dir/$k.db" Distem "tcp:192.0.2.$k:4570" tcp:192.0.2.1:4570 && start_server "$k" &&
            wait_until server_says "$k" 'Status: cluster member' || return
    done
}
check "three servers keep the database together" make_cluster

start_daemons() {
    local k
    start_coordinator --db="$remotes" || return
    for k in 1 2 3; do
        pnode_call "$k" start_daemon --pnode --db="$remotes" --name="p$k" || return
    done
    wait_until pnodes_are 3
}
check "a coordinator and three pnodes use it" start_daemons

# --- a deployment
cat >"$dir/topo.json" <<'JSON'
{
  "distem": 2, "name": "cluster",
  "vnetworks": {"net": {"ipv4": "10.0.0.0/24"}},
  "vnodes": {"v[1-30]": {"vifaces": {"if0": {"vnetwork": "net", "output": {"latency": "5ms"}}}}}
}
JSON
all_run() {
    platform_has "d['state'] == 'ready' and [v['state'] for v in d['vnodes']] == ['running'] * 30"
}
pids() {
    ask /platform | python3 -c 'import json, sys; print(*[v["pid"] for v in json.load(sys.stdin)["vnodes"]])'
}
# Vnodes that have been started so far, as the pnodes' logs say.
started() {
    cat /var/lib/distem-p[123]/distemd.log | grep -c '"vnode started"'
}
some_started() {
    [[ $(started) -ge 1 ]]
}
first=$(leader)
distem up "$dir/topo.json" >"$dir/up" 2>&1 &
up=$!
wait_until some_started
kill_server "$first"
count=$(started)
check "the server that leads is killed while thirty vnodes are being deployed ($count have been started)" test "$count" -lt 30
wait "$up"
check "... and the deployment ends well" test $? -eq 0
check "... with all vnodes" all_run
check "... in one piece: $(sed -n '/^Up/p' "$dir/up")" platform_has "len({v['id'] for v in d['vnodes']}) == 30 and d['generation'] == 1"
check "... which reach each other" in_vnode v1 'ping -c 1 -W 5 10.0.0.2 && ping -c 1 -W 5 10.0.0.3 && ping -c 1 -W 5 10.0.0.30'
check "another one leads" test "$(leader)" != "$first"
check "the server comes back" start_server "$first"
check "... as a member" wait_until server_says "$first" 'Status: cluster member'

# --- minutes without a database
before=$(pids)
lost=("$first" "$(leader)")
check "two of three servers are killed" kill_server "${lost[0]}"
check "... the second one" kill_server "${lost[1]}"
# In the vnode itself: to enter it takes a database.
enter=$(awk '{ print $1 }' <<<"$before")
nsenter --target "$enter" --net ping -q -i 1 -c 120 -W 5 10.0.0.2 >"$dir/ping"
check "for two minutes no packet between vnodes is lost" grep -q ' 0% packet loss' "$dir/ping"
distem set v1 output latency=9ms >"$dir/set" 2>&1 &
set=$!
check "the servers come back" start_server "${lost[0]}"
check "... the second one" start_server "${lost[1]}"
wait "$set"
check "what was asked for meanwhile is done" test $? -eq 0
check "... once" wait_until platform_has \
    "d['generation'] == 2 and [v['vifaces'][0]['output'] for v in d['vnodes'] if v['name'] == 'v1'] == [{'latency': '9ms'}]"
check "nobody is lost" wait_until pnodes_are 3
check "... and all is there" wait_until all_run
check "... as it was" test "$(pids)" = "$before"

check "nothing unexpected in the logs" \
    unexpected_logs 'lost|does not answer|not reach|connection|heard of|not stored|cannot report|database'
check "down" distem down
stop_all
stop_servers
check "cleanup" cleanup_all
check "nothing is left" pnodes_as_before
finish
