#!/usr/bin/env bash
# The latency matrix: what it says is measured, on top of what vifaces do, once for each frame however many gateways there are; it
# changes while frames pass; a daemon that is started again goes on with it; nothing is left of it.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon

# topology LATENCY_A_B [MATRIX_MEMBER]: of the group a1, to b1.
topology() {
    cat >"$dir/latency.csv" <<CSV
to,   a1,    b1,   site=far, gw
a1,   0,     $1,   30ms,     1ms
b1,   20ms,  0,    ,         0
site=far, 40ms, 5ms, 2ms,    0
CSV
    cat <<JSON
{
  "distem": 2, "name": "matrix",
  "vnetworks": {"n1": {"ipv4": "10.1.0.0/24", "ipv6": "fd01::/64"}, "n2": {"ipv4": "10.2.0.0/24", "ipv6": "fd02::/64"}},
  "matrix": {${2-}"latency": "latency.csv", "loss": ["to, a1, b1", "a1, 0, 0", "b1, 20%, 0"], "bandwidth": ["to, gw", "b1, 1Mbit/s"]},
  "vnodes": {
    "a1": {"vifaces": {"if0": {"vnetwork": "n1", "ipv4": "10.1.0.1", "ipv6": "fd01::1"}}},
    "b1": {"vifaces": {"if0": {"vnetwork": "n1", "ipv4": "10.1.0.2", "ipv6": "fd01::2", "input": {"latency": "3ms"}}}},
    "far[1-2]": {"labels": {"site": "far"}, "vifaces": {"if0": {"vnetwork": "n2", "input": {"latency": "1ms", "bandwidth": "100Mbit/s"},
        "output": {"latency": "7ms", "bandwidth": "10Mbit/s"}}}},
    "gw": {"gateway": true, "vifaces": {"if0": {"vnetwork": "n1", "ipv4": "10.1.0.254", "ipv6": "fd01::fe"}, "if1": {"vnetwork": "n2", "ipv4": "10.2.0.254"}}},
    "none": {"vifaces": {"if0": {"vnetwork": "n1", "ipv4": "10.1.0.9", "both": {"latency": "2ms"}}}}
  }
}
JSON
}
# rtt_is FROM ADDRESS MS: the smallest of some, within 20 us or 0.2 % above and what the path takes itself.
rtt_is() {
    local found
    found=$(distem exec "$1" -- ping -i 0.2 -c 8 -q "$2" | sed -n 's/^rtt.* = \([0-9.]*\).*/\1/p')
    echo "$found ms" >&2
    awk -v found="$found" -v asked="$3" 'BEGIN { exit !(found != "" && found >= asked && found < asked + (asked * 0.002 > 0.02 ? asked * 0.002 : 0.02) + 0.06) }'
}

distemd --detach
topology 10ms >"$dir/topo.json"
check "up" distem up "$dir/topo.json"
address() {
    distem exec "$1" -- ip -o -4 addr show dev if0 | sed -n 's/.*inet \([0-9.]*\).*/\1/p'
}
far1=$(address far1) far2=$(address far2)
check "two groups of one vnode each, and an input of 3 ms" rtt_is a1 10.1.0.2 33
check "... by IPv6" rtt_is a1 fd01::2 33
check "... a vnode in no group meets nothing of it" rtt_is none 10.1.0.1 4
check "through a gateway: once, and bandwidths both ways" rtt_is a1 "$far1" 78.107
check "... between members of a group" rtt_is far1 "$far2" 20.215
check "... where nothing is said one way" rtt_is b1 "$far1" 16.107
check "the gateway itself" rtt_is a1 10.1.0.254 1
check "verify agrees" distem verify --only rtt
# One of a hundred is outside by chance; two in a row are not.
loses_20_percent() {
    for _ in 1 2; do
        distem exec b1 -- ping -q -i 0.002 -c 2000 10.1.0.1 | sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' | tee /dev/stderr |
            awk '{ exit !($1 > 17.7 && $1 < 22.3) }' && return
    done
    return 1
}
check "20 % are lost one way" loses_20_percent
check "a bandwidth of its own" distem verify --only goodput --pairs b1:gw
# Five frames of 1,442 bytes, 1,466 on a wire, take 58.6 ms, and come back after 38.2 ms on average; those of
# both families, sent some milliseconds apart (on a busy machine some tens), wait for each other.
distem exec b1 -- sh -c 'ping -4 -q -c 5 -l 5 -s 1400 10.1.0.254 & ping -6 -q -c 5 -l 5 -s 1400 fd01::fe; wait' >"$dir/both"
check "... which is one for IPv4 and IPv6" bash -c "sed -n 's,^rtt.* = [^/]*/[^/]*/\([0-9.]*\).*,\1,p' '$dir/both' | sort -n | tail -1 | tee /dev/stderr | awk '{ exit !(\$1 > 45 && \$1 < 125) }'"

