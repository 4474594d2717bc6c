#!/usr/bin/env bash
# What a machine without netem and the openvswitch module can do: platforms on the switch's own datapath, with nothing shaped. Runs
# in namespaces of its own, beside whatever else the machine does.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
[[ $(id -u) -eq 0 ]] || skip_all "needs root"
[[ -z ${LAB_INDEX-} && ! -e /sys/module/openvswitch ]] && ! modprobe -qn openvswitch ||
    skip_all "this kernel has the openvswitch module: nobody would use the switch's own datapath here"
if [[ ${DISTEM_TEST_UNSHARED-} != yes ]]; then
    trap - EXIT
    DISTEM_TEST_UNSHARED=yes exec unshare --mount --net --propagation private bash "$0"
fi
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
ip link set lo up

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon
cat >"$dir/plain.json" <<'JSON'
{
  "distem": 2, "name": "plain",
  "vnetworks": {"near": {"ipv4": "10.1.0.0/24", "ipv6": "fd00:1::/64"}, "far": {"ipv4": "10.2.0.0/24", "ipv6": "fd00:2::/64"}},
  "vnodes": {
    "a": {"vifaces": {"if0": {"vnetwork": "near"}}},
    "gateway": {"gateway": true, "vifaces": {"if0": {"vnetwork": "near"}, "if1": {"vnetwork": "far"}}},
    "b": {"vifaces": {"if0": {"vnetwork": "far"}}}
  }
}
JSON

check "doctor names what is missing" bash -c 'distem doctor | grep -q "^MISSING *kernel openvswitch"'
check "distemd starts" distemd --detach
check "what needs shaping is refused with the reason" bash -c \
    "distem up '$top_srcdir/examples/figure3.json' 2>&1 | tr '\n' ' ' | grep -q 'cannot shape .* lacks .*openvswitch'"
check "what does not comes up" distem up "$dir/plain.json"
check "IPv4 goes through the gateway" distem exec a -- ping -c 1 -W 5 10.2.0.2
check "IPv6 too" distem exec a -- ping -6 -c 1 -W 5 fd00:2::2
check "distem verify measures it" distem verify --tolerance rtt-floor=50ms
# shellcheck disable=SC2016
check "TCP carries data, checksums and all" bash -c '
    distem exec b -- python3 -c "
import socket
s = socket.create_server((\"10.2.0.2\", 5001)); print(\"ready\", flush=True)
c = s.accept()[0]; n = 0
while d := c.recv(65536): n += len(d)
print(n)" >"$1" & pid=$!
    for i in $(seq 600); do grep -q ready "$1" && break; sleep 0.05; done
    distem exec a -- bash -c "head -c 3000000 /dev/zero >/dev/tcp/10.2.0.2/5001" && wait $pid && grep -qx 3000000 "$1"' \
    bash "$dir/tcp"
head -c 20000000 /dev/urandom >"$dir/data"
check "exec carries 20 MB both ways" bash -c "distem exec a -- cat <'$dir/data' | cmp - '$dir/data'"
kill_daemon
check "after kill -9 distemd starts again" distemd --detach
check "... to the same platform" wait_until distem exec a -- ping -c 1 -W 1 10.2.0.2
check "down" distem down
check "nothing unexpected in the log" unexpected_log 'a limit is low'
stop_daemon
check "cleanup" distem cleanup
check "... leaves nothing" bash -c '[[ ! -e /run/distem && ! -e /var/lib/distem && -z $(ip -o link show type veth) ]]'
finish
