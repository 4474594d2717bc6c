#!/usr/bin/env bash
# Traces of latency, bandwidth and loss in exact time: what traffic sees changes within 1 ms of when it is to, frames pass when Mahimahi's
# traces let them, pauses hold frames back, and a daemon that was killed goes on where time is.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
. "$top_srcdir/tests/playback.sh"

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon

printf '%s\n' '0 1ms' '0.2s 11ms' '0.4s 3ms' '0.8s end' >"$dir/latency.trace"
printf '%s\n' '0, 16Mbit/s' '0.2s, 32Mbit/s' '0.4s, 0  # a blackout' '0.45s, 8Mbit/s' '0.65s, 0' '0.7s, 32Mbit/s' '0.8s, end' >"$dir/rate.trace"
printf '%s\n' '0 100%' '1s 0%' '2s end' >"$dir/loss.trace"
printf '%s\n' '0 5ms' '3600s 6ms' >"$dir/once.trace"
"${tool[@]}" make 1 "$dir/lte.trace"
viface='"vnetwork": "net", "output": {"framing": "l2", "queue": "10kB", "bandwidth": {"trace": "rate.trace", "loop": true}'
cat >"$dir/topo.json" <<JSON
{
  "distem": 2, "name": "traces", "vnetworks": {"net": {"ipv4": "10.0.0.0/24"}},
  "vnodes": {
    "r": {"vifaces": {"if0": {"vnetwork": "net"}}},
    "latency": {"vifaces": {"if0": {"vnetwork": "net", "output": {"latency": {"trace": "latency.trace", "loop": true}}}}},
    "rate": {"vifaces": {"if0": {$viface}}}},
    "both": {"vifaces": {"if0": {$viface, "latency": {"trace": "once.trace"}}}}},
    "lte": {"vifaces": {"if0": {"vnetwork": "net", "output": {"framing": "ip", "queue": "100kB", "latency": "5ms",
                                                              "bandwidth": {"trace": "lte.trace", "loop": true}}}}},
    "loss": {"vifaces": {"if0": {"vnetwork": "net", "output": {"loss": {"trace": "loss.trace", "loop": true}}}}}
  }
}
JSON

rate='0=0.5 200=0.25 400=0 450=1 650=0 700=0.25 800'
check "distemd starts" distemd --detach 3>&-
check "a topology with traces beside it is valid" distem validate "$dir/topo.json"
check "... and comes up" distem up "$dir/topo.json"
check "the traces start" wait_until start_of_traces
start_of_traces
check "status tells which and since when" bash -c "distem status | grep -E '^Traces .*latency.trace.*: playing for [0-9.]+ s'"
check "show names a trace" bash -c "distem show latency | grep -F 'latency.trace, again and again'"
check "nothing is left to change" bash -c "[[ -z \$(distem diff '$dir/topo.json') ]]"
traffic latency
check "a latency changes in time" sees latency '0=1 200=11 400=3 800' 2
traffic rate
check "a bandwidth changes in time, and pauses" sees spacing "$rate" 12 0
traffic both
check "so does one before a latency" sees spacing "$rate" 12 5
traffic lte 1.9 1514
check "1500 bytes pass within 1 ms of each of Mahimahi's moments, and no more" sees opportunities "$dir/lte.trace" 2 5
# Its many changes take a share of the only processor that the others would notice.
check "that trace is followed no more" distem set lte output bandwidth=10Mbit/s

# passes FROM AFTER_MS: how many of 20 echoes pass, sent from then on in a round of the loss.
passes() {
    # shellcheck disable=SC2016 # Expanded by the shell in the vnode.
    distem exec "$1" -- bash -c 'python3 -c "import sys, time
length = 2 * 10**9
time.sleep((length - (time.time_ns() - int(sys.argv[1])) % length + int(sys.argv[2]) * 10**6) / 1e9)" "$@"
exec ping -q -i 0.01 -c 20 -W 0.1 10.0.0.1' - "$start" "$2" | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}
check "a way is found while nothing is lost" wait_until distem exec loss -- ping -q -i 0.3 -c 3 10.0.0.1
check "nothing is lost when nothing is to be" test "$(passes loss 1050)" -eq 20
check "... and all when all is" test "$(passes loss 50)" -eq 0

check "verify does not judge what plays" bash -c "distem verify --only rtt >'$dir/verify' && grep -q '^Not measured, as a trace plays between 14 pairs' '$dir/verify'"
check "a direction can be told a value in place of its trace" distem set loss:if0 output loss=0%
check "... which then holds" test "$(passes loss 100)" -eq 20
check "... and shows" bash -c "! distem show loss | grep loss.trace"
check "a trace that the platform does not have is refused" \
    bash -c "! distem set loss output loss=trace:lost.trace 2>'$dir/refused' && grep -F 'there is no trace \"lost.trace\": the platform has ' '$dir/refused'"
check "one that it has can be followed from now on" distem set loss output loss=trace:loss.trace,loop
check "... and is" test "$(passes loss 1050)/$(passes loss 50)" = 20/0
before=$start
printf '%s\n' '0 16Mbit/s' '0.3s 32Mbit/s' '0.8s end' >"$dir/fresh.trace"
check "a new one comes with the change that names it" bash -c "cd '$dir' && distem set rate output bandwidth=trace:fresh.trace,loop"
traffic rate
check "... and is as far as the others" sees spacing '0=0.5 300=0.25 800' 2 0
start_of_traces
check "... which go on" test "$start" = "$before"
printf '%s\n' '0 4Mbit/s' >"$dir/fresh.trace"
check "other lines under its name are refused" \
    bash -c "cd '$dir' && ! distem set rate output bandwidth=trace:fresh.trace 2>'$dir/refused' && grep -F 'with other lines' '$dir/refused'"

# --- the daemon dies and comes back: what plays was never told when it began
kill_daemon
check "the daemon starts again" distemd --detach 3>&-
check "... and is ready" wait_until bash -c "distem status | grep -q 'is ready'"
start_of_traces
check "the traces have not begun anew" test "$start" = "$before"
traffic latency 1.2
check "... and go on where time is" sees latency '0=1 200=11 400=3 800' 1

# --- another trace in the place of one: all begin again, together
printf '%s\n' '0 2ms' '0.2s 22ms' '0.4s end' >"$dir/latency.trace"
check "another trace is a change" bash -c "distem diff '$dir/topo.json' | grep -qx '~ trace latency.trace: other lines'"
check "... that is made" distem up "$dir/topo.json"
check "... and starts anew" wait_until bash -c "[[ \$(distem status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"traces\"][\"start_ns\"] or $before)') != $before ]]"
start_of_traces
traffic latency 1.2
check "... and is what traffic sees" sees latency '0=2 200=22 400' 2
check "nothing unexpected in the log" unexpected_log
check "down" distem down
stop_daemon
check "cleanup" distem cleanup
check "nothing is left" test -z "$(leftovers)"
finish
