# Sourced by the shell tests: TAP, a kernel that can, a daemon of the build tree, and a machine left as it was.
# shellcheck shell=bash
set -u

: "${top_srcdir:?run it through make check-system}" "${top_builddir:?run it through make check-system}"
export DISTEM_LIBEXECDIR=$top_builddir DISTEM_DATADIR=$top_srcdir/ovs DISTEM_DAEMON=$top_builddir/distemd
export PATH=$top_builddir:$PATH:/usr/sbin:/sbin
unset DISTEM_URL
# The daemon that the functions below are about.
run_dir=${DISTEM_TEST_RUN_DIR:-/run/distem}
state_dir=${DISTEM_TEST_STATE_DIR:-/var/lib/distem}

tap_count=0

# check TEXT COMMAND...: one test point, ok when COMMAND succeeds. Its output is shown as comments when it fails.
check() {
    local text=$1 output
    shift
    tap_count=$((tap_count + 1))
    if output=$("$@" 2>&1); then
        printf 'ok %d - %s\n' "$tap_count" "$text"
    else
        printf 'not ok %d - %s\n' "$tap_count" "$text"
        printf '# failed: %s\n' "$*"
        sed 's/^/# /' <<<"$output" | tail -n 40
    fi
}

skip_all() {
    # With exit status 77 automake's driver would count an error, too.
    echo "1..0 # SKIP $*"
    exit 0
}

# on_exit COMMAND...: runs COMMAND when the test ends, the last one first.
on_exit_commands=()
on_exit() {
    on_exit_commands=("$(printf '%q ' "$@")" "${on_exit_commands[@]}")
}
at_exit() {
    local status=$? command
    for command in "${on_exit_commands[@]}"; do
        eval "$command"
    done
    exit "$status"
}
trap at_exit EXIT
trap 'exit 143' TERM INT

# finish: the plan, at the end of a test.
finish() {
    echo "1..$tap_count"
}

# wait_until COMMAND...: until COMMAND succeeds, for a minute at most.
wait_until() {
    local deadline=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do
        [[ $SECONDS -lt $deadline ]] || return 1
        sleep 0.05
    done
}

# need_lab [lab options]: goes on in a virtual machine, unless this is one or this kernel has netem and openvswitch.
need_lab() {
    if [[ $(id -u) -eq 0 ]] && modprobe -q sch_netem 2>/dev/null && modprobe -q openvswitch 2>/dev/null; then
        return
    fi
    [[ -z ${LAB_INDEX-} ]] || return 0
    command -v qemu-system-x86_64 >/dev/null || skip_all "neither netem and openvswitch nor qemu-system-x86_64 here"
    trap - EXIT
    exec "$top_srcdir/tests/lab/lab" run --timeout 900 "$@" --share "$top_builddir" --env top_srcdir="$top_srcdir" \
        --env top_builddir="$top_builddir" --env G_SLICE=always-malloc --env ASAN_OPTIONS="${ASAN_OPTIONS-}" \
        --env UBSAN_OPTIONS="${UBSAN_OPTIONS-}" -- bash "$0"
}

# What distem could leave behind, one line each: anything, or what belongs to a run_dir of its own.
leftovers() {
    local cgroups='distem*' words='distem' processes=-a group
    if [[ ${run_dir:-/run/distem} != /run/distem ]]; then
        cgroups=distem-$(printf %s "$run_dir" | sha256sum | cut -c 1-8)
        words="($run_dir|$state_dir)(/| |$)"
        processes=-af
    fi
    for group in 53591 53592; do ip -o link show group $group; done | awk '{ print "netdev " $2 }'
    ls "${run_dir:-/run/distem}/netns" 2>/dev/null | sed 's/^/namespace /'
    find /sys/fs/cgroup -maxdepth 3 -type d -name "$cgroups" 2>/dev/null | sed 's/^/cgroup /'
    awk -v words="$words" '$2 ~ words { print "mount " $2 }' /proc/self/mounts
    pgrep $processes "$words" | grep -v "$$" | sed 's/^/process /'
}

daemon_pid() {
    cat "$run_dir/distemd.pid" 2>/dev/null
}

# start_daemon [OPTION]...: of the build tree.
start_daemon() {
    distemd --run-dir="$run_dir" --state-dir="$state_dir" --detach "$@"
}

stop_daemon() {
    local pid
    pid=$(daemon_pid) || return 0
    kill -TERM "$pid" 2>/dev/null || return 0
    wait_until test ! -d "/proc/$pid"
}

kill_daemon() {
    local pid
    pid=$(daemon_pid) || return 0
    kill -KILL "$pid" 2>/dev/null
    wait_until test ! -d "/proc/$pid"
}

# unexpected_log [PATTERN]: prints the daemon's warnings and errors that PATTERN does not match; fails when there are any. That a machine
# has much to do during a test is no wonder.
unexpected_log() {
    ! grep -E '^[^ ]+ (warning|error) ' "$state_dir/distemd.log" | grep -vE "no idle time|other virtual machines|more than 1 ms late|${1:-^$}"
}

# in_vnode VNODE COMMAND: a line of shell.
in_vnode() {
    distem exec "$1" -- bash -c "$2"
}
# refused VNODE COMMAND: ran, and failed.
refused() {
    local status
    in_vnode "$1" "$2"
    status=$?
    echo "exit status $status"
    [[ $status -gt 0 && $status -lt 126 ]]
}

# json EXPRESSION: evaluates a Python EXPRESSION on the JSON 'd' from standard input; succeeds when it is true.
json() {
    python3 -c 'import json, sys
d = json.load(sys.stdin)
v = eval(sys.argv[1])
print(v)
sys.exit(0 if v else 1)' "$1"
}
