#!/usr/bin/env bash
# kill -9 at random moments of a deployment, a change and a teardown: whatever dies, what comes back equals what an undisturbed run
# made, and at the end nothing is left but what belongs to others.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

# The same moments in each run.
RANDOM=20260101
dir=$(mktemp -d)
on_exit rm -rf "$dir"
run=/run/distem
picture=$top_srcdir/tests/system/crash_picture.py

python3 "$picture" topologies "$dir/before.json" "$dir/after.json"

# --- somebody else's things
ip link add foreign0 type veth peer name foreign1
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
    ip -o link show foreign0 && ip -o link show foreign1
    lxc-info -P "$dir/lxc" -n foreign -s -p
}
private_switch() {
    local tool=$1
    shift
    "$tool" --db=unix:$run/ovs/db.sock --timeout=60 "$@"
}
add_foreign_bridge() {
    private_switch ovs-vsctl --may-exist add-br foreignbr -- --may-exist add-port foreignbr foreign0 -- \
        set Port foreign0 external_ids:whose=foreign
}
foreign_bridge() {
    private_switch ovs-vsctl list-ports foreignbr
    private_switch ovs-vsctl get Port foreign0 _uuid external_ids
    private_switch ovs-vsctl get Bridge foreignbr _uuid
    private_switch ovs-vsctl get Interface foreign0 ofport error
}
foreign | sed 's/^[0-9]*: //; s/ master [^ ]*//' >"$dir/foreign.before"
foreign_same() {
    foreign | sed 's/^[0-9]*: //; s/ master [^ ]*//' | diff "$dir/foreign.before" -
}

# --- what is compared
wait_for_state() {
    python3 "$picture" wait "$@"
}
is_down() {
    ! compgen -G "$run/marks/*" >/dev/null && ! compgen -G "$run/netns/*" >/dev/null &&
        ! compgen -G "/var/lib/distem/vnodes/*" >/dev/null && ! compgen -G "/sys/class/net/d[bvi][0-9]*" >/dev/null
}
wait_for_end() {
    local deadline=$((SECONDS + 90))
    until is_down; do
        if [[ $SECONDS -ge $deadline ]]; then
            ls $run/marks $run/netns /var/lib/distem/vnodes /sys/class/net
            return 1
        fi
        sleep 0.2
    done
}
# take NAME: the picture of what there is. It is taken when nothing moves any more: processes on their way out are none of it.
take() {
    python3 "$picture" take "$run" >"$dir/$1"
}
settles_to() {
    take now && cmp -s "$dir/now" "$dir/$1"
}
same_as() {
    local expected=$1 deadline=$((SECONDS + 20))
    until settles_to "$expected"; do
        if [[ $SECONDS -ge $deadline ]]; then
            diff "$dir/$expected" "$dir/now"
            return 1
        fi
        sleep 0.5
    done
}

# --- what is killed: each returns when its victims are gone
kill_pids() {
    local pid
    for pid in "$@"; do
        kill -KILL "$pid" 2>/dev/null
    done
    for pid in "$@"; do
        # What has ended but was not waited for yet has no command line.
        wait_until bash -c "! grep -q . /proc/$pid/cmdline"
    done
}
# shellcheck disable=SC2046 # Lists of pids.
kill_workers() {
    kill_pids $(pgrep -f "distem-vnode worker")
}
kill_switch() {
    kill_pids "$(cat $run/ovs/ovs-vswitchd.pid)"
}
kill_switch_database() {
    kill_pids "$(cat $run/ovs/ovsdb-server.pid)"
}
kill_database() {
    kill_pids "$(cat $run/distem-db.pid)"
}
# shellcheck disable=SC2046
kill_container() {
    kill_pids $(pgrep -f "^.lxc monitor. /var/lib/distem" | head -n 2) $(pgrep -f "distem-init" | tail -n 2)
}
# shellcheck disable=SC2046
kill_all() {
    kill_daemon
    kill_workers
    kill_switch
    kill_switch_database
    kill_database
    kill_pids $(pgrep -f "^.lxc monitor. /var/lib/distem") $(pgrep -f "distem-init")
}
# What a reboot ends. What it leaves is in /var/lib/distem.
reboot() {
    local name
    kill_all
    for name in "$run"/netns/*; do
        umount "$name"
    done
    umount "$run/netns"
    for name in $(ip -o link | sed -n 's/^[0-9]*: \(d[bvi][0-9]*\)[:@].*/\1/p') ovs-system foreignbr; do
        ip link del "$name" 2>/dev/null
    done
    ovs-dpctl del-dp ovs-system 2>/dev/null
    grep -o ' /var/lib/distem/[^ ]*' /proc/self/mounts | xargs -r umount -l
    find /sys/fs/cgroup -depth -type d -path '*/distem-*' -exec rmdir {} + 2>/dev/null
    rm -rf "$run"
}

# disturb PARTS MAX_MS: after a random part of MAX_MS of the machine's time, PARTS die.
disturb() {
    local part ms=$((RANDOM * $2 / 32768))
    sleep "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
    for part in $1; do
        "kill_$part"
    done
    daemon_runs || start
}
daemon_runs() {
    [[ -d /proc/$(daemon_pid) ]]
}
# Each vnode takes a descriptor: the daemon has to help itself.
start() {
    (
        ulimit -Sn 32
        distemd --detach
    )
}

