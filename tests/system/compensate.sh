#!/usr/bin/env bash
# Base latencies of VXLAN between two pnodes, and of a pnode's own bridge, are measured and taken off what is emulated, until they are not.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
. "$top_srcdir/tests/pnodes.sh"

dir=$(mktemp -d)
on_exit rm -rf "$dir"
cat >"$dir/topo.json" <<'JSON'
{
  "distem": 2, "name": "compensate",
  "vnetworks": {"one": {"ipv4": "10.1.0.0/24"}, "both": {"ipv6": "fd02::/64"}, "near": {"ipv4": "10.3.0.0/24"}, "core": {"ipv4": "10.4.0.0/24"}},
  "matrix": {"latency": ["to, core1, core2, core3", "core1, 0, 1ms, 2ms", "core2, 1ms, 0, 3ms", "core3, 2ms, 3ms, 0"]},
  "routing": "none",
  "vnodes": {
    "a": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "one", "output": {"latency": "1ms"}}}},
    "near-a": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "one", "output": {"latency": "1ms"}}}},
    "quick1": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "one"}}},
    "quick2": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "one"}}},
    "b": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "one", "output": {"latency": "3ms", "bandwidth": "50Mbit/s"}}}},
    "c": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "both", "both": {"latency": "2ms"}}}},
    "d": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "both", "both": {"latency": "2ms"}}}},
    "core1": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "core"}}},
    "core2": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "core", "output": {"latency": "1ms"}}}},
    "core3": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "core"}}},
    "e": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "near", "both": {"latency": "1ms"}}}},
    "f": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "near", "output": {"latency": "1ms"}}}}
  }
}
JSON
# errors_are EXPRESSION: of Python about each pair's error in us, e.
errors_are() {
    distem verify --json --only rtt --pairs a:b,near-a:b,a:near-a,c:d,core1:core3,core2:core3,core1:core2,e:f >"$dir/verify" || true
    python3 -c 'import json, sys
for r in json.load(sys.stdin)["results"]:
    print(r["from"], r["to"], "asked", r["rtt"]["expected_ns"], "ns, measured", r["rtt"]["measured_ns"], "ns")' <"$dir/verify" |
        tee -a "$dir/figures"
    json "[$1 for r in d['results'] for e in [(r['rtt']['measured_ns'] - r['rtt']['expected_ns']) / 1000]] == [True] * 8" <"$dir/verify"
}
# Between vnodes without any latency nothing is to be held back.
quick_ones_are_quick() {
    distem verify --json --only rtt --pairs quick1:quick2 >"$dir/verify" || true
    json "0 < d['results'][0]['rtt']['measured_ns'] < 40000" <"$dir/verify"
}
compensates_nothing() {
    distem up --compensate "$dir/alone.json" | tee /dev/stderr | grep -q '^one: base latency not known, not compensated$'
}
bases_are() {
    platform_has "[(n['name'], bool(n['base_local_ns']), bool(n['base_remote_ns'])) for n in d['vnetworks']] == $1"
}
changes_nothing() {
    [[ -z $(distem diff --compensate "$dir/topo.json") ]] && distem diff "$dir/topo.json" | grep -q 'base_remote .* -> none'
}

make_pnodes 2 1600
check "a coordinator and two pnodes start" start_all
check "up" distem up "$dir/topo.json"
check "without compensation RTTs are too long" errors_are "e > 20"
check "up with it" distem up --compensate "$dir/topo.json"
check "... knows the bases" bases_are "[('one', True, True), ('both', False, True), ('near', True, False), ('core', True, True)]"
check "... which are taken off" errors_are "abs(e) <= 20"
check "given again, it changes nothing of what was asked" changes_nothing
check "what has no latency is as quick as before" quick_ones_are_quick
check "a latency is set" distem set a output latency=7ms
check "... and is compensated, too" errors_are "abs(e) <= 20"
for k in 2 1 0; do
    stop_pnode "$k"
done
start_coordinator
start_pnode 1
start_pnode 2
check "the daemons start again" wait_until platform_has "d['state'] == 'ready'"
check "... and it stays" errors_are "abs(e) <= 20"
check "a replan" distem replan
check "... keeps it" errors_are "abs(e) <= 20"
check "measured again it is as good" distem up --compensate "$dir/topo.json"
check "... still" errors_are "abs(e) <= 20"
check "with up it ends" distem up "$dir/topo.json"
check "... for all" bases_are "[('one', False, False), ('both', False, False), ('near', False, False), ('core', False, False)]"
check "... as can be measured" errors_are "e > 20"
sed '/"\([b-f]\|near-a\|quick.\|core.\|matrix\)":/d; /"a":/s/,$//' "$dir/topo.json" >"$dir/alone.json"
check "where nobody has a neighbour, nothing is compensated" compensates_nothing
check "nothing unexpected in the logs" unexpected_logs
check "down" distem down
sed 's/^/# /' "$dir/figures"
stop_all
check "cleanup" cleanup_all
finish