distem exec a1 -- ping -q -i 0.005 -c 1500 "$far1" >"$dir/ping" &
ping=$!
for latency in 11ms 12ms 13ms; do
    topology "$latency" >"$dir/topo.json"
    distem diff "$dir/topo.json" >"$dir/diff"
    distem up "$dir/topo.json" || echo "not up" >>"$dir/failed"
done
wait "$ping"
check "changes while frames pass" test ! -e "$dir/failed"
check "... one value each" grep -E 'matrix .*1 value' "$dir/diff"
check "... none is lost" grep -q ' 0% packet loss' "$dir/ping"
check "... they are measured" rtt_is a1 10.1.0.2 36
# patch CHANGE...: changes values of the matrix by the REST API; prints the answer and its status.
patch() {
    local IFS=,
    curl -s -w ' %{http_code}' -X PATCH -d "{\"changes\": [$*]}" http://127.0.0.1:4567/platform/matrix | tr "\n" " "
}
# realised: whether all is as it shall be.
realised() {
    curl -s http://127.0.0.1:4567/platform/progress |
        python3 -c 'import json, sys; p = json.load(sys.stdin); sys.exit(p["generation"] != p["realised"])'
}
distem exec a1 -- ping -q -i 0.005 -c 600 10.1.0.2 >"$dir/ping" &
ping=$!
check "one value by itself" grep -q ' 200$' <(patch '{"from": "a1", "to": "b1", "latency": "9ms"}')
check "... is made" wait_until realised
wait "$ping"
check "... and nothing is lost but by chance" bash -c "sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' '$dir/ping' | awk '{ exit !(\$1 > 12 && \$1 < 28) }'"
check "... it is measured" rtt_is a1 10.1.0.2 32
check "a group that is not there is refused, and nothing is done" grep -q 'no group.*nobody.* 400$' <(
    patch '{"from": "a1", "to": "b1", "latency": "1ms"}' '{"from": "nobody", "to": "b1", "latency": "1ms"}')
check "two values" grep -q ' 200$' <(
    patch '{"from": "a1", "to": "b1", "latency": "13ms"}' '{"from": "a1", "to": "gw", "latency": null}')