# --- the undisturbed run
now_ms() {
    date +%s%3N
}
check "the daemon starts" start
check "a foreign bridge is made on the same switch" add_foreign_bridge
foreign_bridge >"$dir/bridge.before"
bridge_same() {
    foreign_bridge | diff "$dir/bridge.before" -
}
t0=$(now_ms)
check "a platform comes up" distem up "$dir/before.json"
t1=$(now_ms)
take before
t2=$(now_ms)
check "it is changed" distem up "$dir/after.json"
t3=$(now_ms)
take after
t4=$(now_ms)
check "it goes down" distem down
check "all of it" wait_for_end
t5=$(now_ms)
take nothing
deploying=$((t1 - t0)) changing=$((t3 - t2)) leaving=$((t5 - t4))
echo "# deployment $deploying ms, change $changing ms, teardown $leaving ms; $(wc -l <"$dir/before") lines"
check "the pictures tell the two platforms apart" bash -c "! cmp -s '$dir/before' '$dir/after'"

# --- the disturbed ones
round() {
    local parts=$1
    distem up --no-wait "$dir/before.json" >/dev/null 2>&1
    disturb "$parts" "$deploying"
    check "$parts: ready after a deployment" wait_for_state ready
    check "$parts: as if nothing had happened" same_as before
    distem up --no-wait "$dir/after.json" >/dev/null 2>&1
    disturb "$parts" "$changing"
    check "$parts: ready after a change" wait_for_state ready
    check "$parts: as if nothing had happened" same_as after
    distem down --no-wait >/dev/null 2>&1
    disturb "$parts" "$leaving"
    check "$parts: all gone after a teardown" wait_for_end
}
round "daemon workers container"
round "switch switch_database workers"
round "daemon database"
check "the foreign bridge is as it was" bridge_same
round all
check "nothing is left" same_as nothing

# --- what must not stay as it is
check "up once more" distem up "$dir/before.json"
init_of() {
    distem status --json | python3 -c 'import json, sys
print(*(v["pid"] for v in json.load(sys.stdin)["vnodes"] if v["name"] == sys.argv[1]))' "$1"
}
for nth in first second third; do
    kill -KILL "$(init_of v2)"
    check "a vnode that ends is started again, a $nth time" wait_for_state ready
done
check "... but not at once when it does not last" grep -q "a vnode does not stay up" /var/lib/distem/distemd.log
kill_daemon
umount -l "$run/netns/3"
rm "$run/netns/3"
# The first worker, which is to list the containers, fails.
mkdir "$dir/libexec"
ln -s "$top_builddir/distem-probe" "$dir/libexec"
cat >"$dir/libexec/distem-vnode" <<SCRIPT
#!/bin/sh
mkdir "$dir/failed" 2>/dev/null && exit 3
exec "$top_builddir/distem-vnode" "\$@"
SCRIPT
chmod +x "$dir/libexec/distem-vnode"
DISTEM_LIBEXECDIR=$dir/libexec
check "without the namespace of a vnode the daemon starts" start
DISTEM_LIBEXECDIR=$top_builddir
check "... lists the containers although that fails at first" wait_until test -d "$dir/failed"
check "... makes another one" wait_for_state ready
check "... in which the vnode is" same_as before
kill -STOP "$(cat $run/ovs/ovs-vswitchd.pid)"
distem up --no-wait "$dir/after.json" >/dev/null
check "a switch that does nothing is reported" wait_for_state failed
check "... by name" bash -c 'distem status | grep -q "ovs-vswitchd has not acted"'
kill -CONT "$(cat $run/ovs/ovs-vswitchd.pid)"
check "... until it goes on" wait_for_state ready
check "... with all that was asked for" same_as after
kill_database
check "a command that comes while the database is started again waits" distem down
check "... and is done" wait_for_end

# --- a reboot
check "up again" distem up "$dir/before.json"
check "a vnode writes" distem exec v1 -- touch /root/written
reboot
check "after a reboot the daemon starts" start
check "... does not claim to have done anything" bash -c 'distem status --json | grep -q "\"state\": *\"changing\""'
check "... and builds the platform again" wait_for_state ready
check "... the same" same_as before
check "... with what was written" distem exec v1 -- test -e /root/written
check "down" distem down
check "all gone" wait_for_end

# --- what never started leaves nothing either
echo '{"distem": 2, "name": "wrong", "vnetworks": {"net": {"ipv4": "10.3.0.0/24"}},
    "vnodes": {"v": {"image": "/no/such/image", "vifaces": {"if0": {"vnetwork": "net"}}}}}' >"$dir/wrong.json"
distem up --no-wait "$dir/wrong.json" >/dev/null
check "a vnode that cannot start is reported" wait_for_state failed
check "... and taken down" distem down
check "... without a trace" wait_for_end

# --- the end
stop_daemon
check "somebody else's things are untouched" foreign_same
check "cleanup" distem cleanup
check "nothing is left" bash -c "$(declare -f leftovers); [[ -z \$(leftovers | tee /dev/stderr) ]]"
check "... nor a folder" test ! -e $run -a ! -e /var/lib/distem
check "somebody else's things are untouched by it" foreign_same

# --- a full disk
mkdir /var/lib/distem
mount -t tmpfs -o size=4m,mode=755 distem-test /var/lib/distem
check "on a small disk the daemon starts" start
dd if=/dev/zero of=/var/lib/distem/fill bs=4k 2>/dev/null
distem up --no-wait "$dir/before.json" >/dev/null 2>&1
sleep 10
rm /var/lib/distem/fill
check "... and when there is room again, does what it is asked" distem up "$dir/before.json"
check "... which it did not ask for a thousand times" bash -c '[[ $(wc -l </var/lib/distem/distemd.log) -lt 500 ]]'
check "... until it goes down" distem down
stop_daemon
distem cleanup >/dev/null 2>&1
umount /var/lib/distem
distem cleanup >/dev/null
check "nothing is left of that" bash -c "$(declare -f leftovers); [[ -z \$(leftovers | tee /dev/stderr) ]]"
finish
