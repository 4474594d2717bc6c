#!/usr/bin/env bash
# What a vnode must not reach: the machine, its other vnodes, other vnetworks.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon

# --- whose files are whose
mkdir -m 777 "$dir/open"
check "a run folder that others can write to is refused" \
    bash -c '! distemd --run-dir="'"$dir"'/open" --state-dir="'"$dir"'/state" 2>"'"$dir"'/err" && grep -q "nobody else can write" "'"$dir"'/err"'
check "started with umask 0" bash -c 'umask 0; exec distemd --detach'
check "... nobody else can write to the daemon's files and sockets" \
    bash -c '! find /run/distem /var/lib/distem ! -type l -perm /022 | grep .'
stop_daemon
(umask 077; exec distemd --detach)

cat >"$dir/two.json" <<'JSON'
{
  "distem": 2, "name": "two",
  "vnetworks": {
    "a": {"ipv4": "10.1.0.0/24", "ipv6": "fd01::/64"},
    "b": {"ipv4": "10.1.0.0/24", "ipv6": "fd01::/64"}
  },
  "vnodes": {
    "a1": {"vifaces": {"if0": {"vnetwork": "a", "output": {"bandwidth": "1Gbit/s"}}}},
    "a2": {"vifaces": {"if0": {"vnetwork": "a"}}},
    "b1": {"vifaces": {"if0": {"vnetwork": "b"}}},
    "b2": {"image": "/", "vifaces": {"if0": {"vnetwork": "b"}}}
  }
}
JSON
check "two vnetworks with the same addresses" distem up "$dir/two.json"

# --- the machine's kernel
before=$(cat /proc/sys/kernel/core_pattern /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/domainname)
for type in proc sysfs debugfs devtmpfs cgroup2 tmpfs; do
    check "a vnode cannot mount $type" refused a1 "mkdir -p /root/m && mount -t $type none /root/m"
done
check "... nor make /proc/sys writable" refused a1 'mount -o remount,rw,bind /proc/sys'
check "... nor in a user namespace" refused a1 "unshare -Urm sh -c 'mount -o remount,rw,bind /proc/sys && echo x >/proc/sys/kernel/core_pattern'"
check "a vnode cannot say what handles crashes" refused a1 'echo "|/bin/true" >/proc/sys/kernel/core_pattern'
check "... or set the machine's limits" refused a1 'echo 1 >/proc/sys/kernel/pid_max'
check "... or write below /sys" refused a1 'echo 1 >/sys/kernel/profiling || echo 0 >/sys/module/ipv6/parameters/disable'
check "... or use the magic keys" refused a1 'echo h >/proc/sysrq-trigger'
check "... but its own network's settings" in_vnode a1 'echo 1 >/proc/sys/net/ipv4/ip_forward'
check "... and the machine's are as they were" \
    test "$(cat /proc/sys/kernel/core_pattern /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/domainname)" = "$before"
check "a vnode cannot read memory" refused a1 'mknod /root/mem c 1 1 && head -c 1 /root/mem'
check "... or a disk" refused a1 'mknod /root/disk b 7 0 && head -c 1 /root/disk'
check "... not even on a device node of the vnode's own" refused a1 'test -e /dev/mem || test -e /dev/kmsg || test -e /dev/vda'
module=$(modinfo -n dummy)
lsmod | grep -q '^dummy ' && rmmod dummy
distem exec a1 -- bash -c 'cat >/root/module.ko' <"$module"
check "... or load a module" refused a1 'insmod /root/module.ko'
check "... and none was" bash -c '! lsmod | grep "^dummy "'
check "... or set the clock" refused a1 'date -s 2001-01-01'
check "... or restart the machine" refused a1 'reboot -f'

# --- other processes and files
check "a vnode sees its own processes only" in_vnode a1 '! cat /proc/[0-9]*/comm | grep -E "distemd|ovs-|agent"'
check "the program that enters a vnode is not the machine's file" \
    bash -c 'distem exec a1 -- /proc/self/exe worker <<<"" >/dev/null; ! distem exec a1 -- sh -c "printf \"#!/proc/self/exe\n\" >/root/x; chmod +x /root/x; readlink /proc/*/exe" | grep -v memfd: | grep distem-vnode'
in_vnode a1 'echo a1 >/root/secret; echo a1 >/tmp/secret; echo a1 >/etc/secret; sleep 1000 </dev/null >/dev/null 2>&1 &'
check "what it writes, others do not see" in_vnode a2 '! ls /root/secret /tmp/secret /etc/secret 2>/dev/null | grep .'
check "... nor the machine" bash -c '! ls /root/secret /tmp/secret /etc/secret 2>/dev/null | grep .'
check "... nor its processes" in_vnode a2 '! pgrep sleep'
check "... nor through an image that is the machine's root" in_vnode b2 '! find /var/lib/distem /run/distem -mindepth 1 2>/dev/null | grep .'
check "users in a vnode can read what they need" in_vnode a1 'setpriv --reuid 65534 --clear-groups cat /etc/hosts /etc/hostname'
sed 's#"image": "/"#"image": "/var/lib/distem/vnodes"#' "$dir/two.json" >"$dir/inside.json"
check "distem's own folder is no image" bash -c '! distem up --timeout 5s "'"$dir"'/inside.json" 2>"'"$dir"'/err"; grep "own" "'"$dir"'/err"'
check "... and another one is taken instead" distem up "$dir/two.json"

