# SPDX-License-Identifier: Apache-2.0
"""A chain of network namespaces to measure in: n1 - a - b - n2, routed, with IPv4 and IPv6.

A namespace lives as long as a process that waits for the end of its input, so all is gone when the test ends, however it ends.
What a and b send is shaped: they stand for the pnode's side of two links.
"""

import subprocess

NAMES = ("n1", "a", "b", "n2")


class Chain:
    def __init__(self):
        self.holders = {}
        try:
            for name in NAMES:
                self.holders[name] = self.hold()
            for hop, (left, right) in enumerate(zip(NAMES, NAMES[1:])):
                self.connect(hop, left, right)
            self.add_routes()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def hold():
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        holder.stdout.readline()
        return holder

    def netns(self, name):
        return f"/proc/{self.holders[name].pid}/ns/net"

    def run(self, name, *argv, check=True):
        return subprocess.run(["nsenter", f"--net={self.netns(name)}", *argv], check=check, text=True, capture_output=True)

    def connect(self, hop, left, right):
        """Joins two neighbours: interface "right" of one, "left" of the other."""
        self.run(left, "ip", "link", "add", "name", "right", "type", "veth", "peer", "name", "left", "netns",
                 str(self.holders[right].pid))
        for end, (name, device) in enumerate(((left, "right"), (right, "left")), 1):
            self.run(name, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
            self.run(name, "ip", "link", "set", "lo", "up")
            # The shaper is to see the frames that a wire would.
            self.run(name, "ethtool", "-K", device, "tso", "off", "gso", "off", "gro", "off")
            self.run(name, "ip", "address", "add", f"10.{hop}.0.{end}/24", "dev", device)
            self.run(name, "ip", "address", "add", f"fd00:{hop}::{end}/64", "dev", device, "nodad")
            self.run(name, "ip", "link", "set", device, "up")

    def add_routes(self):
        hops = len(NAMES) - 1
        for place, name in enumerate(NAMES):
            for hop in range(hops):
                if hop < place - 1:
                    self.route(name, hop, place - 1, 1)
                elif hop > place:
                    self.route(name, hop, place, 2)

    def route(self, name, to, over, end):
        self.run(name, "ip", "route", "add", f"10.{to}.0.0/24", "via", f"10.{over}.0.{end}")
        self.run(name, "ip", "route", "add", f"fd00:{to}::/64", "via", f"fd00:{over}::{end}")

    def address(self, name, family=4):
        hop, end = {"n1": (0, 1), "n2": (2, 2)}[name]
        return f"10.{hop}.0.{end}" if family == 4 else f"fd00:{hop}::{end}"

    def shape(self, there_rate=None, there=None, back=None):
        """Shapes n1 -> n2: 'there_rate' (TBF's words) on a, 'there' (netem's words) on b; n2 -> n1: 'back' on b. None: nothing."""
        for name, device, words in (("a", "right", there_rate and ["tbf", *there_rate.split()]),
                                    ("b", "right", there and ["netem", "limit", "100000", *there.split()]),
                                    ("b", "left", back and ["netem", "limit", "100000", *back.split()])):
            self.run(name, "tc", "qdisc", "del", "dev", device, "root", check=False)
            if words:
                self.run(name, "tc", "qdisc", "add", "dev", device, "root", *words)

    def lacks(self, *kind):
        """Says what is missing when the kernel has no such qdisc, else None."""
        done = self.run("a", "tc", "qdisc", "add", "dev", "lo", "root", *kind, check=False)
        if done.returncode:
            return f"this kernel has no {kind[0]}: " + " ".join(done.stderr.split())
        self.run("a", "tc", "qdisc", "del", "dev", "lo", "root")
        return None

    def close(self):
        for holder in self.holders.values():
            holder.stdin.close()
            holder.wait()
            holder.stdout.close()
