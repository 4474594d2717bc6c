# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command line share: a stand-in for the daemon, running distem, and TAP."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

BUILD = os.environ.get("top_builddir", ".")
SOURCE = os.environ.get("top_srcdir", ".")
DISTEM = os.path.join(BUILD, "distem")
TIMEOUT = 60

# A shell has what it starts in the background ignore these, and that would be inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

cases = []


def case(function):
    """Marks a test."""
    cases.append(function)
    return function


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit code {self.code}\n--- output\n{self.out}\n--- errors\n{self.err}"


class Double:
    """The stand-in for the daemon; ends when its standard input does."""

    def __init__(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "tests/cli/double")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def read_log(self):
        self.log.seek(0)
        return self.log.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(TIMEOUT) == 0, self.read_log()
        self.log.close()


def environment(url, **extra):
    return {**os.environ, "LC_ALL": "C.UTF-8", "DISTEM_URL": url or "http://127.0.0.1:1", "TERM": "xterm", **extra}


def distem(*arguments, url=None, stdin="", **extra):
    """Runs distem without a terminal."""
    done = subprocess.run([DISTEM, *arguments], input=stdin, capture_output=True, text=True, timeout=TIMEOUT, env=environment(url, **extra))
    return Result(done.returncode, done.stdout, done.stderr)


def start(*arguments, url=None, **options):
    """Starts distem without waiting for it."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([DISTEM, *arguments], text=True, env=environment(url), **options)


class Terminal:
    """distem on a terminal of its own."""

    def __init__(self, *arguments, url=None, rows=24, columns=80, **extra):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(DISTEM, [DISTEM, *arguments], environment(url, **extra))
        self.resize(rows, columns)
        self.seen = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def write(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, text):
        """Reads until 'text' has come."""
        end = time.monotonic() + TIMEOUT
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} did not come, but {self.seen!r}"
            if not self._read(1):
                raise AssertionError(f"{text!r} did not come before the end, but {self.seen!r}")
        return self.seen

    def _read(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            self.seen += data.decode(errors="replace")
            return bool(data)
        return True

    def wait(self):
        """Reads until the end and returns the exit code."""
        while self._read(TIMEOUT):
            pass
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code


def run():
    """Runs all cases and reports them as TAP."""
    signal.alarm(300)
    print(f"1..{len(cases)}")
    for number, function in enumerate(cases, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}")
        except Exception:  # pylint: disable=broad-except
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        sys.stdout.flush()
