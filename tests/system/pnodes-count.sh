#!/usr/bin/env bash
# Two hundred vnodes on four pnodes, and what one more costs: transactions, rules, rows, devices, counted. And distem trace, for real.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
. "$top_srcdir/tests/pnodes.sh"

dir=$(mktemp -d)
on_exit rm -rf "$dir"
make_pnodes 4
check "a coordinator and four pnodes start" start_all

# topology VNODES: in four vnetworks, each on all pnodes.
topology() {
    python3 - "$1" <<'PYTHON'
import json, sys
vnodes = {f"n{i}": {"pnode": f"p{i % 4 + 1}", "vifaces": {"if0": {"vnetwork": f"net{i // 4 % 4}", "both": {"latency": "5ms"}}}}
          for i in range(int(sys.argv[1]))}
print(json.dumps({"distem": 2, "name": "count", "vnodes": vnodes,
                  "vnetworks": {f"net{k}": {"ipv4": f"10.{k}.0.0/16", "ipv6": f"fd0{k}::/64"} for k in range(4)}}))
PYTHON
}
# counters K: "transactions rules" of pnode K's switch since its daemon started, as its log says them.
counters() {
    sed -n 's/.*generation realised.* transactions=\([0-9]*\) rules=\([0-9]*\).*/\1 \2/p' "/var/lib/distem-p$1/distemd.log" | tail -n 1
}
# devices K: names and numbers of all devices; vnode_pids: of all inits.
devices() {
    in_pnode "$1" ip -o link | awk '{ print $1, $2 }'
}
vnode_pids() {
    ask /platform | python3 -c 'import json, sys
print(*(v["name"] + "=" + str(v["pid"]) for v in json.load(sys.stdin)["vnodes"] if v["name"] != "n200"))'
}
# rows: every row of the platform's tables with its version, so that a row that was written is another line.
rows() {
    local table
    for table in Vnetwork Vnode Viface Route_Table; do
        ovsdb-client dump --format=csv "unix:/run/distem-p0/distem-db.sock" "$table" _uuid _version | sed "s/^/$table /" | sort
    done
}

topology 200 >"$dir/200.json"
topology 201 >"$dir/201.json"
check "200 vnodes come up" distem up "$dir/200.json"
check "... fifty on each pnode" platform_has "sorted(sum(v['pnode'] == f'p{k}' for v in d['vnodes']) for k in range(1, 5)) == [50] * 4"
# A batch is what has become ready while the one before was on its way.
few_transactions() {
    local k transactions rules
    for k in 1 2 3 4; do
        read -r transactions rules < <(counters "$k")
        echo "p$k: $transactions transactions, $rules rules"
        [[ $transactions -ge 1 && $transactions -le 8 && $rules -ge 200 ]] || return 1
    done
}
check "... in a handful of transactions per switch, not one for each" few_transactions

for k in 1 2 3 4; do
    counters "$k" >"$dir/counters.$k"
    devices "$k" >"$dir/devices.$k"
done
vnode_pids >"$dir/pids"
rows >"$dir/rows"
# n200 is on p1 and in net2.
check "one more is one change" bash -c "distem diff '$dir/201.json' | grep -c . | grep -qx 2"
check "... is applied" distem up "$dir/201.json"
own_pnode() {
    local before rules_before after rules_after
    read -r before rules_before <"$dir/counters.1"
    read -r after rules_after < <(counters 1)
    echo "$((after - before)) transactions, $((rules_after - rules_before)) rules"
    [[ $((after - before)) -eq 1 && $((rules_after - rules_before)) -ge 4 && $((rules_after - rules_before)) -le 12 ]]
}
others() {
    local k before rules_before after rules_after
    for k in 2 3 4; do
        read -r before rules_before <"$dir/counters.$k"
        read -r after rules_after < <(counters "$k")
        echo "p$k: $((after - before)) transactions, $((rules_after - rules_before)) rules"
        [[ $after -eq $before && $((rules_after - rules_before)) -ge 1 && $((rules_after - rules_before)) -le 6 ]] || return 1
    done
}
same_devices() {
    local k
    for k in 1 2 3 4; do
        devices "$k" | diff "$dir/devices.$k" - | sed "s/^/p$k: /"
    done >"$dir/new"
    cat "$dir/new"
    # Its veth and the IFB for its output, on p1 alone; nothing is gone.
    [[ $(grep -c '^p1: >' "$dir/new") -eq 2 ]] && ! grep -qE '^p[234]: [<>]|^p1: <' "$dir/new"
}
same_rows() {
    rows | diff "$dir/rows" - | grep '^[<>]' >"$dir/changed"
    cat "$dir/changed"
    [[ $(grep -c '^> Vnode' "$dir/changed") -eq 1 && $(grep -c '^> Viface' "$dir/changed") -eq 1 ]] && ! grep -q '^<' "$dir/changed"
}
check "... with one transaction and its own rules at its switch" own_pnode
check "... a few rules and no transaction at the others" others
check "... its own devices and no others" same_devices
check "... its own database rows and no others" same_rows
check "... and every other vnode's init is the same" bash -c "[[ '$(vnode_pids)' == '$(cat "$dir/pids")' ]]"

# --- the way of a packet, asked of the switches
trace_has() {
    local pattern
    distem trace n0:if0 n1 >"$dir/trace" || return
    cat "$dir/trace"
    for pattern in "$@"; do
        grep -qE -- "$pattern" "$dir/trace" || return 1
    done
}
check "trace names pnodes, bridges, tables and rules" trace_has 'n0:if0 to n1:if0, vnetwork net0' 'pnode p1, in by dv' \
    'db[0-9]+ table 0 admission' 'db[0-9]+ table 2 forwarding' 'tun_dst' 'pnode p2, in by dt' 'table 3 arrivals' 'table 4 delivery'
check "... within 80 columns" bash -c "! grep -qE '.{81}' '$dir/trace'"
check "... of a broadcast it names every pnode" bash -c "distem trace n0 broadcast | grep -c '^  pnode' | grep -qx 4"
check "... and says why there is no way" bash -c "! distem trace n0 10.9.9.9 2>'$dir/err' && grep -q 'no route' '$dir/err'"

check "nothing unexpected in the logs" unexpected_logs
check "down" distem down
stop_all
check "cleanup" cleanup_all
finish
