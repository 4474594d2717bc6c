# SPDX-License-Identifier: Apache-2.0
"""One lab machine: its qemu process and the files that belong to it."""

import ctypes
import os
import shutil
import signal
import subprocess
import time

from host import channel
from host.errors import LabError
from host.prepare import find_program

# The date of exact time: the same at each boot, so that runs repeat.
EXACT_DATE = "2026-01-01T00:00:00"
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


def escape(path):
    """In qemu's options a comma is written twice."""
    return path.replace(",", ",,")


def hidden_folders():
    """Folders that programs in the machine expect to use, and that this user may not look into."""
    candidates = ["/root"]
    for parent in ("/etc", "/var/cache", "/var/lib", "/var/log", "/var/spool"):
        candidates += [os.path.join(parent, n) for n in sorted(os.listdir(parent))]
    return [d for d in candidates if os.path.isdir(d) and not os.path.islink(d)
            and "\n" not in d and not os.access(d, os.R_OK | os.X_OK)]


class Machine:
    """Machine number index of a lab; setup is the lab's, as lab.Setup describes it."""

    def __init__(self, folder, setup, index):
        self.index = index
        self.name = f"m{index}" if setup["machines"] > 1 or setup["kept"] else "lab"
        self.folder = os.path.join(folder, self.name)
        self.setup = setup
        self.process = None

    def cards(self):
        """The MAC addresses of its network cards lab0 and lab1."""
        return [f"52:54:00:00:{card:02x}:{self.index:02x}" for card in range(2)]

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- starting ----

    def arguments(self):
        s = self.setup
        exact = s["exact"]
        kernel = ["panic=-1", "console=ttyS0", "quiet", "mitigations=off", "nokaslr", "apparmor=0",
                  "random.trust_cpu=on", "cryptomgr.notests"]
        if exact:
            # Measuring the processor's own timer would take two seconds of real time: port accesses
            # are slow when instructions are counted.
            # And while the machine waits for the host, say for a file, the clock leaps to the next
            # timer: the periodic tick keeps such leaps so short that nothing times out for them.
            kernel += ["norandmaps", "nolapic_timer", "nohz=off"]
        else:
            # On a busy host the timer's ticks may come too late for the kernel's look whether it ticks
            # at all, and the kernel panics.
            kernel += ["no_timer_check"]
        args = [
            find_program("qemu-system-x86_64"), "-name", f"distem-lab-{s['id']}-{self.name}",
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
            "-machine", "pc", "-cpu", "qemu64,+rdrand", "-m", str(s["memory"]),
            "-kernel", os.path.join(s["boot"], "kernel/vmlinux"),
            "-initrd", os.path.join(s["boot"], "initramfs"),
            "-append", " ".join(kernel + [s["append"]]).strip(),
            "-chardev", "file,id=console,path=console.log,append=on", "-serial", "chardev:console",
            # Handled in the virtual processor's own thread: no switch to another, and in exact time
            # no dependence on when that other is scheduled.
            "-device", "virtio-serial-pci,max_ports=31,ioeventfd=off",
        ]
        if exact:
            args += ["-accel", "tcg,thread=single", "-smp", "1", "-seed", "1",
                     "-icount", f"shift={s['shift']},sleep=off",
                     "-rtc", f"base={s['date']},clock=vm"]
        else:
            args += ["-accel", "tcg,thread=multi", "-smp", "2", "-rtc", "base=utc"]
        for port in range(channel.PORTS):
            # Port 0 is reserved for the kernel's own console.
            args += ["-chardev", f"socket,id=port{port},path=port{port},server=on,wait=off",
                     "-device", f"virtserialport,nr={port + 1},chardev=port{port},name=lab.{port}"]
        shares = [("root", "/", True), ("lab", self.path("conf"), True),
                  ("modules", os.path.join(s["boot"], "kernel/modules"), True)]
        shares += [(f"share{i}", d[0], False) for i, d in enumerate(s["shares"])]
        for tag, path, readonly in shares:
            args += ["-fsdev", f"local,id={tag},path={escape(os.path.realpath(path))},multidevs=remap,"
                     f"security_model=none{',readonly=on' if readonly else ''}",
                     "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag},ioeventfd=off"]
        for card, (group, mac) in enumerate(zip(s["mcast"], self.cards())):
            args += ["-netdev", f"socket,id=net{card},mcast={group},localaddr=127.0.0.1", "-device",
                     f"virtio-net-pci,netdev=net{card},romfile=,mac={mac}"]
        return args

    def boot(self, dies_with_us):
        os.makedirs(self.path("conf"), exist_ok=True)
        s = self.setup
        with open(self.path("conf/machine"), "w", encoding="ascii") as f:
            f.write(f"{self.name} {channel.PORTS} {self.index} {s['machines']} {s['mtu']}\n")
        with open(self.path("conf/cards"), "w", encoding="ascii") as f:
            f.write(" ".join(self.cards()) + "\n")
        with open(self.path("conf/shares"), "w", encoding="utf-8", errors="surrogateescape") as f:
            f.writelines(f"share{i} {d[1]}\n" for i, d in enumerate(s["shares"]))
        with open(self.path("conf/hidden"), "w", encoding="utf-8", errors="surrogateescape") as f:
            f.writelines(f"{d}\n" for d in hidden_folders())
        # What the console said in an earlier boot is not about this one.
        open(self.path("console.log"), "w", encoding="ascii").close()

        def child():
            # The machine of a lab that is killed must not stay.
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        with open(self.path("qemu.log"), "w", encoding="ascii") as log:
            self.process = subprocess.Popen(
                self.arguments(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=child if dies_with_us else None)
        with open(self.path("pid"), "w", encoding="ascii") as f:
            f.write(f"{self.process.pid}\n")

    def connect(self, deadline):
        """A channel to the machine's agent, as soon as qemu has opened its sockets."""
        while True:
            found = channel.connect(self.folder)
            if found:
                return found
            if not self.is_running():
                raise self.died()
            if time.monotonic() > deadline:
                raise self.silent()
            time.sleep(0.02)

    # ---- its process ----

    def pid(self):
        """The process id of the machine's qemu, or None: a reused number is not taken for it."""
        try:
            with open(self.path("pid"), encoding="ascii") as f:
                pid = int(f.read())
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if f"distem-lab-{self.setup['id']}-{self.name}".encode() in words else None

    def is_running(self):
        if self.process:
            return self.process.poll() is None
        return self.pid() is not None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        else:
            pid = self.pid()
            if pid:
                os.kill(pid, signal.SIGKILL)
                while self.pid():
                    time.sleep(0.01)
        for port in range(channel.PORTS):
            try:
                os.unlink(self.path(f"port{port}"))
            except FileNotFoundError:
                pass

    # ---- what went wrong ----

    def console(self):
        """What the machine's console and qemu said last."""
        lines = []
        for name in ("console.log", "qemu.log"):
            try:
                with open(self.path(name), errors="replace", encoding="utf-8") as f:
                    lines += [line.rstrip() for line in f.read().splitlines() if line.strip()][-30:]
            except OSError:
                pass
        return "".join(f"\n  {self.name} console: {line}" for line in lines) or \
            f"\n  ({self.name} said nothing on its console)"

    def died(self, when="before it was up"):
        return LabError(f"the machine {self.name} ended {when}; its last words:{self.console()}")

    def silent(self):
        return LabError(f"the machine {self.name} was not up in time (DISTEM_LAB_BOOT_TIMEOUT sets how "
                        f"many seconds it may take); its last words:{self.console()}")

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)
