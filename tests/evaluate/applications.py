# SPDX-License-Identifier: Apache-2.0
"""The parts that are about more than one link: the five nodes of the paper, and programs that copy files."""

import itertools
import json
import os
import random
import shutil
import subprocess

import theory
from pair import ADDRESSES, MS, S, bits, in_vnode, pair, round_trips, run, stream, up, without_shaping

FIGURE3 = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/figure3.json")


def addresses(vnode):
    """What `distem status` says: {vnetwork: address}."""
    status = json.loads(run("distem", "status", "--json", vnode))
    return {viface["vnetwork"]: viface["ipv4"].split("/")[0] for viface in status["vifaces"]}


def address_from(source, target, known):
    """Where SOURCE reaches TARGET: on a vnetwork that both are on, or else on the only one of TARGET."""
    common = [v for v in known[target] if v in known[source]] or list(known[target])
    return known[target][common[0]]


def five_nodes(reduced):
    """The table of the paper's five nodes (its figure 3): round trips of all pairs, with and without shaping, and TCP both ways."""
    yield ("what", "from", "to", "repeat", "value")
    with open(FIGURE3, encoding="utf-8") as file:
        topology = json.load(file)
    names = sorted(topology["vnodes"])
    for what in ("base_ns", "rtt_ns"):
        up(topology if what == "rtt_ns" else without_shaping(topology))
        known = {name: addresses(name) for name in names}
        for source, target in itertools.combinations(names, 2):
            trips = round_trips(5 if reduced else 30, 10 * MS, source, target, address_from(source, target, known))
            yield from [(what, source, target, i, rtt) for i, (_, rtt) in enumerate(trips)]
    for source, target in () if reduced else itertools.permutations(names, 2):
        rate = stream(int(theory.five_nodes_rate(source, target)), source, target, address_from(source, target, known))
        yield ("goodput_bps", source, target, 0, round(rate))


# What vnodes have in their root, in memory: each look at the real machine's disk costs the virtual machine's clock a moment, of a length by chance.
IMAGE = "/run/distem-evaluate"
PROGRAMS = ("/bin/bash", "/bin/mkdir", "/bin/rm", "/usr/bin/find", "/usr/bin/rsync", "/usr/bin/scp", "/usr/bin/ssh", "/usr/sbin/sshd",
            "/usr/lib/openssh/sftp-server")
TREE = "/srv/tree"
KEYS = "/etc/distem-keys"
COPY = "/srv/copy"
SSH = ("-F", "none", "-i", f"{KEYS}/user", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")
SSHD = f"""HostKey {KEYS}/host
AuthorizedKeysFile {KEYS}/user.pub
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PidFile none
Subsystem sftp /usr/lib/openssh/sftp-server
"""


def make_image():
    """A root with the programs that copy, their libraries, and two users."""
    libraries = set()
    for program in PROGRAMS:
        libraries.update(word for word in run("ldd", program).split() if word.startswith("/"))
    for file in (*PROGRAMS, *libraries):
        os.makedirs(IMAGE + os.path.dirname(file), exist_ok=True)
        shutil.copy(file, IMAGE + file)
    for folder in ("dev", "etc", "proc", "sys", "run/sshd", "tmp", "root", "srv", "var/empty"):
        os.makedirs(os.path.join(IMAGE, folder), mode=0o755, exist_ok=True)
    os.symlink("bash", f"{IMAGE}/bin/sh")
    with open(f"{IMAGE}/etc/passwd", "w", encoding="ascii") as file:
        file.write("root:x:0:0:root:/root:/bin/bash\nsshd:x:100:65534::/run/sshd:/bin/false\n")
    with open(f"{IMAGE}/etc/nsswitch.conf", "w", encoding="ascii") as file:
        file.write("passwd: files\ngroup: files\nhosts: files\n")


def make_tree():
    """115 files in 700 kB, in ten folders; always the same ones."""
    random_bytes = random.Random(115)
    sizes = [random_bytes.uniform(0.2, 1.8) for _ in range(115)]
    sizes = [int(size * 700000 / sum(sizes)) for size in sizes]
    for i, size in enumerate(sizes):
        folder = f"{IMAGE}{TREE}/d{i % 10}"
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"f{i}"), "wb") as file:
            file.write(random_bytes.randbytes(size))


def with_image(topology):
    for vnode in topology["vnodes"].values():
        vnode["image"] = IMAGE
    return topology


def start_sshd():
    """Makes n2 a machine that n1 can log in to."""
    os.makedirs(IMAGE + KEYS)
    for name in ("host", "user"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{IMAGE}{KEYS}/{name}")
    with open(f"{IMAGE}{KEYS}/sshd_config", "w", encoding="ascii") as file:
        file.write(SSHD)
    up(with_image(pair()))
    in_vnode("n2", "mkdir", "-p", "/run/sshd")
    # It becomes a daemon when it listens.
    in_vnode("n2", "/usr/sbin/sshd", "-f", f"{KEYS}/sshd_config")


def copy_tree(tool):
    """Copies the tree from n1 to n2; returns how long that took, in ns."""
    target = f"root@{ADDRESSES['n2']}:{COPY}"
    command = {"scp": ("scp", *SSH, "-q", "-r", TREE, target),
               "rsync": ("rsync", "-a", "-e", " ".join(("ssh", *SSH)), f"{TREE}/", target)}[tool]
    in_vnode("n2", "rm", "-rf", COPY)
    # The time is taken in the vnode, by bash.
    timed = subprocess.run(["distem", "exec", "n1", "--", "bash", "-c", 'TIMEFORMAT=%R; time "$@"', "-", *command],
                           capture_output=True, text=True)
    if timed.returncode != 0:
        raise SystemExit(f"{tool} failed: {timed.stderr}")
    count = len(in_vnode("n2", "find", COPY, "-type", "f").splitlines())
    if count != 115:
        raise SystemExit(f"{tool} copied {count} files of 115")
    return round(float(timed.stderr.split()[-1]) * S)


LATENCIES_MS = (0, 2, 10, 50, 100)
BANDWIDTHS = ("1Mbit/s", "10Mbit/s", "100Mbit/s")


def files(reduced):
    """A tree of 115 files copied by scp and by rsync, with latencies and bandwidths on both directions of n1."""
    yield ("tool", "latency_ns", "bandwidth_bps", "repeat", "duration_ns")
    make_image()
    make_tree()
    start_sshd()
    for tool in ("scp", "rsync"):
        copy_tree(tool)
    for latency, rate in [(10, "10Mbit/s")] if reduced else itertools.product(LATENCIES_MS, BANDWIDTHS):
        shaped = {"bandwidth": rate, **({"latency": f"{latency}ms"} if latency else {})}
        up(with_image(pair(n1_output=shaped, n1_input=shaped)))
        for tool in ("scp", "rsync"):
            yield from [(tool, latency * MS, bits(rate), repeat, copy_tree(tool)) for repeat in range(1 if reduced else 3)]
