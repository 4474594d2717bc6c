#!/usr/bin/env bash
# Three pnodes, four vnetworks with the same addresses, over VXLAN and VLAN: what is sent in one reaches each vnode of it once and nobody
# of another, no vnode reaches a pnode, and gateways alone join vnetworks, for which others stand in when their pnode is lost.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
. "$top_srcdir/tests/pnodes.sh"

dir=$(mktemp -d)
on_exit rm -rf "$dir"
make_pnodes 3
remember_pnodes
check "a coordinator and three pnodes start" start_all

cat >"$dir/topo.json" <<'JSON'
{
  "distem": 2, "name": "isolation",
  "vnetworks": {
    "a": {"ipv4": "10.1.0.0/24", "ipv6": "fd01::/64", "transport": "vxlan"},
    "b": {"ipv4": "10.1.0.0/24", "ipv6": "fd01::/64", "transport": "vxlan", "underlay": "ipv6"},
    "c": {"ipv4": "10.1.0.0/24", "ipv6": "fd01::/64", "transport": "vlan", "vlan": 101, "interface": "u1"},
    "d": {"ipv4": "10.1.0.0/24", "ipv6": "fd01::/64", "transport": "vlan", "vlan": 102, "interface": "u1"},
    "far": {"ipv4": "10.2.0.0/24", "ipv6": "fd02::/64"}
  },
  "vnodes": {
    "a1": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "a"}}},
    "a2": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "a"}}},
    "a3": {"pnode": "p3", "vifaces": {"if0": {"vnetwork": "a"}}},
    "a4": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "a"}}},
    "b1": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "b"}}},
    "b2": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "b"}}},
    "b3": {"pnode": "p3", "vifaces": {"if0": {"vnetwork": "b"}}},
    "c1": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "c"}}},
    "c2": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "c"}}},
    "c3": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "c"}}},
    "d1": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "d"}}},
    "d2": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "d"}}},
    "far1": {"pnode": "p1", "vifaces": {"if0": {"vnetwork": "far"}}},
    "gate2": {"pnode": "p2", "vifaces": {"if0": {"vnetwork": "a"}, "if1": {"vnetwork": "far"}}},
    "gate3": {"pnode": "p3", "vifaces": {"if0": {"vnetwork": "a"}, "if1": {"vnetwork": "far"}}}
  }
}
JSON
check "four vnetworks with the same addresses come up" distem up "$dir/topo.json"

# storm.py FROM DIR VNODE MAC NETNS...: in FROM's network namespace sends what has to be flooded, each frame with a word of its own,
# frames to each MAC, and frames with tags of VLANs. Leaves what came in, by word, in a file of DIR for each vnode. Frames of one sender
# arrive in order: a vnode has seen everything once two of its vnetwork have said END, one of whom may be itself, which it does not hear.
cat >"$dir/storm.py" <<'PY'
import collections, ctypes, glob, json, os, re, select, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
def setns(fd):
    if libc.setns(fd, 0):
        sys.exit("setns: " + os.strerror(ctypes.get_errno()))
paths = {}
for path in glob.glob("/proc/[0-9]*/ns/net"):
    try:
        paths[os.readlink(path)] = path
    except OSError:
        pass
def packet_socket(namespace):
    fd = os.open(paths[namespace], os.O_RDONLY)
    setns(fd)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    so_rcvbufforce = 33
    s.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, 1 << 24)
    s.bind(("if0", 0))
    setns(home)
    os.close(fd)
    return s
sender, folder = sys.argv[1:3]
names, macs, namespaces = sys.argv[3::3], sys.argv[4::3], sys.argv[5::3]
sockets = {name: packet_socket(namespace) for name, namespace in zip(names, namespaces)}
own = {name: bytes.fromhex(mac.replace(":", "")) for name, mac in zip(names, macs)}
mac = own[sender]
def send(to, type, payload, source=mac, name=sender):
    sockets[name].send((bytes.fromhex(to.replace(":", "")) + source + bytes.fromhex(type) + payload).ljust(60, b"\0"))
