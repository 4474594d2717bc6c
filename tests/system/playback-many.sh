#!/usr/bin/env bash
# Traces in many directions of one pnode: what is made of them costs no more than what changes, and none stops another.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon

# Forty vnodes need more than the default.
sysctl -qw fs.inotify.max_user_instances=512
# What the kernel asks modprobe for is in $dir/asked.
loader=$(sysctl -n kernel.modprobe)
printf '%s\n' '#!/bin/sh' "echo \"\$@\" >>'$dir/asked'" "exec $loader \"\$@\"" >"$dir/modprobe"
chmod +x "$dir/modprobe"
on_exit sysctl -qw "kernel.modprobe=$loader"
sysctl -qw "kernel.modprobe=$dir/modprobe"
asked() {
    grep -E '(^| |netdev-)d[visxy][0-9]+$' "$dir/asked"
}

printf '%s\n' '0 8Mbit/s' '1ms 16Mbit/s' '2ms end' >"$dir/rate.trace"
printf '%s\n' '0 1ms' '0.1s 2ms' '0.2s 3ms' '0.3s end' >"$dir/latency.trace"
cat >"$dir/topo.json" <<JSON
{
  "distem": 2, "name": "many", "vnetworks": {"net": {"ipv4": "10.0.0.0/24"}},
  "vnodes": {
    "n[1-40]": {"vifaces": {"if0": {"vnetwork": "net", "both": {"latency": {"trace": "latency.trace", "loop": true}}}}},
    "bursts": {"vifaces": {"if0": {"vnetwork": "net", "output": {
      "bandwidth": {"trace": "rate.trace", "loop": true}, "gilbert_enter": "10%", "gilbert_leave": "20%"}}}}}
}
JSON
traces_play() {
    distem status --json | json 'd["traces"]["start_ns"]'
}

check "a look for a device that is not there would be seen" \
    bash -c "! python3 -c 'import socket; socket.if_nametoindex(\"dx1\")' && grep -x -e '-q -- netdev-dx1' '$dir/asked'"
: >"$dir/asked"
check "distemd starts" distemd --detach
check "forty vnodes with traces come up" distem up "$dir/topo.json"
check "... and play" wait_until traces_play
check "the kernel was not asked for any device that is not there" test -z "$(asked)"

# A third of all frames is lost, in bursts; none, where each millisecond begins in the good state.
received() {
    distem exec bursts -- ping -q -i 0.005 -c 1000 -W 0.1 "$1" | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}
lost=$((1000 - $(received 10.0.0.1)))
check "losses in bursts stay as they are while a bandwidth changes: $lost of 1000" test "$lost" -gt 100 -a "$lost" -lt 600
check "with a latency that changes they are refused" \
    bash -c "! distem set n1:if0 output gilbert_enter=1% gilbert_leave=10% 2>'$dir/refused' && grep -F 'gilbert_enter and a trace of the latency exclude' '$dir/refused'"

# play COUNT: so many directions have had different latencies since $dir/delays was emptied.
play() {
    tc qdisc show | sed -n 's/^qdisc netem 1: dev \([^ ]*\) .* delay \([^ ]*\).*/\1 \2/p' >>"$dir/delays"
    [[ $(sort -u "$dir/delays" | cut -d ' ' -f 1 | uniq -d | wc -l) -eq $1 ]]
}
: >"$dir/delays"
check "all directions play" wait_until play 80
check "a device is lost" ip link delete "$(ip -o link show group 53591 | grep 'n1:if0' | grep -o 'di[0-9]\+' | head -n 1)"
check "... which is told" wait_until bash -c "distem status | grep -F 'output of n1:if0 failed'"
: >"$dir/delays"
check "... and stops no other direction" wait_until play 79
check "it is made again with the next change" distem set n2:if0 output duplication=1%
: >"$dir/delays"
check "... plays again" wait_until play 80
check "... and no more is told" wait_until bash -c "! distem status | grep -F 'n1:if0'"

check "nothing unexpected in the log" unexpected_log 'the machine is in trouble'
check "down" distem down
stop_daemon
check "cleanup" distem cleanup
check "nothing is left" test -z "$(leftovers)"
finish
