#!/usr/bin/env bash
# Vifaces are changed while they run: by name, by pattern, by REST; everything at once or nothing; nothing else is lost.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon

cat >"$dir/topo.json" <<'JSON'
{
  "distem": 2, "name": "set",
  "vnetworks": {"net": {"ipv4": "10.0.0.0/24"}},
  "templates": {
    "client": {"vifaces": {"if0": {"vnetwork": "net", "output": {"latency": "10ms", "bandwidth": "10Mbit/s", "queue": "20packets"}}}}
  },
  "vnodes": {
    "server": {"vifaces": {"if0": {"vnetwork": "net", "both": {"latency": "1ms"}}}},
    "client[1-8]": {"template": "client", "labels": {"site": "paris"}},
    "client[9-12]": {"template": "client", "labels": {"site": "nancy", "role": "late"}},
    "odd": {"vifaces": {"if0": {"vnetwork": "net", "output": {"latency": "10ms", "jitter": "8ms", "distribution": {"table": "two.dist"}}}}}
  }
}
JSON
echo "-8192 8192 # one jitter less, or more" >"$dir/two.dist"
distemd --detach
check "up" distem up "$dir/topo.json"

# says FILE COMMAND...: fails, and says what the regular expression in FILE's place is about.
says() {
    local what=$1 output
    shift
    output=$("$@" 2>&1) && return 1
    tr '\n' ' ' <<<"$output" | sed 's/  */ /g' | tee /dev/stderr | grep -qE "$what"
}
# shows EXPRESSION [PATTERN]: of Python about the list of vifaces, v their properties by name.
shows() {
    distem show --json "${2:-*}" |
        json "(lambda v: $1)({i['vnode']: (i['input'], i['output']) for i in d['vifaces']})"
}
rtt() {
    distem exec client1 -- ping -c 3 -q 10.0.0.1 | sed -n 's/^rtt.* = \([0-9.]*\).*/\1/p'
}
# rtt_is MS: the smallest of three.
rtt_is() {
    local found
    found=$(rtt)
    echo "$found ms"
    awk -v found="$found" -v asked="$1" 'BEGIN { exit !(found >= asked && found < asked + 0.2) }'
}
generation() {
    distem status --json | json 'd["generation"]'
}

check "what there is" shows "v['client1'] == ({}, {'latency': '10ms', 'bandwidth': '10Mbit/s', 'queue': '20packets'})"
check "... is measured" rtt_is 12
check "set one property" distem set client1:if0 output latency=40ms
check "... and nothing else is lost" shows \
    "v['client1'] == ({}, {'latency': '40ms', 'bandwidth': '10Mbit/s', 'queue': '20packets'}) and v['client2'][1]['latency'] == '10ms'"
check "... it is measured" rtt_is 42
check "set both directions of what a pattern means" distem set 'client[1-9]' output loss=0.5% loss_correlation=10% bandwidth=20Mbit/s both corruption=0.1%
check "... is done to these" shows "all(v['client%d' % i][1]['loss'] == '0.5%' and v['client%d' % i][0] == {'corruption': '0.1%'} and
    v['client%d' % i][1]['queue'] == '20packets' for i in range(1, 10))" 'client[1-9]:if0'
