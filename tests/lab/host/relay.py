# SPDX-License-Identifier: Apache-2.0
"""Runs commands on machines and passes on what they write, as it comes."""

import contextlib
import fcntl
import os
import select
import selectors
import signal
import struct
import termios
import time
import tty

from host.channel import Gone
from host.errors import EXIT_TIMEOUT, LabError

STREAMS = {b"O": 1, b"E": 2}


def write_all(fd, data):
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view):]
        except BlockingIOError:
            select.select([], [fd], [])


class Output:
    """Where one machine's output goes; with a prefix, whole lines at a time."""

    def __init__(self, prefix=""):
        self.prefix = prefix.encode()
        self.rest = {1: b"", 2: b""}

    def write(self, fd, data):
        if self.prefix:
            *lines, self.rest[fd] = (self.rest[fd] + data).split(b"\n")
            data = b"".join(self.prefix + line + b"\n" for line in lines)
        write_all(fd, data)

    def flush(self):
        for fd, rest in self.rest.items():
            if rest:
                write_all(fd, self.prefix + rest + b"\n")
                self.rest[fd] = b""


class Job:
    """A command that runs on a machine."""

    def __init__(self, machine, channel, output):
        self.machine = machine
        self.channel = channel
        self.output = output
        self.code = None

    def step(self):
        try:
            frames = self.channel.receive()
        except Gone:
            self.output.flush()
            raise self.machine.died("before the command ended" if self.channel.started
                                    else "before it was up") from None
        for kind, payload in frames:
            if kind in STREAMS:
                self.output.write(STREAMS[kind], payload)
            elif kind == b"X":
                self.output.flush()
                self.code = struct.unpack("<I", payload)[0]


def start_job(lab, machine, argv, options, deadline, prefix="", size=""):
    """Asks for the command as soon as the machine can be asked."""
    channel = machine.connect(deadline)
    env = lab.environment(machine)
    env.update(options.get("env", {}))
    try:
        channel.request(argv, env, lab.working_folder(options.get("cwd")),
                        options.get("when", ""), size)
    except Gone:
        channel.close()
        raise machine.died() from None
    return Job(machine, channel, Output(prefix))


def wait(jobs, boot_deadline, seconds):
    """Until all jobs have ended. seconds: what they may take, or 0 for any time."""
    end = time.monotonic() + seconds if seconds else None
    with selectors.DefaultSelector() as selector:
        for job in jobs:
            selector.register(job.channel, selectors.EVENT_READ, job)
        running = set(jobs)
        try:
            while running:
                now = time.monotonic()
                late = [j for j in running if not j.channel.started]
                if end and now >= end:
                    names = ", ".join(sorted(j.machine.name for j in running))
                    raise LabError(f"the command had not ended on {names} after {seconds:g} seconds "
                                   "(--timeout) and was killed", EXIT_TIMEOUT)
                if late and now >= boot_deadline:
                    raise late[0].machine.silent()
                until = [t for t in (end, boot_deadline if late else None) if t]
                for key, _ in selector.select(max(0, min(until) - now) if until else None):
                    key.data.step()
                    if key.data.code is not None:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()
                        running.discard(key.data)
        finally:
            for job in running:
                job.output.flush()
                job.channel.close()
    return next((j.code for j in jobs if j.code), 0)


# ---- a terminal ----

def terminal_size():
    try:
        rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))
    except OSError:
        rows = columns = 0
    return f"{rows or 24} {columns or 80}"


@contextlib.contextmanager
def raw_terminal():
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def interact(job, boot_deadline):
    """Joins the caller's terminal to a job that was started with a terminal."""
    sizes, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.signal(signal.SIGWINCH, lambda *_: None)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    watched = [0, job.channel, sizes]
    try:
        with raw_terminal():
            while job.code is None:
                late = not job.channel.started
                ready, _, _ = select.select([job.channel] if late else watched, [], [],
                                            max(0, boot_deadline - time.monotonic()) if late else None)
                if not ready:
                    raise job.machine.silent()
                if job.channel in ready:
                    job.step()
                if 0 in ready:
                    data = os.read(0, 4096)
                    if not data:
                        watched.remove(0)
                    job.channel.send(b"I", data or b"\4")
                if sizes in ready:
                    os.read(sizes, 4096)
                    job.channel.send(b"W", terminal_size().encode())
    except Gone:
        raise job.machine.died("before the shell ended") from None
    finally:
        signal.set_wakeup_fd(-1)
        job.channel.close()
        os.close(sizes)
        os.close(tell)
    return job.code
