# SPDX-License-Identifier: Apache-2.0
"""What is measured: each part of the evaluation is a function that returns the header and the rows of its table."""

from pair import MS, S, flow, goodput, pair, round_trips, up, way

LATENCIES_US = (100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000)


def us(value):
    return f"{value}us"


def latency(reduced):
    """Round trips with a latency on n1's output, input, or both, and without any."""
    points = LATENCIES_US[::4] if reduced else LATENCIES_US
    repeats, rows = (5 if reduced else 30), []
    up(pair())
    base = round_trips(30, 10 * MS)
    rows += [("none", 0, i, rtt) for i, (_, rtt) in enumerate(base)]
    for point in points:
        shaped = {"latency": us(point)}
        for side in ("output", "input", "both"):
            up(pair(n1_output=shaped if side != "input" else None, n1_input=shaped if side != "output" else None))
            asked = point * 1000 * (2 if side == "both" else 1)
            rows += [(side, asked, i, rtt) for i, (_, rtt) in enumerate(round_trips(repeats, 10 * MS))]
    return ("side", "asked_ns", "repeat", "rtt_ns"), rows


PARTS = {"latency": latency}
