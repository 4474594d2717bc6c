# Sourced after lib.sh by the tests of several pnodes, which are network namespaces of this machine (make_pnodes, in exact time) or
# machines of the lab (make_machines). What follows is the same for both: `distem` talks to the coordinator, K counts pnodes from 1.
# shellcheck shell=bash

# --- pnodes as namespaces: pK is joined to the others by u0 with 192.0.2.K and fd00:2::K, and by u1 without addresses, through two
# Ethernets that are bridges of a namespace nobody else is in. The test itself is p0, with the coordinator on 192.0.2.100. Each pnode
# has mounts of its own, with /sys as its network namespace sees it; files, processes and control groups are everybody's.
pnodes_dir=/run/pnodes

# make_pnodes N [MTU]
make_pnodes() {
    local mtu=${2:-1500} k link
    pnodes=$1 pnodes_kind=namespaces pnodes_first=0 coordinator=192.0.2.100
    export DISTEM_URL=http://$coordinator:4567
    mkdir "$pnodes_dir"
    mount --bind "$pnodes_dir" "$pnodes_dir"
    mount --make-private "$pnodes_dir"
    on_exit remove_pnodes
    touch "$pnodes_dir/wire.net"
    unshare --net="$pnodes_dir/wire.net" true
    for link in 0 1; do
        on_wire ip link add name "wire$link" mtu "$mtu" type bridge stp_state 0 mcast_snooping 0
        on_wire sysctl -qw "net.ipv6.conf.wire$link.disable_ipv6=1"
        on_wire ip link set dev "wire$link" up
    done
    plug 0 0 "$mtu" "/proc/$$/ns/net" 100
    for ((k = 1; k <= pnodes; k++)); do
        touch "$pnodes_dir/$k.net" "$pnodes_dir/$k.mnt"
        unshare --net="$pnodes_dir/$k.net" --mount="$pnodes_dir/$k.mnt" --propagation private \
            sh -c 'mount -t sysfs sys /sys && mount -t cgroup2 cgroup2 /sys/fs/cgroup && ip link set dev lo up'
        plug "$k" 0 "$mtu" "$pnodes_dir/$k.net" "$k"
        plug "$k" 1 "$mtu" "$pnodes_dir/$k.net"
    done
}

on_wire() {
    nsenter --net="$pnodes_dir/wire.net" -- "$@"
}

# plug K LINK MTU NETNS [HOST]: an interface uLINK of pnode K on the Ethernet LINK, with addresses that end in HOST.
plug() {
    local device=u$2 port=u$2-$1 bridge=wire$2 mtu=$3 netns=$4 host=${5-}
    on_wire ip link add name "$port" mtu "$mtu" type veth peer name "$device" mtu "$mtu" netns "$netns"
    on_wire sysctl -qw "net.ipv6.conf.$port.disable_ipv6=1"
    on_wire ip link set dev "$port" master "$bridge" up
    nsenter --net="$netns" -- bash -s "$device" "$host" <<'SH'
cd /proc/sys/net/ipv6/conf/$1 || exit
if [[ -n $2 ]]; then
    echo 0 >accept_ra
    echo 0 >accept_dad
    ip addr add "192.0.2.$2/24" dev "$1"
    ip addr add "fd00:2::$2/64" dev "$1"
else
    echo 1 >disable_ipv6
fi
ip link set dev "$1" up
SH
}

remove_pnodes() {
    local k
    for ((k = 1; k <= pnodes; k++)); do
        umount "$pnodes_dir/$k.net" "$pnodes_dir/$k.mnt"
    done
    umount "$pnodes_dir/wire.net" "$pnodes_dir"
    rm -r "$pnodes_dir"
}

# --- pnodes as machines: mK, joined by lab0 with 192.0.2.K and fd00:2::K and by lab1 without addresses. The test runs outside. The
# coordinator is m1, which is a pnode as well.

