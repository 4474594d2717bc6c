# SPDX-License-Identifier: Apache-2.0
"""The platforms that are measured, made and used with the product's own commands: distem up, distem exec."""

import copy
import json
import subprocess
import tempfile

# Copied to where every vnode sees it, see experiment.py.
MEASURE = "/usr/local/bin/distem-measure"
MS = 10**6
S = 10**9
UNITS = {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}


def bits(rate):
    """Bits per second of a RATE as topologies have it."""
    unit = rate.lstrip("0123456789")
    return int(rate[:-len(unit)]) * UNITS[unit]


def run(*command, text=None):
    """Runs COMMAND and returns what it prints; its failure ends the evaluation, with what it says."""
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return done.stdout


def up(topology):
    """Makes the platform what TOPOLOGY says, as `distem up` does."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(topology, file)
        file.flush()
        run("distem", "up", file.name)


def in_vnode(vnode, *command):
    return run("distem", "exec", vnode, "--", *command)


def without_shaping(topology):
    """A copy of TOPOLOGY in which nothing is emulated."""
    bare = copy.deepcopy(topology)
    for vnode in bare["vnodes"].values():
        for viface in vnode["vifaces"].values():
            for direction in ("input", "output", "both"):
                viface.pop(direction, None)
    return bare


class Started:
    """A measuring program in a vnode that others of them talk to; with `with`, it is reached inside and ends after it."""

    def __init__(self, vnode, *arguments):
        self.process = subprocess.Popen(["distem", "exec", vnode, "--", MEASURE, *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit(f"a measuring program did not start: {self.process.communicate()[1]}")
        return self

    def output(self):
        """What it printed until it ended by itself."""
        out, problems = self.process.communicate()
        if self.process.returncode != 0:
            raise SystemExit(f"a measuring program failed: {problems}")
        return out

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate()


ADDRESSES = {"n1": "10.0.0.1", "n2": "10.0.0.2"}


def pair(n1_output=None, n1_input=None, n2_output=None, n2_input=None, mtu=1500):
    """A topology of two vnodes on one vnetwork."""
    def vnode(name, output, given):
        return {"vifaces": {"if0": {"vnetwork": "net", "ipv4": ADDRESSES[name], "output": output or {}, "input": given or {}}}}
    return {"distem": 2, "name": "pair", "vnetworks": {"net": {"ipv4": "10.0.0.0/24", "mtu": mtu}},
            "vnodes": {"n1": vnode("n1", n1_output, n1_input), "n2": vnode("n2", n2_output, n2_input)}}


def way(side, impairment):
    """What to give to pair() for IMPAIRMENT to be on the way from n1 to n2, by n1's output or by n2's input."""
    return {"output": {"n1_output": impairment}, "input": {"n2_input": impairment}}[side]


def numbers(text):
    return [tuple(map(int, line.split())) for line in text.splitlines()]


def round_trips(count, interval_ns, source="n1", target="n2", address=None):
    """[(when sent, round-trip time or -1)] in ns."""
    with Started(target, "echo", 4000):
        return numbers(in_vnode(source, MEASURE, "rtt", address or ADDRESSES[target], "4000", str(count), str(interval_ns)))


def flow(count, size, interval_ns, source="n1", target="n2", quiet_ns=2 * S):
    """[(number, when sent, when it arrived)] in ns of COUNT frames of SIZE bytes, one each INTERVAL_NS (0: all at once)."""
    with Started(target, "take", 4001, count, quiet_ns) as taker:
        in_vnode(source, MEASURE, "send", ADDRESSES[target], "4001", str(count), str(size), str(interval_ns))
        return numbers(taker.output())


def stream(rate_bps, source="n1", target="n2", address=None):
    """Payload bit/s of TCP through a bandwidth of RATE_BPS: of a hundred million bits, but 1 s at least and 100 s at most, 300 s below 100 kbit/s."""
    window = min(max(10**8 * S // rate_bps, S), (100 if rate_bps >= 100000 else 300) * S)
    return goodput(max(window // 4, S), window, source, target, address)


def goodput(warm_up_ns, window_ns, source="n1", target="n2", address=None):
    """Payload bit/s of TCP from SOURCE to TARGET."""
    with Started(target, "sink", 4002, warm_up_ns, window_ns) as sink:
        with subprocess.Popen(["distem", "exec", source, "--", MEASURE, "flood", address or ADDRESSES[target], "4002"]) as flooder:
            (received, duration), = numbers(sink.output())
            flooder.wait()
    return received * 8 * S / duration
