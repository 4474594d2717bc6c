#!/usr/bin/env bash
# The demo's platform in exact time: RTTs and goodputs are what was asked for.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon

check "the daemon starts" distemd --detach
check "the platform comes up" distem up "$top_srcdir/examples/figure3.json"
distem verify --json >"$dir/verify.json"
check "verify passes with its default tolerances" test $? -eq 0
distem verify --pairs n1:n4 >"$dir/table"
check "... and prints a table that fits 80 columns" bash -c "grep -q n4 '$dir/table' && ! grep -qE '.{81}' '$dir/table'"
measured() {
    json "$1" <"$dir/verify.json"
}
check "all ten pairs have an RTT" measured 'sum("rtt" in r for r in d["results"]) == 10'
check "all twenty directions have a goodput" measured 'sum("goodput" in r for r in d["results"]) == 20'
# The latencies are worked back from the published figures; see examples/figure3.json. On each wire that has more than a bandwidth the
# echo's 82 bytes take their own time, too: so many ns at n1 (there and back), n3, n3's other viface, n4, n5.
latency='dict(zip(["n1n2","n1n3","n1n4","n1n5","n2n3","n2n4","n2n5","n3n4","n3n5","n4n5"], [60,80,160,175,20,100,115,80,95,125]))'
own='dict(n1=2*656000, n3=2*65600, x3=2*32800, n4=4373333+2186667, n5=2562500+1093333)'
wires='dict(n1n2=["n1"], n1n3=["n1","n3"], n1n4=["n1","n3","x3","n4"], n1n5=["n1","n3","x3","n5"], n2n3=["n3"],
    n2n4=["n3","x3","n4"], n2n5=["n3","x3","n5"], n3n4=["x3","n4"], n3n5=["x3","n5"], n4n5=["n4","n5"])'
check "the expected RTTs are the model's" measured "(lambda latency, own, wires: all(abs(r['rtt']['expected_ns'] -
    latency[p] * 10**6 - sum(own[w] for w in wires[p])) <= 10 for r in d['results'] if 'rtt' in r for p in [r['from'] + r['to']]))(
    $latency, $own, $wires)"
check "each RTT is within 1 % and 0.3 ms" measured \
    "all(abs(r['rtt']['measured_ns'] - r['rtt']['expected_ns']) <= min(max(0.01 * r['rtt']['expected_ns'], 3e5), 3e5) for r in d['results'] if 'rtt' in r)"
check "each goodput is within 3 %" measured "all(abs(r['goodput']['error']) <= 0.03 for r in d['results'] if 'goodput' in r)"
python3 - "$dir/verify.json" <<'PYTHON'
import json, sys
for r in json.load(open(sys.argv[1]))["results"]:
    print("#", r["from"], r["to"], *("%s %+.3f%%" % (k, 100 * r[k].get("error", 0)) for k in ("rtt", "goodput") if k in r),
          *(r[k]["problem"] for k in ("rtt", "goodput") if "problem" in r.get(k, {})))
PYTHON
check "wrong figures do not pass" bash -c '! distem verify --pairs n1:n4 --only rtt --tolerance rtt=0.001%,rtt-floor=1us'
check "down" distem down
check "nothing unexpected in the log" unexpected_log
finish