# make_machines N [MTU]
make_machines() {
    local name
    local -a options=()
    pnodes=$1 pnodes_kind=machines pnodes_first=1 coordinator=192.0.2.1
    lab=$top_srcdir/tests/lab/lab lab_dir=$(mktemp -d)
    for name in top_srcdir top_builddir DISTEM_LIBEXECDIR DISTEM_DATADIR DISTEM_DAEMON; do
        options+=(--env "$name=${!name}")
    done
    on_exit rm -rf "$lab_dir"
    on_exit "$lab" stop "$lab_dir"
    "$lab" start --machines "$pnodes" --mtu "${2:-1500}" --share "$top_builddir" "${options[@]}" \
        --env PATH="$top_builddir:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        --env DISTEM_URL="http://$coordinator:4567" --env G_SLICE=always-malloc --env ASAN_OPTIONS="${ASAN_OPTIONS-}" \
        --env UBSAN_OPTIONS="${UBSAN_OPTIONS-}" "$lab_dir"
}

# The programs of the build tree, but as the test's pnodes run them. A machine has no input.
distem() {
    if [[ $pnodes_kind == machines ]]; then
        in_pnode 1 distem "$@"
    else
        command distem "$@"
    fi
}

poweroff_pnode() {
    "$lab" poweroff "$lab_dir" "m$1"
}
boot_pnode() {
    "$lab" boot "$lab_dir" "m$1"
}

# --- both

pnode_name() {
    [[ $pnodes_kind == machines ]] && echo "m$1" || echo "p$1"
}
pnode_run_dir() {
    [[ $pnodes_kind == machines ]] && echo /run/distem || echo "/run/distem-p$1"
}
pnode_state_dir() {
    [[ $pnodes_kind == machines ]] && echo /var/lib/distem || echo "/var/lib/distem-p$1"
}

# in_pnode K COMMAND...: runs COMMAND there.
in_pnode() {
    local k=$1
    shift
    if [[ $pnodes_kind == machines ]]; then
        "$lab" exec --cwd / "$lab_dir" "m$k" -- "$@"
    elif [[ $k -eq 0 ]]; then
        "$@"
    else
        nsenter --net="$pnodes_dir/$k.net" --mount="$pnodes_dir/$k.mnt" -- "$@"
    fi
}

# pnode_call K FUNCTION [WORD]...: runs a function of lib.sh there, for its daemon. Where that is goes by the environment: who looks for
# processes by their words shall not find himself.
pnode_call() {
    local k=$1
    shift
    # shellcheck disable=SC2016 # For the other shell.
    DISTEM_TEST_RUN_DIR=$(pnode_run_dir "$k") DISTEM_TEST_STATE_DIR=$(pnode_state_dir "$k") \
        in_pnode "$k" bash -c '. "$top_srcdir/tests/lib.sh"; . "$top_srcdir/tests/pnodes.sh"; "$@"' bash "$@"
}

# start_coordinator [OPTION]..., start_pnode K [OPTION]...: starts the daemon, also one that was killed. Of machines, the first is both.
start_coordinator() {
    if [[ $pnodes_kind == machines ]]; then
        pnode_call 1 start_daemon --listen="$coordinator" "$@"
    else
        pnode_call 0 start_daemon --coordinator --listen="$coordinator" "$@"
    fi
}
start_pnode() {
    local k=$1
    shift
    if [[ $pnodes_kind == machines && $k -eq 1 ]]; then
        start_coordinator "$@"
    else
        pnode_call "$k" start_daemon --pnode --coordinator="$coordinator" --name="$(pnode_name "$k")" "$@"
    fi
}
# start_all [OPTION]...: everybody, each pnode with the options and the label site=a, b, c...
start_all() {
    local k sites=abcdefghijklmnopqrstuvwxyz
    [[ $pnodes_kind == machines ]] || start_coordinator || return
    for ((k = 1; k <= pnodes; k++)); do
        start_pnode "$k" --label="site=${sites:k-1:1}" "$@" || return
    done
    wait_until pnodes_are "$pnodes"
}
stop_all() {
    local k
    for ((k = pnodes; k > 0; k--)); do
        stop_pnode "$k"
    done
    [[ $pnodes_kind == machines ]] || stop_pnode 0
}
# Pnode 0 is the coordinator, where that is a process of its own.
stop_pnode() {
    pnode_call "$1" stop_daemon
}
kill_pnode() {
    pnode_call "$1" kill_daemon
}

