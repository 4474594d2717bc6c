#!/usr/bin/env bash
# Traces on two pnodes in exact time: what one plays for the outputs of its vnodes, and the other for inputs, changes within 1 ms of when
# it is to, whichever daemon was there all the time.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
. "$top_srcdir/tests/pnodes.sh"
. "$top_srcdir/tests/playback.sh"

dir=$(mktemp -d)
on_exit rm -rf "$dir"
printf '%s\n' '0 1ms' '0.2s 11ms' '0.4s 3ms' '0.8s end' >"$dir/latency.trace"
printf '%s\n' '0 16Mbit/s' '0.3s 32Mbit/s' '0.5s 0' '0.55s 32Mbit/s' '0.8s end' >"$dir/rate.trace"
cat >"$dir/topo.json" <<'JSON'
{
  "distem": 2, "name": "traces", "vnetworks": {"net": {"ipv4": "10.0.0.0/24"}},
  "vnodes": {
    "r": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "net"}}},
    "a": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "net", "output": {"latency": {"trace": "latency.trace", "loop": true}}}}},
    "b": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "net", "input": {
      "framing": "l2", "queue": "10kB", "bandwidth": {"trace": "rate.trace", "loop": true}}}}}
  }
}
JSON

rate='0=0.5 300=0.25 500=0 550=0.25 800'
make_pnodes 2 1600
check "a coordinator and two pnodes start" start_all 3>&-
check "up" distem up "$dir/topo.json"
check "the traces start" wait_until start_of_traces
start_of_traces
traffic a 1.2
check "an output's latency changes in time on the first pnode" sees latency '0=1 200=11 400=3 800' 1
to=b at=10.0.0.3 traffic r 1.2
check "... and an input's bandwidth on the second" sees spacing "$rate" 4 0
before=$start
kill_pnode 2
check "the second daemon starts again" start_pnode 2 3>&-
check "... and is ready" wait_until platform_has "d['state'] == 'ready'"
start_of_traces
check "the traces have not begun anew" test "$start" = "$before"
to=b at=10.0.0.3 traffic r 1.2
check "... and go on there where time is" sees spacing "$rate" 4 0
check "nothing unexpected in the logs" unexpected_logs
check "down" distem down
stop_all
check "cleanup" cleanup_all
finish
