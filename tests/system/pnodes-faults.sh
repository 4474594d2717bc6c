#!/usr/bin/env bash
# kill -9 of each daemon at twenty random moments of deployments of sixty vnodes on three pnodes: what comes of it equals what an
# undisturbed deployment made, row by row and device by device; cleanup then leaves each machine as it was.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
. "$top_srcdir/tests/pnodes.sh"

# The same moments in each run.
RANDOM=20261126
dir=$(mktemp -d)
on_exit rm -rf "$dir"
picture=$top_srcdir/tests/system/crash_picture.py
make_pnodes 3

# --- somebody else's things on the first pnode: a veth pair, a bridge, a container
in_pnode 1 ip link add foreign0 type veth peer name foreign1
in_pnode 1 ip link add foreignbr type bridge
mkdir "$dir/lxc" "$dir/lxc/foreign"
cat >"$dir/lxc/foreign/config" <<CONFIG
lxc.uts.name = foreign
lxc.rootfs.path = dir:/
lxc.net.0.type = empty
lxc.init.cmd = /bin/sleep 1000000
lxc.apparmor.profile = unconfined
CONFIG
lxc-start -P "$dir/lxc" -n foreign -d
on_exit lxc-stop -P "$dir/lxc" -n foreign -k
foreign() {
    lxc-info -P "$dir/lxc" -n foreign -s -p
    in_pnode 1 ip -o link | grep foreign | sed 's/^[0-9]*: //'
}
foreign >"$dir/foreign"
remember_pnodes

# Two vnetworks, a gateway between them, every pnode with a third of each; three vnodes on one VLAN.
python3 - >"$dir/sixty.json" <<'PYTHON'
import json
vnodes = {f"v{i}": {"pnode": f"p{i % 3 + 1}", "vifaces": {"if0": {"vnetwork": f"net{i // 3 % 2}", "output": {"latency": f"{i}ms"}}}}
          for i in range(1, 57)}
vnodes["gate"] = {"pnode": "p1", "gateway": True, "vifaces": {"if0": {"vnetwork": "net0"}, "if1": {"vnetwork": "net1"}}}
for k in range(1, 4):
    vnodes[f"w{k}"] = {"pnode": f"p{k}", "vifaces": {"if0": {"vnetwork": "wire"}}}
print(json.dumps({"distem": 2, "name": "faults", "vnodes": vnodes, "vnetworks": {
    "net0": {"ipv4": "10.1.0.0/24", "ipv6": "fd00:1::/64"}, "net1": {"ipv4": "10.2.0.0/24", "underlay": "ipv6"},
    "wire": {"ipv4": "10.1.0.0/24", "transport": "vlan", "vlan": 7, "interface": "u1"}}}))
PYTHON

# take NAME: the picture of all there is.
take() {
    local k
    {
        python3 "$picture" take_rows "unix:/run/distem-p0/distem-db.sock"
        for k in 1 2 3; do
            in_pnode "$k" python3 "$picture" take_pnode "/run/distem-p$k" "/var/lib/distem-p$k" | sed "s/^/p$k /"
        done
    } >"$dir/$1"
}
same_as() {
    local deadline=$((SECONDS + 20))
    until take now && cmp -s "$dir/now" "$dir/$1"; do
        if [[ $SECONDS -ge $deadline ]]; then
            diff "$dir/$1" "$dir/now"
            return 1
        fi
        sleep 0.5
    done
}
is_ready() {
    platform_has "d['state'] == 'ready' and {v['state'] for v in d['vnodes']} == {'running'}"
}

check "a coordinator and three pnodes start" start_all
t0=$(date +%s%3N)
check "sixty vnodes come up" distem up "$dir/sixty.json"
deploying=$(($(date +%s%3N) - t0))
take undisturbed
echo "# deployment $deploying ms; $(wc -l <"$dir/undisturbed") lines"
check "... on three machines" bash -c "[[ \$(grep -c '^p[123] netns' '$dir/undisturbed') -gt 500 && \$(grep -c '^row Vnode' '$dir/undisturbed') -eq 60 ]]"
check "they go down" distem down

# --- what is killed; distemd is started again by us, all else by distemd
kill_file() {
    local pid
    pid=$(cat "$1") && kill -KILL "$pid" && wait_until bash -c "! grep -q . /proc/$pid/cmdline"
}
kill_coordinator() {
    kill_pnode 0
    start_coordinator
}
kill_database() {
    kill_file /run/distem-p0/distem-db.pid
}
kill_daemon_of() {
    kill_pnode "$1"
    start_pnode "$1"
}
kill_switch_of() {
    kill_file "/run/distem-p$1/ovs/ovs-vswitchd.pid"
}
kill_switch_database_of() {
    kill_file "/run/distem-p$1/ovs/ovsdb-server.pid"
}

# round VICTIM...: a deployment in which each dies, one after the other, after random parts of the time that it takes.
round() {
    local victim ms
    distem up --no-wait "$dir/sixty.json" >/dev/null 2>&1
    for victim in "$@"; do
        ms=$((RANDOM * deploying / 32768 / $#))
        sleep "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
        # shellcheck disable=SC2086 # The pnode's number.
        kill_${victim/-/ } >/dev/null 2>&1
    done
    check "$*: ready" wait_until is_ready
    check "$*: as if nothing had happened" same_as undisturbed
    check "$*: down" distem down
}
round coordinator daemon_of-1 switch_of-2 switch_database_of-3 database
round daemon_of-2 database coordinator switch_of-3 switch_database_of-1
round switch_database_of-2 switch_of-1 daemon_of-3 coordinator database
round database daemon_of-1 daemon_of-2 daemon_of-3 switch_of-1

# --- what is left after all that
distem up --no-wait "$dir/sixty.json" >/dev/null
wait_until bash -c "[[ -n \$(ls -A /run/distem-p1/netns 2>/dev/null) ]]"
for k in 1 2 3 0; do
    kill_pnode "$k"
done
check "cleanup in the middle of a deployment" cleanup_all
check "... leaves every machine as it was" pnodes_as_before
check "... and what belongs to others" bash -c "$(declare -f foreign in_pnode); pnodes_kind=$pnodes_kind pnodes_dir=$pnodes_dir dir=$dir
    foreign | diff '$dir/foreign' -"
finish
