# SPDX-License-Identifier: Apache-2.0
"""The host's end of a port of the agent; guest/agent.c tells the protocol."""

import fcntl
import os
import socket
import struct

from host.errors import LabError

PORTS = 8
HEADER = struct.Struct("<cI")


class Gone(Exception):
    """The machine ended."""


class Channel:
    """A connection to one port: one command at a time."""

    def __init__(self, sock, lock):
        self.sock = sock
        self.lock = lock
        self.nonce = b""
        self.started = False
        self.data = bytearray()

    def fileno(self):
        return self.sock.fileno()

    def close(self):
        self.sock.close()
        self.lock.close()

    def request(self, argv, env, cwd, when="", size=""):
        self.nonce = os.urandom(16)
        self.started = False
        strings = [cwd, when, size, str(len(env))]
        strings += [f"{name}={value}" for name, value in env.items()] + list(argv)
        payload = b"".join(os.fsencode(s) + b"\0" for s in strings)
        if len(payload) > 2 << 20:
            raise LabError("the command is too long: its arguments and environment may have 2 MiB")
        self.send(b"R", self.nonce + payload)

    def send(self, kind, payload):
        try:
            self.sock.sendall(HEADER.pack(kind, len(payload)) + payload)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise Gone from e

    def receive(self):
        """What has come, as a list of (kind, payload); blocks if nothing has."""
        try:
            chunk = self.sock.recv(1 << 18)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            raise Gone
        self.data += chunk
        if not self.started:
            # Before the nonce there may be what an earlier client did not wait for.
            at = self.data.find(self.nonce)
            if at < 0:
                return []
            self.started = True
            del self.data[:at + len(self.nonce)]
        frames = []
        while len(self.data) >= HEADER.size:
            kind, length = HEADER.unpack_from(self.data)
            if len(self.data) < HEADER.size + length:
                break
            frames.append((kind, bytes(self.data[HEADER.size:HEADER.size + length])))
            del self.data[:HEADER.size + length]
        return frames


def connect(folder):
    """Connects to a free port of the machine whose files are in folder; None if it has no sockets."""
    # Through the descriptor, since the path of a socket may have 107 bytes only.
    try:
        fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        for port in range(PORTS):
            lock = open(os.path.join(folder, f"port{port}.lock"), "w", encoding="ascii")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.connect(f"/proc/self/fd/{fd}/port{port}")
                return Channel(sock, lock)
            except (FileNotFoundError, ConnectionRefusedError):
                sock.close()
                lock.close()
                return None
    finally:
        os.close(fd)
    raise LabError(f"{os.path.basename(folder)} runs {PORTS} commands already, which is the most it can")
