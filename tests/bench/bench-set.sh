#!/usr/bin/env bash
# A thousand vifaces get another latency: by one call, until it is real, and by one tc process for each.
#   bench-set.sh [VIFACES]         of twenty vnodes, so that the machine is soon up; 1000
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
vifaces=${1:-${BENCH_SET_VIFACES:-1000}}
need_lab --exact --env BENCH_SET_VIFACES="$vifaces"

distem_cleanup() {
    distem cleanup >/dev/null
}
dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem_cleanup
on_exit stop_daemon

die() {
    echo "bench-set: $*" >&2
    exit 1
}

python3 - "$vifaces" >"$dir/topo.json" <<'PYTHON'
import json, sys
nets = range(int(sys.argv[1]) // 20)
shape = {"latency": "10ms", "loss": "0.1%", "bandwidth": "10Mbit/s", "queue": "64kB"}
json.dump({
    "distem": 2, "name": "bench-set", "routing": "none",
    "vnetworks": {f"net{n}": {"ipv4": f"10.{n}.0.0/24", "transport": "local"} for n in nets},
    "vnodes": {"n[1-20]": {"vifaces": {f"if{n}": {"vnetwork": f"net{n}", "output": shape} for n in nets}}},
}, sys.stdout)
PYTHON

# in_memory PROGRAM: copies it and its libraries to where opening a file takes the lab's clock no time; prints how to run it.
in_memory() {
    local path loader LD_LIBRARY_PATH=$top_builddir/.libs
    export LD_LIBRARY_PATH
    path=$top_builddir/.libs/$1 # What libtool has put a script in front of.
    [[ -x $path ]] || path=$(command -v "$1") || return 1
    mkdir -p "$dir/lib"
    cp "$path" "$dir/$1"
    ldd "$path" | awk '/=> \// { print $3 } /^[[:space:]]*\// { print $1 }' | xargs cp -L -t "$dir/lib"
    loader=$(ldd "$path" | awk '/^[[:space:]]*\// { print $1 }')
    echo "$dir/lib/${loader##*/} --library-path $dir/lib $dir/$1"
}
read -ra tc < <(in_memory tc)
read -ra distem < <(in_memory distem)

# qdiscs LATENCY: those that delay by so much, as tc tells them.
qdiscs() {
    "${tc[@]}" qdisc show | grep -E "^qdisc netem .* delay $1 "
}

# tc_words LATENCY: how tc is told to change the qdiscs of standard input to it; what is not named, tc would end.
tc_words() {
    sed -E "s/^qdisc netem ([^ ]+) dev ([^ ]+) (root|parent [^ ]+) .*limit ([0-9]+).*/qdisc change dev \2 \3 handle \1 netem limit \4 delay $1 loss 0.1%/"
}

one_call() {
    "${distem[@]}" --quiet set '*' output latency="$1"
}

tc_each() {
    local words
    while read -ra words; do
        "${tc[@]}" "${words[@]}" || return 1
    done <"$dir/words"
}

tc_batch() {
    "${tc[@]}" -batch "$dir/words"
}

# measure COMMAND FROM TO: changes all from one latency to the other; says how long it took, in milliseconds for each.
measure() {
    local start end
    qdiscs "$2" | tc_words "$3" >"$dir/words"
    [[ $(wc -l <"$dir/words") -eq $vifaces ]] || die "not $vifaces directions have a latency of $2 before $1"
    start=$(date +%s%N)
    "$1" "$3" || die "$1 failed"
    end=$(date +%s%N)
    [[ $(qdiscs "$3" | wc -l) -eq $vifaces ]] || die "not $vifaces directions have a latency of $3 after $1"
    awk -v ns=$((end - start)) -v n="$vifaces" 'BEGIN { printf "%.3f\n", ns / n / 1e6 }'
}

distemd --detach || die "the daemon does not start"
distem --quiet up --timeout 800s "$dir/topo.json" || die "the platform does not come up"
echo "$vifaces vifaces are up" >&2
last=10ms
# The first round reads programs and fills caches. The daemon knows nothing of what tc does: each latency is a new one.
for round in 0 1 2 3; do
    ms=$((11 + 3 * round))
    call=$(measure one_call "$last" "${ms}ms") || exit 1
    each=$(measure tc_each "${ms}ms" "$((ms + 1))ms") || exit 1
    last=$((ms + 2))ms
    batch=$(measure tc_batch "$((ms + 1))ms" "$last") || exit 1
    [[ $round -gt 0 ]] || continue
    awk -v n="$vifaces" -v call="$call" -v each="$each" -v batch="$batch" 'BEGIN {
        printf "%d vifaces: one distem set %.3f ms per change, a tc each %.3f (%.1f times as long), one tc -batch %.3f\n",
            n, call, each, each / call, batch
    }'
done