check "... and not to others" shows "v['client10'][1] == {'latency': '10ms', 'bandwidth': '10Mbit/s', 'queue': '20packets'}"
check "unset some" distem unset 'client*' output loss both corruption
check "... they are gone" shows "all(not [p for p in v['client%d' % i][1] if 'loss' in p] and v['client%d' % i][0] == {} for i in range(1, 13))"
check "set what has a label" distem set site=nancy output loss=2%
check "... is done to these" shows "len(v) == 4 and all(v['client%d' % i][1]['loss'] == '2%' for i in range(9, 13))" site=nancy
check "... and not to others" shows "not any('loss' in o for i, o in v.values())" site=paris
check "unset by labels and a viface's name" distem unset 'site=n*,role=late:if*' output loss
check "... they are gone" shows "not any('loss' in o for i, o in v.values())"
check "no such label" says 'site=rome" means no vnode of platform set: none has these labels' distem set site=rome output latency=1ms
check "no label at all" says '"role" is no label' distem set site=paris,role output latency=1ms
check "a vnode tells its labels" json "d['labels'] == {'role': 'late', 'site': 'nancy'}" \
    < <(curl -s http://127.0.0.1:4567/vnodes/client9)
check "... in status, too" bash -c "distem status client9 | grep -qE '^ +labels +role=late,site=nancy$'"
check "unset takes along what needs it" distem unset client2 output bandwidth
check "... and no more" shows "v['client2'] == ({}, {'latency': '10ms'})"
check "unset a direction" distem unset client2:if0 output
check "... ends all of it" shows "v['client2'] == ({}, {})"
check "set with --replace" distem set --replace client1 output latency=5ms
check "... ends all else" shows "v['client1'] == ({}, {'latency': '5ms'})"
check "... it is measured" rtt_is 7
check "the measurement agrees with what was set" distem verify --sample 6 --seed 1 --only rtt

# --- one after the other while packets pass, always some of them on their way: no change costs one
distem exec client3 -- ping -q -i 0.005 -c 3000 10.0.0.1 >"$dir/ping" &
ping=$!
for ((i = 1; i <= 20; i++)); do
    distem set client3 output latency=$((10 + i % 5))ms bandwidth=$((5 + i))Mbit/s || echo "not set" >>"$dir/failed"
    distem set server input latency=$((1 + i % 3))ms || echo "not set" >>"$dir/failed"
    distem set 'client[3-6]' both duplication=0% burst=$((4 + i))kB >/dev/null 2>>"$dir/refused"
done
wait "$ping"
check "40 changes while packets pass" test ! -e "$dir/failed"
check "... none is lost" grep -q ' 0% packet loss' "$dir/ping"
check "a change of many of which one cannot be so" grep -q 'input of client3:if0: /changes/0/both: burst needs bandwidth' "$dir/refused"
check "... has changed none" shows "all('burst' not in v['client%d' % i][1] for i in range(3, 7))"

# --- jitter by a table, which the daemon reads from the database alone when it has been started again
# odd_takes FEW MANY: all its frames but the first, whose way has to be found, take one of these times in ms to the server and back, and there are some of both.
odd_takes() {
    distem exec odd -- ping -i 0.04 -c 41 10.0.0.1 | sed -n '3,$s/.*time=\([0-9.]*\) ms/\1/p' >"$dir/times"
    sort -n "$dir/times" | uniq -c | tail -3
    awk -v few="$1" -v many="$2" '{ if ($1 >= few && $1 < few + 0.5) a++; else if ($1 >= many && $1 < many + 0.5) b++; else bad++ }
        END { exit !(a > 5 && b > 5 && !bad && a + b == 40) }' "$dir/times"
}
distem set server both latency=1ms
check "a table of jitter" odd_takes 4 20
stop_daemon
distemd --detach
check "... stays when something else changes" distem set odd output latency=20ms
check "... is measured" odd_takes 14 30
check "... is shown" shows "v['odd'][1] == {'latency': '20ms', 'jitter': '8ms', 'distribution': {'table': 'two.dist'}}" odd
check "... for people" bash -c "distem show odd | grep -q 'distribution.*two.dist'"
check "... can be replaced" distem set odd output distribution=normal
check "... is gone" shows "v['odd'][1] == {'latency': '20ms', 'jitter': '8ms', 'distribution': 'normal'}" odd
check "... cannot be named here" says 'a table can be named in a topology file only' \
    bash -c 'curl -s -X PATCH http://127.0.0.1:4567/vnodes/odd/vifaces/if0 -d "$1"; exit 1' - '{"output": {"distribution": {"table": "two.dist"}}}'

# --- what is refused changes nothing
before=$(generation)
check "no such vnode" says 'client99" means no vnode of platform set' distem set client99 output latency=1ms
check "... with the nearest" says 'did you mean "server"' distem set servr output latency=1ms
check "no such viface" says 'is no viface of platform set' distem set server:if9 output latency=1ms
check "no such property" says 'latncy.*did you mean "?latency' distem set client1 output latncy=1ms
check "... nor to be ended" says 'latncy.*did you mean "?latency' distem unset client1 output latncy
check "no such value" says 'output of client1:if0: /changes/0/output/latency: "fast" is not a time' distem set client1 output latency=fast
check "out of range" says '"1bit/s" is out of range' distem set client1 output bandwidth=1bit/s
check "what contradicts itself" says 'jitter 9ms is more than latency 5ms' distem set client1 output jitter=9ms
check "what needs another" says 'queue needs bandwidth' distem set client1 output queue=10packets
check "no direction" says 'a direction .* is missing' distem set client1 latency=1ms
check "no viface" says 'a viface is missing' distem set output latency=1ms
check "no property" says 'expected a property' distem set client1 output
check "no value" says 'has no value' distem set client1 output latency
check "a value where none belongs" says 'has a value' distem unset client1 output latency=1ms
check "a broken range" says 'no proper range' distem set 'client[1-' output latency=1ms
if printf '%s\n6.6\n' "$(uname -r)" | sort -CV; then
    check "what this kernel cannot do" says 'cannot give vnode client1 a seed: its kernel, .*, has a netem that takes none' \
        distem set client1 output loss=1% seed=7
fi
check "... nothing has changed" test "$(generation)" = "$before"
check "what is so already changes nothing" distem set client1 output latency=5ms
check "... at all" test "$(generation)" = "$before"

# --- REST
api() {
    curl -s -o "$dir/answer" -w '%{http_code}' -X "$1" "http://127.0.0.1:4567$2" ${3:+-d "$3"}
}
check "GET one viface" test "$(api GET /vnodes/client1/vifaces/if0)" = 200
check "... as it is" json "d['output'] == {'latency': '5ms'} and d['ipv4'] == '10.0.0.2/24'" <"$dir/answer"
check "PATCH merges" test "$(api PATCH /vnodes/client1/vifaces/if0 '{"output": {"loss": "1%"}}')" = 200
check "... into what there is" shows "v['client1'] == ({}, {'latency': '5ms', 'loss': '1%'})"
check "... null ends" test "$(api PATCH /vnodes/client1/vifaces/if0 '{"output": {"loss": null}, "input": null}')" = 200
check "... that alone" shows "v['client1'] == ({}, {'latency': '5ms'})"
check "PUT replaces" test "$(api PUT /vnodes/client1/vifaces/if0 '{"input": {"latency": "3ms"}}')" = 200
check "... everything" shows "v['client1'] == ({'latency': '3ms'}, {})"
check "PATCH of many, each as it is told" test "$(api PATCH /vifaces \
    '{"changes": [{"vifaces": ["client1", "client2"], "output": {"latency": "2ms"}}, {"vifaces": ["client[2-3]:if0"], "input": {"loss": "2%"}}]}')" = 200
check "... is done" shows "v['client1'] == ({'latency': '3ms'}, {'latency': '2ms'}) and v['client2'] == ({'loss': '2%'}, {'latency': '2ms'}) and
    v['client3'][0] == {'loss': '2%'}"
check "no such viface is 404" test "$(api PATCH /vnodes/client1/vifaces/if7 '{}')" = 404
check "a bad value is 400" test "$(api PATCH /vnodes/client1/vifaces/if0 '{"output": {"latency": 20}}')" = 400
check "... with its place" json "d['error']['details'][0]['pointer'] == '/output/latency'" <"$dir/answer"
check "a key that does not exist is 400" test "$(api PATCH /vnodes/client1/vifaces/if0 '{"outptu": {}}')" = 400
check "no change is 400" test "$(api PATCH /vifaces '{"changes": []}')" = 400
check "a change of nothing is 400" test "$(api PATCH /vifaces '{"changes": [{"output": {}}]}')" = 400
check "... one of no text, too" test "$(api PATCH /vifaces '{"changes": [{"vifaces": [1], "output": {}}]}')" = 400

check "the platform is kept as it was changed" bash -c 'curl -s http://127.0.0.1:4567/platform/topology | distem diff --exit-code -'
check "nothing unexpected in the log" unexpected_log
check "down" distem down
check "set without a platform" says 'there is no platform' distem set client1 output latency=1ms
check "show without a platform" says 'there is no platform' distem show
stop_daemon
check "cleanup" distem cleanup
check "nothing is left" test -z "$(leftovers)"
finish
