# SPDX-License-Identifier: Apache-2.0
"""What is measured: each part of the evaluation is a generator of its table, the header first."""

import itertools
from collections import Counter

import applications
from pair import MS, S, bits, flow, pair, round_trips, stream, up, way

LATENCIES_US = (100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000)


def us(value):
    return f"{value}us"


def latency(reduced):
    """Round trips with a latency on n1's output, input, or both, and without any."""
    yield ("side", "asked_ns", "repeat", "rtt_ns")
    points = LATENCIES_US[::6] if reduced else LATENCIES_US
    repeats = 5 if reduced else 30
    up(pair())
    base = round_trips(30, 10 * MS)
    yield from [("none", 0, i, rtt) for i, (_, rtt) in enumerate(base)]
    for point in points:
        shaped = {"latency": us(point)}
        for side in ("output", "input", "both"):
            up(pair(n1_output=shaped if side != "input" else None, n1_input=shaped if side != "output" else None))
            asked = point * 1000 * (2 if side == "both" else 1)
            yield from [(side, asked, i, rtt) for i, (_, rtt) in enumerate(round_trips(repeats, 10 * MS))]


def window(reduced):
    """Round trips that start at other times between two clock ticks, of which Debian's kernel has one each 4 ms."""
    yield ("phase_ns", "rtt_ns")
    step = 50 if reduced else 5
    up(pair(n1_output={"latency": "10ms"}))
    yield from [(sent % (4 * MS), rtt) for sent, rtt in round_trips(4000 // step, 20 * MS + step * 1000)]


RATES = ("56kbit/s", "256kbit/s", "1Mbit/s", "5Mbit/s", "10Mbit/s", "50Mbit/s", "100Mbit/s", "200Mbit/s", "500Mbit/s", "1Gbit/s")


def bandwidth(reduced):
    """TCP through a bandwidth on the way from n1 to n2: see stream()."""
    yield ("side", "asked_bps", "mtu", "repeat", "goodput_bps")
    for rate in RATES[2:3] if reduced else RATES:
        mtu = 9000 if rate == "1Gbit/s" else 1500
        for side in ("output", "input"):
            up(pair(mtu=mtu, **way(side, {"bandwidth": rate})))
            for repeat in range(1 if reduced else 3):
                yield (side, bits(rate), mtu, repeat, round(stream(bits(rate))))


LOSSES = ("0.1%", "1%", "10%", "50%")


def run_lengths(lost):
    """How often so many frames in a row were lost: {length: times}, of a list of what happened to each."""
    runs = {}
    for is_lost, frames in itertools.groupby(lost):
        if is_lost:
            length = len(list(frames))
            runs[length] = runs.get(length, 0) + 1
    return runs


def loss(reduced):
    """How many of 20,000 frames are lost, and how many in a row."""
    yield ("side", "asked", "repeat", "sent", "run_length", "runs")
    for share in LOSSES[1:2] if reduced else LOSSES:
        for side in ("output", "input"):
            up(pair(**way(side, {"loss": share})))
            for repeat in range(1 if reduced else 3):
                arrived = {number for number, _, _ in flow(20000, 128, MS // 20)}
                runs = run_lengths([number not in arrived for number in range(20000)])
                yield from [(side, float(share[:-1]) / 100, repeat, 20000, length, runs[length]) for length in sorted(runs)]


def histogram(times_ns):
    """{time in us: frames}, in steps of 50 us, small enough for what is in milliseconds."""
    return sorted(Counter(round(time / 50000) * 50 for time in times_ns).items())


def one_way_base():
    """The one-way time between n1 and n2 when nothing is shaped, in ns: the median."""
    up(pair())
    times = sorted(arrived - sent for _, sent, arrived in flow(200, 128, MS))
    return times[len(times) // 2]


def jitter(reduced):
    """How the one-way times of 5,000 frames are distributed around 20 ms, with a jitter of 4 ms."""
    yield ("side", "distribution", "time_us", "frames")
    base = one_way_base()
    for distribution in ("normal",) if reduced else ("uniform", "normal", "pareto", "paretonormal"):
        for side in ("output", "input"):
            up(pair(**way(side, {"latency": "20ms", "jitter": "4ms", "distribution": distribution})))
            times = histogram(arrived - sent - base for _, sent, arrived in flow(5000, 128, MS))
            yield from [(side, distribution, time, frames) for time, frames in times]


def low_rate(_):
    """Frames of 128 bytes at 4096 bit/s: 104 and the 24 that Ethernet adds on the wire, so that one takes 250 ms."""
    yield ("side", "frame", "gap_ns")
    for side in ("output", "input"):
        up(pair(**way(side, {"bandwidth": "4096bit/s", "queue": "20packets"})))
        times = [arrived for _, _, arrived in flow(20, 104, 0)]
        yield from [(side, i, after - before) for i, (before, after) in enumerate(zip(times, times[1:]))]


def in_windows(times_ns, size_ns):
    """How many come in each of the windows of SIZE_NS that follow each other, but for two at the start, and the last."""
    inside = [time for time in times_ns if time - times_ns[0] >= 2 * size_ns]
    counts = [0] * ((inside[-1] - inside[0]) // size_ns + 1)
    for time in inside:
        counts[(time - inside[0]) // size_ns] += 1
    return counts[:-1]


def windows(reduced):
    """What passes in each 10 ms of full frames that come a fifth faster than the bandwidth."""
    yield ("side", "asked_bps", "window", "frames")
    for rate in ("10Mbit/s",) if reduced else ("1Mbit/s", "10Mbit/s", "100Mbit/s", "200Mbit/s"):
        count = max(bits(rate) // 8 // 1538, 400)
        interval = int(1538 * 8 * S / bits(rate) / 1.2)
        for side in ("output", "input"):
            up(pair(**way(side, {"bandwidth": rate, "queue": "30MiB"})))
            frames = in_windows([arrived for _, _, arrived in flow(count, 1514, interval)], 10 * MS)
            yield from [(side, bits(rate), i, passed) for i, passed in enumerate(frames)]


ASYMMETRIC = {"there": {"latency": "30ms", "bandwidth": "1Mbit/s"}, "back": {"latency": "10ms", "bandwidth": "8Mbit/s"}}


def asymmetric(_):
    """A link with other properties there than back: one-way times, and TCP one way and then the other."""
    yield ("direction", "what", "value")
    base = one_way_base()
    up(pair(n1_output=ASYMMETRIC["there"], n1_input=ASYMMETRIC["back"]))
    for direction, source, target in (("there", "n1", "n2"), ("back", "n2", "n1")):
        yield from [(direction, "time_ns", arrived - sent - base) for _, sent, arrived in flow(30, 128, 100 * MS, source, target)]
        yield (direction, "goodput_bps", round(stream(bits(ASYMMETRIC[direction]["bandwidth"]), source, target)))


COMBINED = {"latency": "50ms", "jitter": "5ms", "distribution": "normal", "loss": "2%", "duplication": "1%", "bandwidth": "10Mbit/s"}


def full_rate(times_ns):
    """Bits per second of full frames through a link that always has one waiting: without the first and the last tenth."""
    times = sorted(times_ns)[len(times_ns) // 10:-len(times_ns) // 10]
    return round((len(times) - 1) * 1538 * 8 * S / (times[-1] - times[0]))


def combined(reduced):
    """Everything on one link: a flow that leaves it half idle, for times, losses and duplicates, and one that fills it, for the rate."""
    yield ("side", "what", "of", "value")
    base = one_way_base()
    count = 3000 if reduced else 20000
    for side in ("output", "input"):
        up(pair(**way(side, dict(COMBINED, queue="1MiB"))))
        arrivals = flow(count, 1000, 1024 * 8 * S // 5000000)
        numbers = {number for number, _, _ in arrivals}
        yield from [(side, "sent", 0, count), (side, "lost", 0, count - len(numbers)), (side, "twice", 0, len(arrivals) - len(numbers))]
        yield from [(side, "time_us", time, frames) for time, frames in histogram(arrived - sent - base for _, sent, arrived in arrivals)]
        yield (side, "rate_bps", 0, full_rate([arrived for _, _, arrived in flow(5000, 1514, MS)]))


PARTS = {
    "latency": latency, "window": window, "bandwidth": bandwidth, "five-nodes": applications.five_nodes, "files": applications.files,
    "loss": loss, "jitter": jitter, "low-rate": low_rate, "windows": windows, "asymmetric": asymmetric, "combined": combined,
}
