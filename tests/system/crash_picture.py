# SPDX-License-Identifier: Apache-2.0
"""The crash test's view of the machine: all that a platform consists of, without what differs from run to run."""

import array
import ctypes
import fcntl
import glob
import itertools
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
import urllib.request


def topologies(before, after):
    """Writes a platform of 12 vnodes on 2 vnetworks, and another that differs in every way a change can."""

    def shape(i):
        return {"latency": f"{1 + i}ms", "jitter": f"{i % 3}ms", "bandwidth": f"{1 + i}Mbit/s", "loss": f"{i % 4}%"}

    vnodes = {}
    for i in range(1, 13):
        vifaces = {"if0": {"vnetwork": f"net{1 + i % 2}", "output": shape(i)}}
        if i % 3:
            vifaces["if0"]["input"] = shape(12 - i)
        if i == 6:
            vifaces["if1"] = {"vnetwork": "net2"}
        vnodes[f"v{i}"] = {"vifaces": vifaces, "memory": f"{64 + i}MiB"}
    platform = {
        "distem": 2,
        "name": "crash",
        "vnetworks": {"net1": {"ipv4": "10.1.0.0/24"}, "net2": {"ipv4": "10.2.0.0/24", "ipv6": "fd00:2::/64"}},
        "vnodes": vnodes,
    }
    with open(before, "w", encoding="utf-8") as f:
        json.dump(platform, f)
    del vnodes["v3"]
    vnodes["v13"] = {"vifaces": {"if0": {"vnetwork": "net1", "both": shape(5)}}}
    vnodes["v1"]["memory"] = "100MiB"
    vnodes["v2"]["vifaces"]["if0"]["output"]["latency"] = "33ms"
    vnodes["v4"]["vifaces"]["if1"] = {"vnetwork": "net2", "input": shape(3)}
    del vnodes["v5"]["vifaces"]["if0"]["output"]
    with open(after, "w", encoding="utf-8") as f:
        json.dump(platform, f)


def run(*argv):
    result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return result.stdout if result.returncode == 0 else f"{' '.join(argv)}: {result.stdout}"


def clean(value, drop):
    """'value' without the keys in 'drop', at any depth."""
    if isinstance(value, dict):
        return {k: clean(v, drop) for k, v in value.items() if k not in drop}
    if isinstance(value, list):
        return [clean(v, drop) for v in value]
    return value


