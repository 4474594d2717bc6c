# SPDX-License-Identifier: Apache-2.0
"""Traffic that shows when a value changes, and what it shows.

    playback_traffic.py receive PORT SECONDS FILE
    playback_traffic.py send ADDRESS PORT SIZE PERIOD_US SECONDS
    playback_traffic.py judge KIND FILE START_NS LENGTH_MS TIME_MS=VALUE...

Sender and receiver are in the same machine. FILE has a line per datagram: when it was sent and when it came, in ns since 1970. What is
judged is at which moments of a looped trace a LATENCY (us, taken from datagrams by when they were sent) or a SPACING (us between
those that wait for a bandwidth, by when they came; 0: none passes) changed, as far as this can be told: an interval each.
"""
import socket
import sys
import time


def receive(port, seconds, path):
    inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inbox.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    inbox.bind(("", int(port)))
    inbox.settimeout(float(seconds))
    end = None
    lines = []
    while end is None or time.time() < end:
        try:
            data = inbox.recv(2048)
        except TimeoutError:
            break
        lines.append("%s %d\n" % (data[:20].decode(), time.time_ns()))
        end = end or time.time() + float(seconds)
    with open(path, "w", encoding="ascii") as file:
        file.writelines(lines)


def send(address, port, size, period_us, seconds):
    outbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outbox.connect((address, int(port)))
    rest = b" " * (int(size) - 42 - 20)
    period = int(period_us) * 1000
    due = time.time_ns()
    end = due + int(float(seconds) * 1e9)
    while due < end:
        now = time.time_ns()
        if now < due:
            time.sleep((due - now) / 1e9)
        try:
            outbox.send(b"%020d" % time.time_ns() + rest)
        except OSError:
            pass
        due += period


def main():
    {"receive": receive, "send": send}[sys.argv[1]](*sys.argv[2:])


main()