check "... are made" wait_until realised
check "... one is no more" rtt_is a1 10.1.0.254 0
distem exec a1 -- ping -q -i 0.005 -c 600 "$far1" >"$dir/ping" &
ping=$!
check "set, from one group to another" distem set --matrix a1 site=far latency=50ms bandwidth=2Mbit/s
check "... and with a loss" distem set -m b1 a1 latency=25ms loss=100%
wait "$ping"
check "... nothing is lost where none was asked for" grep -q ' 0% packet loss' "$dir/ping"
check "... it is shown" test "$(distem show --matrix a1 site=far)" = $'FROM  TO        LATENCY  BANDWIDTH\na1    site=far     50ms    2Mbit/s'
check "... not the way back" grep -Eqx 'site=far +a1 +40ms' <(distem show --matrix site=far)
check "... it is done" test "$(distem exec b1 -- ping -q -i 0.01 -c 20 10.1.0.1 | grep -c '100% packet loss')" = 1
check "the whole is shown" test "$(distem show --matrix | wc -l)" = 8
check "... as JSON" python3 -c 'import json, sys; assert json.load(sys.stdin)["loss"] == ["to, a1", "b1, 100%"]' < <(distem show -jm b1 a1)
check "unset one property" distem unset --matrix b1 a1 loss
check "... the others stay" grep -Eqx 'b1 +a1 +25ms' <(distem show --matrix b1)
check "unset all" distem unset --matrix b1 a1
check "... nothing is left of them" rtt_is b1 10.1.0.1 16
check "a group that is not there is refused by set" grep -q 'no group "nobody"' <(distem set --matrix a1 nobody latency=1ms 2>&1)
check "... and by show" grep -q 'no group "nobody"' <(distem show --matrix nobody 2>&1)
check "a property that a matrix does not have is refused" grep -q 'expected one of' <(distem set --matrix a1 b1 jitter=1ms 2>&1)
check "the matrix of before" distem up "$dir/topo.json"
stop_daemon
distemd --detach
check "a daemon that is started again goes on" distem up "$dir/topo.json"
check "... as it was" rtt_is a1 10.1.0.2 36
check "the platform says so" bash -c 'curl -s http://127.0.0.1:4567/platform/topology | distem diff --exit-code -'
check "nothing unexpected in the log" unexpected_log
sed -i '/"matrix": {/d' "$dir/topo.json"
check "without a matrix" distem up "$dir/topo.json"
check "... it does nothing" rtt_is a1 10.1.0.2 3

# lost SEED: which of 300 echo requests are lost, the first that b1 sends to a1 with this seed.
lost() {
    topology 1ms "\"seed\": $1, " >"$dir/topo.json"
    distem up "$dir/topo.json" >&2
    distem exec b1 -- ping -i 0.002 -c 300 10.1.0.1 | grep -o 'icmp_seq=[0-9]*' | grep -vxFf - <(seq -f icmp_seq=%g 300)
}
lost 7 >"$dir/lost7"
check "a seed: about 20 % are lost" bash -c "wc -l <'$dir/lost7' | tee /dev/stderr | awk '{ exit !(\$1 > 40 && \$1 < 80) }'"
check "the platform says so" bash -c 'curl -s http://127.0.0.1:4567/platform/topology | distem diff --exit-code -'
lost 8 >"$dir/lost8"
check "... another one: others" bash -c "test -s '$dir/lost8' && ! cmp -s '$dir/lost7' '$dir/lost8'"
lost 7 >"$dir/again7"
check "... the same one: the same again" cmp "$dir/lost7" "$dir/again7"
check "down" distem down
lost 7 >"$dir/again7"
check "... on a platform that is built anew, too" cmp "$dir/lost7" "$dir/again7"
stop_daemon
distemd --detach
lost 7 >"$dir/again7"
check "... and after a restart of the daemon" cmp "$dir/lost7" "$dir/again7"
check "down" distem down

# --- what cannot be had is tried again
check "without fq" rmmod sch_fq
on_exit rm -f /etc/modprobe.d/distem-test.conf
echo 'install sch_fq /bin/false' >/etc/modprobe.d/distem-test.conf
check "a matrix cannot be" bash -c "! distem up --give-up 2s '$dir/topo.json'"
check "... and why is said" bash -c 'distem status | grep -q "this kernel lacks the module sch_fq"'
rm /etc/modprobe.d/distem-test.conf
check "once there is one, all comes up" wait_until bash -c "distem status | grep -q 'is ready'"
check "... as it is to be" rtt_is a1 10.1.0.2 24
check "down" distem down
stop_daemon
check "cleanup" distem cleanup
check "nothing is left" test -z "$(leftovers)"
finish