def say(place, value):
    print(place, value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def status():
    text = subprocess.run(["distem", "status", "--json"], stdout=subprocess.PIPE, text=True, check=False).stdout
    answer = json.loads(text) if text.startswith("{") else {}
    for key in ("vnodes", "vnetworks", "pnodes"):
        for entry in answer.pop(key, []):
            # Transactions, rules and heartbeats count since the daemon started; doubts are about the machine.
            say(f"status {key}", clean(entry, {"pid", "generation", "transactions", "rules", "heartbeat", "doubts"}))
    say("status", clean(answer, {"generation"}))


# Numbers that the kernel or chance gives.
CHANCE = {"ifindex", "link_index", "link_netnsid", "permaddr", "num_rx_queues", "num_tx_queues", "handle", "parent", "refcnt", "fh",
          "chain", "index", "installed", "last_used", "ref", "bind", "valid_life_time", "preferred_life_time", "expires"}
OFFLOADS = {"rx": 0x14, "tx": 0x16, "sg": 0x18, "tso": 0x1E, "gso": 0x23, "gro": 0x2B}


def offloads(name):
    """What of ETHTOOL_GRXCSUM and the like is on."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for offload, command in OFFLOADS.items():
            value = array.array("I", [command, 0])
            fcntl.ioctl(s, 0x8946, struct.pack("16sP", name.encode(), value.buffer_info()[0]))
            found += [offload] if value[1] else []
    return " ".join(found)


def batch(place, tool, commands):
    """Runs lines of 'tool' (ip, tc) in one process each; all that it answers are lists."""
    text = subprocess.run([*tool.split(), "-j", "-b", "-"], input="\n".join(commands), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False).stdout
    for command, line in itertools.zip_longest(commands, text.splitlines()):
        values = clean(json.loads(line), CHANCE) if line and line.startswith("[") else line
        for value in sorted(json.dumps(v, sort_keys=True) for v in values or [] if v):
            say(f"{place} {command}:", value)


def filters(names):
    """In the words of tc: what it says of some in JSON is none. Each line names the device that frames go to, or follows one that does."""
    commands = [f"filter show dev {name} {hook}" for name in names for hook in ("ingress", "egress")]
    text = subprocess.run(["tc", "-b", "-"], input="\n".join(commands), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False).stdout
    for line in text.splitlines():
        line = re.sub(r"\b(index|ref|bind|installed|used) \d+( sec)?", "", line).strip()
        if line:
            say("filter", line)


def devices():
    names = [os.path.basename(p) for p in glob.glob("/sys/class/net/d[bvisxy][0-9]*")]
    names = sorted(names, key=lambda n: (n[:2], int(n[2:])))
    # The host's end of a pair has an address by chance.
    CHANCE.add("address")
    batch("link", "ip -d", [f"link show {n}" for n in names])
    CHANCE.remove("address")
    ports = [n for n in names if not n.startswith("db")]
    batch("qdisc", "tc", [f"qdisc show dev {n}" for n in ports])
    filters(ports)
    for name in names:
        say(f"offloads {name}", offloads(name))


SYSCTLS = ["ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv4/conf/*/rp_filter", "ipv6/conf/*/accept_ra", "ipv6/conf/*/autoconf",
           "ipv6/conf/*/accept_dad", "ipv6/conf/*/addr_gen_mode", "ipv4/conf/*/send_redirects", "ipv6/conf/*/disable_ipv6"]


def guest(name):
    batch(f"netns {name}", "ip -d", ["address"])
    # Without counts of references and uses.
    for table, drop in (("route", {4, 5}), ("ipv6_route", {6, 7})):
        with open(f"/proc/thread-self/net/{table}", encoding="ascii") as f:
            for line in sorted(" ".join(w for i, w in enumerate(line.split()) if i not in drop) for line in f):
                say(f"netns {name} {table}", line)
    for pattern in SYSCTLS:
        for path in sorted(glob.glob(f"/proc/sys/net/{pattern}")):
            with open(path, encoding="ascii") as f:
                say(f"netns {name} sysctl", f"{path.partition('/sys/net/')[2]} {f.read().strip()}")


def guests(folder):
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as home:
        for path in sorted(glob.glob(f"{folder}/netns/*"), key=lambda p: int(os.path.basename(p))):
            with open(path, "rb") as netns:
                if libc.setns(netns.fileno(), 0x40000000):
                    say(path, os.strerror(ctypes.get_errno()))
                    continue
                guest(os.path.basename(path))
            libc.setns(home.fileno(), 0x40000000)


def switch(folder):
    tables = {"Bridge": "name,external_ids,fail_mode,datapath_type,other_config", "Port": "name,external_ids",
              "Interface": "name,type,error,admin_state,link_state", "QoS": "type,external_ids"}
    argv = ["ovs-vsctl", "--timeout=20", f"--db=unix:{folder}/ovs/db.sock", "--format=csv", "--no-headings"]
    for table, columns in tables.items():
        argv += ["--", f"--columns={columns}", "list", table]
    argv += ["--", "--columns=name", "find", "Port", "qos!=[]"]
    for line in sorted(run(*argv).splitlines()):
        if "foreign" not in line:
            # Which device of a name a port was made for.
            say("ovs", re.sub(r'distem-ifindex="*\d+"*', "distem-ifindex", line))
    for path in sorted(glob.glob(f"{folder}/ovs/db[0-9]*.mgmt")):
        flows = run("ovs-ofctl", "-OOpenFlow14", "--no-stats", "--names", "dump-flows", f"unix:{path}")
        for line in sorted(flows.splitlines()):
            rule, _, actions = line.strip().partition("actions=")
            if set(re.findall(r"([a-z_]+):", actions)) == {"output"}:
                actions = ",".join(sorted(actions.split(",")))
            say(f"flow {os.path.basename(path)}", rule + actions)
    text = run("ovs-appctl", "-t", f"{folder}/ovs/ovs-vswitchd.ctl", "dpctl/show")
    for port in sorted(re.findall(r"port \d+: (.*)", text)):
        if "foreign" not in port:
            say("datapath", port)


def containers():
    for root in sorted(glob.glob("/sys/fs/cgroup/distem-*")):
        # The daemon's, while a worker lives; and where monitors end.
        for path, _, _ in sorted(os.walk(root)):
            if path == root or "/pivot" in path or path == f"{root}/monitor":
                continue
            limits = []
            for name in ("memory.max", "memory.swap.max", "pids.max"):
                try:
                    with open(f"{path}/{name}", encoding="ascii") as f:
                        limits.append(f"{name}={f.read().strip()}")
                except OSError:
                    pass
            with open(f"{path}/cgroup.procs", encoding="ascii") as f:
                limits.append(f"processes={len(f.read().split())}")
            say("cgroup", f"{path} {' '.join(limits)}")
    with open("/proc/self/mounts", encoding="utf-8") as f:
        for line in sorted(f):
            if "distem" in line:
                say("mount", " ".join(line.split()[:4]))
    files("/var/lib/distem")


def files(state):
    for path in sorted(glob.glob(f"{state}/vnodes/*/*")):
        text = ""
        if os.path.basename(path) in ("config", "hostname", "hosts"):
            with open(path, encoding="utf-8") as f:
                text = f.read()
        say("file", f"{path} {text!r}")


def processes():
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as f:
                line = f.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if "distem" in line and "crash" not in line and "distem-vnode worker" not in line:
            found.append(line)
    for line in sorted(found):
        say("process", line)


def marks(folder):
    for path in sorted(glob.glob(f"{folder}/marks/*")):
        with open(path, encoding="utf-8") as f:
            say("mark", f"{path} {f.read()!r}")


def limits():
    for name in ("ipv4", "ipv6"):
        say("limits", " ".join(run("sysctl", "-n", f"net.{name}.neigh.default.gc_thresh{i}").strip() for i in (1, 2, 3)))


def take(folder):
    status()
    devices()
    guests(folder)
    switch(folder)
    containers()
    processes()
    marks(folder)
    limits()


def take_pnode(folder, state):
    """What a platform consists of on one of several pnodes."""
    devices()
    guests(folder)
    switch(folder)
    files(state)
    marks(folder)


def take_rows(remote):
    """The platform in the Distem database, but for what is observed."""
    columns = {"Platform": "name,routing,next_id", "Vnetwork": "", "Vnode": "id,name,pnode,image,memory,forwards,routes", "Viface": "",
               "Route_Table": ""}
    for table, names in columns.items():
        text = run("ovsdb-client", "dump", "--format=json", remote, "Distem", table, *[n for n in names.split(",") if n])
        answer = json.loads(text)
        rows = [clean(dict(zip(answer["headings"], row)), {"_uuid"}) for row in answer["data"]]
        for row in sorted(json.dumps(row, sort_keys=True) for row in rows):
            say(f"row {table}", row)


def wait(*states):
    """Waits until the platform is in one of the states, for two minutes at most; asks by itself, as a process each time costs."""
    platform = {}
    for _ in range(240):
        try:
            with urllib.request.urlopen("http://127.0.0.1:4567/platform", timeout=30) as answer:
                platform = json.load(answer)
        except OSError as error:
            platform = {"state": str(error)}
        if platform["state"] in states:
            sys.exit(0)
        time.sleep(0.5)
    json.dump(platform, sys.stdout, indent=1)
    sys.exit(1)


{"topologies": topologies, "take": take, "take_pnode": take_pnode, "take_rows": take_rows, "wait": wait}[sys.argv[1]](*sys.argv[2:])