def checksum(words):
    total = sum(int.from_bytes(words[i:i + 2], "big") for i in range(0, len(words), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (total ^ 0xffff).to_bytes(2, "big")
def arp(target):
    return bytes.fromhex("0001080006040001") + mac + bytes([10, 1, 0, 1]) + bytes(6) + bytes([10, 1, 0, target])
def advertisement():
    body = bytes.fromhex("86000000ff000708") + bytes(8) + bytes.fromhex("0304 40c0 00015180 00015180 00000000") + \
        socket.inet_pton(socket.AF_INET6, "2001:db8:bad::")
    source, to = (socket.inet_pton(socket.AF_INET6, a) for a in ("fe80::bad", "ff02::1"))
    body = body[:2] + checksum(source + to + len(body).to_bytes(4, "big") + b"\0\0\0\x3a" + body) + body[4:]
    return b"\x60\0\0\0" + len(body).to_bytes(2, "big") + b"\x3a\xff" + source + to + body
def datagram(to):
    header = bytes.fromhex("4500002a00004000 4011 0000") + bytes([10, 1, 0, 1]) + bytes(to)
    return header[:10] + checksum(header) + header[12:] + bytes.fromhex("1000 1000 0016 0000") + bytes(14)
for i in range(100):
    send("ff" * 6, "0806", arp(100 + i) + b"STORM-arp%d" % i)
    send("333300000001", "86dd", advertisement() + b"STORM-ra%d" % i)
    send("ff" * 6, "0800", datagram([255] * 4) + b"STORM-broadcast%d" % i)
    send("01005e010203", "0800", datagram([239, 1, 2, 3]) + b"STORM-multicast%d" % i)
    send("02badbadbad0", "88b5", b"STORM-unknown%d" % i)
    send("ff" * 6, "88b5", b"STORM-invented%d" % i, b"\x02" + os.urandom(5))
for address in macs:
    for i in range(10):
        send(address, "88b5", b"STORM-to%s%d" % (address.replace(":", "").encode(), i))
for tag in (101, 102):
    for to in ("ff" * 6, *macs):
        send(to, "8100%04x88b5" % tag, b"STORM-tag%d" % tag)
counts = {name: collections.Counter() for name in names}
# vnetwork by vnetwork, the storm's first: nothing of it is on its way any more when the others end.
for vnetwork in sorted({name[0] for name in names}, key=lambda v: v != sender[0]):
    members = sorted((name for name in names if name[0] == vnetwork), key=lambda name: name != sender)
    for name in members[:2]:
        send("ff" * 6, "88b5", b"END" * 20, own[name], name)
    for name in members:
        ends = 1 if name in members[:2] else 0
        while ends < 2:
            if not select.select([sockets[name]], [], [], 60)[0]:
                sys.exit("%s has heard %d of 2 ends" % (name, ends))
            frame, address = sockets[name].recvfrom(4096)
            word = re.search(rb"STORM-\w+", frame)
            if b"END" in frame:
                ends += 1
            elif word and address[2] != socket.PACKET_OUTGOING:
                counts[name][word.group().decode()] += 1
    for name in members:
        with open(os.path.join(folder, name), "w") as f:
            json.dump(counts[name], f)
PY
vnodes=(a1 a2 a3 a4 b1 b2 b3 c1 c2 c3 d1 d2)
declare -A macs
places=()
for vnode in "${vnodes[@]}"; do
    read -r mac namespace < <(in_vnode "$vnode" 'echo $(cat /sys/class/net/if0/address) $(readlink /proc/self/ns/net)')
    macs[$vnode]=$mac
    places+=("$vnode" "$mac" "$namespace")
done
# counted VNODE EXPRESSION: of Python, about the counts d.
counted() {
    json "$2" <"$dir/$1" || { head -c 600 "$dir/$1"; return 1; }
}
floods='[d.get("STORM-%s%d" % (kind, i)) for kind in ("arp", "ra", "broadcast", "multicast", "unknown", "invented") for i in range(100)]'

for from in a1 c2; do
    check "a storm of what has to be flooded, from $from" python3 "$dir/storm.py" "$from" "$dir" "${places[@]}"
    for vnode in "${vnodes[@]}"; do
        own='[n for word, n in d.items() if word.startswith("STORM-to'${macs[$vnode]//:/}'")]'
        if [[ $vnode == "$from" ]]; then
            check "... nothing comes back to $vnode" counted "$vnode" 'd == {}'
        elif [[ ${vnode:0:1} == "${from:0:1}" ]]; then
            check "... reaches $vnode, each frame once" counted "$vnode" "$floods == [1] * 600"
            check "... with what is for it alone" counted "$vnode" "$own == [1] * 10"
        else
            check "... nothing of it $vnode" counted "$vnode" 'd == {}'
        fi
    done
    for vnode in a2 a3 a4 c1 c3; do
        if [[ ${vnode:0:1} == "${from:0:1}" ]]; then
            for other in "${vnodes[@]}"; do
                [[ ${other:0:1} != "${from:0:1}" || $other == "$vnode" || $other == "$from" ]] ||
                    check "... what is for $other does not reach $vnode" counted "$vnode" \
                        'not [word for word in d if word.startswith("STORM-to'"${macs[$other]//:/}"'")]'
            done
        fi
    done
done
no_route_from_it() {
    local k
    for ((k = 0; k <= pnodes; k++)); do
        ! in_pnode "$k" ip -6 route show table all | grep 2001:db8 || return
    done
}
check "no pnode took a router advertisement to heart" no_route_from_it

# --- pnodes
for address in 192.0.2.1 192.0.2.2 192.0.2.100; do
    check "a vnode has no way to $address" refused a1 "ping -c 1 -W 1 $address"
    check "... not even with a route" refused a1 "ip route replace $address dev if0 && ping -c 1 -W 1 $address"
done
for k in 1 2; do
    mac=$(in_pnode "$k" cat /sys/class/net/u0/address)
    for address in "192.0.2.$k" "fd00:2::$k"; do
        check "... and a neighbour that is pnode p$k's card at $address" refused a1 \
            "ip route replace $address dev if0 && ip neigh replace $address lladdr $mac dev if0 && ping -c 1 -W 1 $address"
        check "... or everybody" refused a1 "ip neigh replace $address lladdr ff:ff:ff:ff:ff:ff dev if0 && ping -c 1 -W 1 $address"
    done
done
check "... nor to a daemon's port" refused a1 'timeout 5 bash -c "exec 3<>/dev/tcp/192.0.2.2/4568"'
check "a pnode has no way to a vnode" bash -c '! nsenter --net="$1" ping -c 1 -W 1 10.1.0.1' - "$pnodes_dir/1.net"

# --- gateways
way() {
    in_vnode a1 'ip route get 10.2.0.1' | grep -o 'via [0-9.]*'
}
first=$(way)
case $first in
    *.$(in_vnode gate2 "ip -o -4 addr show if0" | sed 's/.*inet [0-9]*\.[0-9]*\.[0-9]*\.\([0-9]*\).*/\1/')) lost=2 ;;
    *) lost=3 ;;
esac
check "another vnetwork is reached through a gateway: $first on p$lost" in_vnode a1 'ping -c 2 -W 2 10.2.0.1 && ping -6 -c 2 -W 2 fd02::1'
check "... and from those that the gateway is not in, it is not" refused b1 'ping -c 1 -W 1 10.2.0.1'
on_wire ip link set dev "u0-$lost" down
check "the gateway's pnode is cut off, and lost" wait_until pnodes_are 2
check "... nobody gets through" refused a1 'ping -c 1 -W 1 10.2.0.1'
check "replan" distem replan
check "... the other gateway stands in" in_vnode a1 'ping -c 2 -W 2 10.2.0.1 && ping -6 -c 2 -W 2 fd02::1'
check "... by another way: $(way)" test "$(way)" != "$first"
on_wire ip link set dev "u0-$lost" up
check "the pnode comes back" wait_until pnodes_are 3
check "... with all that it has" wait_until platform_has "[v['state'] for v in d['vnodes']] == ['running'] * 15"
check "... and nothing is lost" in_vnode a1 'ping -c 2 -W 2 10.1.0.2 && ping -c 2 -W 2 10.1.0.3 && ping -c 2 -W 2 10.2.0.1'

check "nothing unexpected in the logs" unexpected_logs 'lost|does not answer|not reach|connection|heard of'
check "down" distem down
stop_all
check "cleanup" cleanup_all
check "nothing is left" pnodes_as_before
finish
