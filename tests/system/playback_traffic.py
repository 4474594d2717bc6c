# SPDX-License-Identifier: Apache-2.0
"""Traffic that shows when the values of a trace change.

    playback_traffic.py receive PORT SECONDS FILE
    playback_traffic.py send ADDRESS PORT SIZE PERIOD_US SECONDS
    playback_traffic.py latency FILE START_NS TRACE LEAST
    playback_traffic.py spacing FILE START_NS TRACE LEAST OFFSET_MS
    playback_traffic.py make SEED TRACE_FILE
    playback_traffic.py opportunities FILE START_NS TRACE_FILE LEAST OFFSET_MS

Sender and receiver are on the same machine. FILE has a line per datagram: when it was sent and when it came, in ns since 1970. TRACE is
looped, "0=1 500=11 2000" for example: times and values in ms, and its length; START_NS is when it started. The latency of each
datagram, or the time between two that wait for a bandwidth (0: none passes) and take OFFSET_MS from there to the receiver, must be
what the trace says, and change within 1 ms of when it says so. At least LEAST changes must have been seen.

TRACE_FILE is one of Mahimahi's, with a silence at its start. In each whole round the k-th datagram must have passed within 1 ms of the
k-th moment when datagrams of one opportunity each always wait; at least LEAST rounds must have been seen.
"""
import bisect
import random
import socket
import struct
import sys
import time

SO_TIMESTAMPNS = 35
SPARE = 0.15  # ms, of a value.
STRAYS = 0.01  # The share of datagrams that may come otherwise: there is one processor for everything.


def receive(port, seconds, path):
    inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inbox.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    inbox.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    inbox.bind(("", int(port)))
    inbox.settimeout(20)  # Until the first one.
    lines = []
    while True:
        try:
            data, [(_, _, stamp)], _, _ = inbox.recvmsg(2048, 128)
        except TimeoutError:
            break
        inbox.settimeout(float(seconds))
        whole, part = struct.unpack("qq", stamp)
        lines.append("%s %d\n" % (data[:20].decode(), whole * 10**9 + part))
    with open(path, "w", encoding="ascii") as file:
        file.writelines(lines)


def send(address, port, size, period_us, seconds):
    outbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    rest = b" " * (int(size) - 42 - 20)
    due = time.time_ns()
    end = due + int(float(seconds) * 1e9)
    while due < end:
        now = time.time_ns()
        if now < due:
            time.sleep((due - now) / 1e9)
        outbox.sendto(b"%020d" % time.time_ns() + rest, (address, int(port)))
        due += int(period_us) * 1000


def read(path, start):
    with open(path, encoding="ascii") as file:
        return [tuple((int(word) - int(start)) / 1e6 for word in line.split()) for line in file]


class Trace:
    def __init__(self, text):
        *steps, length = text.split()
        self.steps = [tuple(map(float, step.split("="))) for step in steps]
        self.length = float(length)

    def at(self, moment):
        """What holds, since when, until when, and what held before."""
        turn = moment // self.length * self.length
        i = bisect.bisect([time for time, _ in self.steps], moment - turn) - 1
        time, value = self.steps[i]
        end = self.steps[i + 1][0] if i + 1 < len(self.steps) else self.length
        return value, turn + time, turn + end, self.steps[i - 1][1]

    def latency(self, sent):
        """No frame overtakes one that was sent before."""
        value, since, _, before = self.at(sent)
        return max(value, before - (sent - since))


def end(strays, count, edges, least):
    print("%d datagrams, %d of them strayed; %d changes seen, the earliest or latest at most %.3f ms off" %
          (count, len(strays), len(edges), max(edges, default=0)))
    print("\n".join(strays[:10]))
    sys.exit(len(strays) > STRAYS * count or len(edges) < least or max(edges) > 1)