# --- the machine's network
ip addr add 198.51.100.1/32 dev lo
on_exit ip addr del 198.51.100.1/32 dev lo
check "a vnode sees its own interfaces only" in_vnode a1 'test "$(ls /sys/class/net | xargs)" = "if0 lo"'
check "... and no daemon" refused a1 'exec 3<>/dev/tcp/127.0.0.1/4567'
check "... and has no way to the machine's addresses" refused a1 'ping -c 1 -W 1 198.51.100.1'
check "... not even with a route" refused a1 'ip route add 198.51.100.1 dev if0 && ping -c 1 -W 1 198.51.100.1'
check "... or a neighbour that is everybody" \
    refused a1 'ip neigh replace 198.51.100.1 lladdr ff:ff:ff:ff:ff:ff dev if0 && ping -c 1 -W 1 198.51.100.1'

# --- other vnetworks: sniff.py counts frames with STORM in them until one with END comes
cat >"$dir/sniff.py" <<'PY'
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("if0", 0))
open("/tmp/sniffing", "w").close()
count = 0
while True:
    frame = s.recv(4096)
    count += b"STORM" in frame
    if b"END" in frame:
        break
open("/tmp/count", "w").write("%d" % count)
PY
cat >"$dir/send.py" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("if0", 0))
mac = bytes.fromhex(open("/sys/class/net/if0/address").read().strip().replace(":", ""))
def send(to, source, type, payload):
    s.send(bytes.fromhex(to) + source + bytes.fromhex(type) + payload)
def arp(target):
    return bytes.fromhex("0001080006040001") + mac + bytes([10, 1, 0, 1]) + bytes(6) + bytes([10, 1, 0, target]) + b"STORM"
def advertisement():
    body = bytes.fromhex("86000000ff000708") + bytes(8) + bytes.fromhex("0304 40c0 00015180 00015180 00000000") + \
        socket.inet_pton(socket.AF_INET6, "2001:db8:bad::")
    source, to = (socket.inet_pton(socket.AF_INET6, a) for a in ("fe80::bad", "ff02::1"))
    words = source + to + len(body).to_bytes(4, "big") + b"\0\0\0\x3a" + body
    total = sum(int.from_bytes(words[i:i + 2], "big") for i in range(0, len(words), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    body = body[:2] + (total ^ 0xffff).to_bytes(2, "big") + body[4:]
    return b"\x60\0\0\0" + len(body).to_bytes(2, "big") + b"\x3a\xff" + source + to + body + b"STORM"
if sys.argv[1] == "storm":
    for i in range(1000):
        send("ffffffffffff", mac, "0806", arp(i % 250 + 1))
        send("02badbadbad0", b"\x02" + os.urandom(5), "88b5", b"STORM" * 10)
    for i in range(100):
        send("333300000001", mac, "86dd", advertisement())
send("ffffffffffff", mac, "88b5", b"END" * 20)
PY
for vnode in a1 a2 b1 b2; do
    distem exec "$vnode" -- sh -c 'cat >/root/sniff.py' <"$dir/sniff.py"
    distem exec "$vnode" -- sh -c 'cat >/root/send.py' <"$dir/send.py"
done
for vnode in a2 b1; do
    in_vnode "$vnode" 'setsid python3 /root/sniff.py </dev/null >/dev/null 2>&1 &'
    wait_until in_vnode "$vnode" 'test -e /tmp/sniffing'
done
check "a storm of broadcasts, router advertisements and invented addresses" in_vnode a1 'python3 /root/send.py storm'
wait_until in_vnode a2 'test -s /tmp/count'
check "... reaches its own vnetwork" in_vnode a2 'cat /tmp/count; test "$(cat /tmp/count)" -ge 100'
in_vnode b2 'python3 /root/send.py end'
wait_until in_vnode b1 'test -s /tmp/count'
check "... and nothing of it the other with the same addresses" in_vnode b1 'cat /tmp/count; test "$(cat /tmp/count)" = 0'
check "... or the machine" bash -c '! ip -6 route show | grep 2001:db8'
check "... and a thousand invented addresses are one flow, not a thousand" \
    bash -c 'ovs-appctl -t /run/distem/ovs/ovs-vswitchd.ctl dpctl/dump-flows | grep 0x88b5 | tee /dev/stderr | awk "END { exit NR > 4 }"'
received() {
    in_vnode a2 'cat /sys/class/net/if0/statistics/rx_packets'
}
first=$(received)
in_vnode a1 'ping -c 3 -i 0.2 10.1.0.2' >/dev/null
second=$(received)
check "... and it has ended: $((second - first)) frames for three pings" test $((second - first)) -lt 20

check "down" distem down
finish