# pnodes_are N: so many are there and not lost.
pnodes_are() {
    pnodes_have "len([p for p in d['pnodes'] if p['state'] != 'lost']) == $1"
}
# pnodes_have EXPRESSION, platform_has EXPRESSION: of Python, about the coordinator's answer d.
pnodes_have() {
    ask /pnodes | json "$1"
}
platform_has() {
    ask /platform | json "$1"
}
ask() {
    in_pnode "$pnodes_first" curl -sf --max-time 30 "http://$coordinator:4567$1"
}

# unexpected_logs [PATTERN]: as unexpected_log, on all pnodes.
unexpected_logs() {
    local k result=0
    for ((k = pnodes_first; k <= pnodes; k++)); do
        pnode_call "$k" unexpected_log "a limit is low${1:+|$1}" | sed "s/^/$(pnode_name "$k"): /" | grep . && result=1
    done
    return $result
}

# remember_pnodes: what all pnodes look like before anything of distem is there; pnodes_as_before: prints what has changed since.
pnode_look() {
    ip -o -d link | sed 's/^[0-9]*: //; s/ \(promiscuity\|allmulti\|numtxqueues\|numrxqueues\) [0-9]*//g'
    ip -o addr | sed 's/^[0-9]*: //; s/ valid_lft.*//'
    ip route show table all
    ip -6 route show table all | sed 's/ expires [^ ]*//'
    ip rule
    tc qdisc | sed 's/ refcnt.*//'
    ovs-dpctl show 2>/dev/null | sed 's/^  *\(lookups\|flows\|masks\|caches\|    cache\).*//'
    find /run /var/lib -maxdepth 1 -name 'distem*'
    leftovers
}
remember_pnodes() {
    local k
    pnodes_before=$(mktemp -d)
    on_exit rm -r "$pnodes_before"
    for ((k = 1; k <= pnodes; k++)); do
        pnode_call "$k" pnode_look >"$pnodes_before/$k"
    done
}
pnodes_as_before() {
    local k result=0
    for ((k = 1; k <= pnodes; k++)); do
        pnode_call "$k" pnode_look | diff "$pnodes_before/$k" - | sed "s/^/$(pnode_name "$k"): /" | grep . && result=1
    done
    return $result
}

# cleanup_pnode K: takes all of distem from the machine; its daemon has ended.
cleanup_pnode() {
    in_pnode "$1" distemd --cleanup --run-dir="$(pnode_run_dir "$1")" --state-dir="$(pnode_state_dir "$1")"
}
cleanup_all() {
    local k result=0
    for ((k = pnodes_first; k <= pnodes; k++)); do
        cleanup_pnode "$k" || result=1
    done
    return $result
}

# spread FILE: prints the topology with its vnodes on the pnodes in turn, so that every vnetwork has parts on all of them but for what
# is local, which is on the first.
spread() {
    local k
    local -a names=()
    for ((k = 1; k <= pnodes; k++)); do
        names+=("$(pnode_name "$k")")
    done
    python3 -c 'import itertools, json, re, sys
with open(sys.argv[1], encoding="utf-8") as f:
    d = json.load(f)
names = itertools.cycle(sys.argv[2:])
local = {name for name, value in d["vnetworks"].items() if value.get("transport") == "local"}
vnodes = {}
for key, value in d["vnodes"].items():
    m = re.fullmatch(r"(.*)\[(\d+)-(\d+)\](.*)", key)
    for name in [f"{m[1]}{i}{m[4]}" for i in range(int(m[2]), int(m[3]) + 1)] if m else [key]:
        stays = any(v.get("vnetwork") in local for v in value["vifaces"].values())
        vnodes[name] = {**value, "pnode": sys.argv[2] if stays else next(names)}
d["vnodes"] = vnodes
json.dump(d, sys.stdout, indent=1)' "$1" "${names[@]}"
}