def latency(path, start, trace, least):
    trace = Trace(trace)
    strays, edges, last = [], [], None
    rows = read(path, start)
    for sent, came in rows:
        may_be = [trace.latency(sent + shift) for shift in (-1, 0, 1)]
        if not min(may_be) <= came - sent <= max(may_be) + SPARE:
            strays.append("sent at %.3f: %.3f ms" % (sent, came - sent))
        # An edge lies between two values of the trace; where a frame waited for the processor instead, none is to be seen.
        settled = any(abs(came - sent - value) <= SPARE for _, value in trace.steps)
        if settled and last and came - sent > last[1] + 5:
            moment = trace.at(sent + 1)[1]
            edges.append(max(abs(last[0] - moment), abs(sent - moment)))
        last = (sent, came - sent) if settled else None
    end(strays, len(rows), edges, int(least))


def spacing(path, start, trace, least, offset):
    trace, offset = Trace(trace), float(offset)
    strays, edges, last = [], [], None
    rows = [came - offset for _, came in read(path, start)]
    for begun, following in zip(rows, rows[1:]):
        passed = following - begun
        values = [trace.at(begun + shift)[0] for shift in (-1, 0, 1)]
        fits = any(abs(passed - value) <= SPARE / 10 for value in values)
        if passed > 20:  # A pause. Before a latency frames take their own time, too: one that had begun ends.
            # When the last one begins is known as exactly as one follows the other.
            _, since, until, before = trace.at(begun + 2)
            edges.append(max(begun - since - (before if offset else 0), since - begun - before, 0))
            edges.append(abs(following - until - (trace.at(until)[0] if offset else 0)))
        elif not fits and 0 not in values:  # Just after a pause some may pass at once.
            strays.append("begun at %.3f: %.3f ms" % (begun, passed))
        elif fits and last and 0 not in values and abs(passed - last[1]) > SPARE:
            _, since, until, _ = trace.at(begun)
            moment = since if begun - since < until - begun else until
            edges.append(max(abs(last[0] - moment), abs(begun - moment)))
        last = (begun, passed) if fits else None
    end(strays, len(rows), edges, int(least))


def make(seed, path):
    """A trace of what mobile links do: rates from 1 to 40 Mbit/s with jitter, bursts, and silences."""
    rng = random.Random(int(seed))
    moments, at = [], 60
    for _ in range(12):
        gap = 12 / rng.choice((1, 3, 5, 10, 20, 40))
        for _ in range(int(rng.uniform(10, 50) / gap) + 1):
            at += gap * rng.uniform(0.5, 1.5)
            moments.append(int(at) + 1)
        what = rng.randrange(4)
        if what == 0:
            at += rng.uniform(1, 60)
        elif what == 1:
            moments += [int(at) + 1] * rng.randrange(2, 5)
        at = max(at, moments[-1])
    with open(path, "w", encoding="ascii") as file:
        file.writelines("%d\n" % moment for moment in moments)


def opportunities(path, start, trace, least, offset):
    with open(trace, encoding="ascii") as file:
        moments = [int(line) for line in file]
    length, silence = moments[-1], moments[0] / 2
    rows = [came - float(offset) for _, came in read(path, start)]
    strays, errors, rounds = [], [], 0
    begin = (rows[0] // length + 1) * length
    while begin + length + silence < rows[-1]:
        passed = [row - begin for row in rows if begin + silence <= row < begin + length + silence]
        if len(passed) != len(moments):
            strays.append("%d instead of %d passed in the round from %.3f on" % (len(passed), len(moments), begin))
        off = [came - moment for came, moment in zip(passed, moments)]
        strays += ["%d of %d, at %.3f: %.3f ms" % (k, len(moments), moments[k], error) for k, error in enumerate(off) if abs(error) > 1]
        errors += off
        rounds += 1
        begin += length
    print("%d rounds of %d opportunities, used from %.3f to %.3f ms after them; %d strayed" %
          (rounds, len(moments), min(errors), max(errors), len(strays)))
    print("\n".join(strays[:10]))
    sys.exit(rounds < int(least) or bool(strays))


{"receive": receive, "send": send, "latency": latency, "spacing": spacing,
 "make": make, "opportunities": opportunities}[sys.argv[1]](*sys.argv[2:])
