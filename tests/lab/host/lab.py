# SPDX-License-Identifier: Apache-2.0
"""A lab: one or more machines with the same setup, in one folder."""

import json
import os
import random
import shutil
import socket
import tempfile
import time

from host.errors import LabError
from host.machine import EXACT_DATE, Machine
from host.prepare import prepare

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
# Open vSwitch 3.1 counts the processors wrongly before this uptime, in seconds.
SETTLED = 12
# The uptime at which commands start in exact time, or the next multiple of it: booting takes more or
# less time there, since the clock runs on while the machine waits for the host.
EXACT_START = 20
# Folders that the machine has of its own: the host's are not seen there.
OWN_FOLDERS = ("/tmp", "/run", "/dev", "/proc", "/sys", "/lib/modules", "/usr/lib/modules")
MACHINES_MAX = 64


def inside(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def project_tree():
    """The topmost folder of the checkout, or of the unpacked source, that this script belongs to."""
    tree = top = os.path.dirname(os.path.dirname(HERE))
    while top != "/":
        # A repository around it that is not distem's, say of a home folder, is none of our business.
        if os.path.exists(os.path.join(top, ".git")) and \
                os.path.exists(os.path.join(top, "tests/lab/lab")):
            return top
        top = os.path.dirname(top)
    return tree


def parse_share(text):
    """DIR or DIR:MOUNTPOINT, as [DIR, MOUNTPOINT]."""
    source, _, mount = text.partition(":")
    source = os.path.abspath(source)
    mount = mount or source
    if not os.path.isdir(source):
        raise LabError(f"--share {text}: {source} is not a folder on this machine")
    if not mount.startswith("/") or os.path.normpath(mount) == "/":
        raise LabError(f"--share {text}: the mountpoint {mount} must be an absolute path other than /")
    mount = os.path.normpath(mount)
    if "\n" in mount or mount != mount.strip():
        raise LabError(f"--share {text}: a mountpoint may not hold a newline or end in a blank")
    if any(inside(mount, f) for f in ("/dev", "/proc", "/sys")):
        raise LabError(f"--share {text}: {mount} lies in a folder that the kernel fills")
    return [source, mount]


def number(name, default, least, most):
    text = os.environ.get(name, str(default))
    if not text.isdigit() or not least <= int(text) <= most:
        raise LabError(f"{name}={text}: expected a whole number from {least} to {most}")
    return int(text)


def start_time(exact, settle):
    """When a command is to start, as the agent reads it."""
    if not (exact if settle is None else settle):
        return ""
    return f"{EXACT_START} {EXACT_START}" if exact else f"{SETTLED} 0"


def pick_group():
    """A multicast group and port for a network between the machines, that no other lab uses."""
    for _ in range(100):
        port = random.randrange(20000, 32000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                # Fails if anyone is bound to the port, another lab's machines included.
                s.bind(("", port))
            except OSError:
                continue
        return f"230.0.0.{random.randrange(1, 255)}:{port}"
    raise LabError("no free UDP port was found for a network between the machines")


def make_setup(options, say, kept=False):
    """The setup of a new lab, as a dictionary that JSON can hold."""
    machines = options.machines
    if not 1 <= machines <= MACHINES_MAX:
        raise LabError(f"--machines {machines}: expected 1 to {MACHINES_MAX}")
    if options.exact and machines > 1:
        raise LabError("--exact is for one machine: in exact time each has a clock of its own, so that "
                       "several cannot talk in any sensible time")
    if options.memory < 256:
        raise LabError(f"--memory {options.memory}: a machine needs 256 MiB at least")
    if not 68 <= options.mtu <= 65535:
        raise LabError(f"--mtu {options.mtu}: expected 68 to 65535")
    env = {}
    for text in options.env:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise LabError(f"--env {text}: expected NAME=VALUE")
        env[name] = value

    tree = project_tree()
    shares = {tree: tree}
    if options.out:
        out = os.path.abspath(options.out)
        try:
            os.makedirs(out, exist_ok=True)
        except OSError as e:
            raise LabError(f"--out {options.out}: the folder cannot be made: {e.strerror}") from e
        shares[out] = out
        env["LAB_OUT"] = out
    for text in options.share:
        source, mount = parse_share(text)
        shares[mount] = source
    exact = bool(options.exact)
    return {
        "id": os.urandom(6).hex(),
        "kept": kept,
        "machines": machines,
        "exact": exact,
        "when": start_time(exact, options.settle),
        "shift": number("DISTEM_LAB_SHIFT", 0, 0, 10),
        "date": os.environ.get("DISTEM_LAB_DATE", EXACT_DATE),
        "memory": options.memory,
        "mtu": options.mtu,
        "mcast": [pick_group(), pick_group()] if machines > 1 else [],
        # A share below another is mounted after it.
        "shares": [[shares[m], m] for m in sorted(shares, key=lambda m: (m.count("/"), m))],
        "env": env,
        "append": os.environ.get("DISTEM_LAB_APPEND", ""),
        "boot_timeout": number("DISTEM_LAB_BOOT_TIMEOUT", 60 + 10 * machines, 1, 86400),
        "boot": prepare(say, newest=False),
    }


class Lab:
    def __init__(self, folder, setup, temporary=False):
        self.folder = folder
        self.setup = setup
        self.temporary = temporary
        self.machines = [Machine(folder, setup, k + 1) for k in range(setup["machines"])]

    @classmethod
    def make_temporary(cls, options, say):
        setup = make_setup(options, say)
        return cls(tempfile.mkdtemp(prefix="distem-lab."), setup, temporary=True)

    @classmethod
    def make_kept(cls, folder, options, say):
        folder = os.path.abspath(folder)
        if os.path.exists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
            raise LabError(f"{folder}: the folder of a new lab must be empty or not there yet")
        setup = make_setup(options, say, kept=True)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        lab = cls(folder, setup)
        with open(os.path.join(folder, "lab.json"), "w", encoding="utf-8") as f:
            json.dump(setup, f, indent=1)
        return lab

    @classmethod
    def open_kept(cls, folder):
        folder = os.path.abspath(folder)
        try:
            with open(os.path.join(folder, "lab.json"), encoding="utf-8") as f:
                return cls(folder, json.load(f))
        except (OSError, ValueError) as e:
            raise LabError(f"{folder} is not the folder of a lab that 'lab start' made: {e}") from e

    def machine(self, name):
        for m in self.machines:
            if m.name == name:
                return m
        names = ", ".join(m.name for m in self.machines)
        raise LabError(f"{self.folder} has no machine {name}; it has {names}")

    def boot_deadline(self):
        return time.monotonic() + self.setup["boot_timeout"]

    def environment(self, machine):
        env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash",
            "LANG": "C.UTF-8", "TERM": os.environ.get("TERM", "dumb"),
            "LAB_INDEX": str(machine.index), "LAB_MACHINES": str(self.setup["machines"]),
            "LAB_EXACT": "1" if self.setup["exact"] else "0",
        }
        env.update(self.setup["env"])
        return env

    def working_folder(self, asked):
        """The folder to run a command in: the caller's own, if the machine has it."""
        if asked:
            return asked
        here = os.path.realpath(os.getcwd())
        mounts = [m for _, m in self.setup["shares"]]
        if any(inside(here, m) for m in mounts) or not any(inside(here, f) for f in OWN_FOLDERS):
            return here
        return project_tree()

    def stop(self):
        for m in self.machines:
            m.kill()
        for m in self.machines:
            m.forget()
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        try:
            os.unlink(os.path.join(self.folder, "lab.json"))
            os.rmdir(self.folder)
        except OSError:
            pass  # something else lies there, which is not ours
