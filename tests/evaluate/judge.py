#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what was measured against what is asked for: each part has a function from its table's rows to results.

usage: judge.py FOLDER PART     prints what the table in FOLDER says, and fails if a mean is not accepted
"""

import csv
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean, median, pstdev

import theory
from stats import binomial_interval, mean_interval

MS = 10**6
S = 10**9
RTT_FLOOR_NS, RTT_SHARE = 20000, 0.002
ECHO_FRAME, FLOW_FRAME = 58, 128  # Bytes of the frames of an echo, and of a flow through the asymmetric link.


@dataclass
class Result:
    part: str
    what: str
    unit: str
    asked: float
    measured: float
    interval: float  # half of the 95 % confidence interval of the mean; 0 without repeats
    low: float       # accepted from
    high: float      # ... to
    worst: float     # the repeat that is farthest off

    @property
    def holds(self):
        """Whether the mean is accepted."""
        return self.low <= self.measured <= self.high

    @property
    def passes(self):
        """Whether every repeat is."""
        return self.holds and self.low <= self.worst <= self.high


def rows_of(folder, part):
    with open(os.path.join(folder, f"{part}.csv"), newline="", encoding="ascii") as file:
        return list(csv.DictReader(file))


def grouped(rows, keys, value):
    """{(the values of KEYS): [VALUE of each row, as a number]}, in the table's order."""
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(float(row[value]))
    return groups


def result(part, what, unit, asked, values, tolerance, scale=1):
    """One Result of VALUES that may be TOLERANCE off; every one of them has to be, not only their mean."""
    mean, interval = mean_interval(values)
    worst = max(values, key=lambda v: abs(v - asked))
    return Result(part, what, unit, asked / scale, mean / scale, interval / scale, (asked - tolerance) / scale,
                  (asked + tolerance) / scale, worst / scale)


def rtt_tolerance(asked):
    return max(RTT_FLOOR_NS, RTT_SHARE * asked)


def latency(rows):
    groups = grouped(rows, ("side", "asked_ns"), "rtt_ns")
    base = median(groups.pop(("none", "0")))
    for (side, asked), values in groups.items():
        asked = float(asked)
        label = f"{asked / 2 / MS:g} ms each way" if side == "both" else f"{asked / MS:g} ms {side}"
        yield result("latency", label, "ms", asked, [v - base for v in values], rtt_tolerance(asked), MS)


def window(rows):
    values = [float(row["rtt_ns"]) for row in rows]
    middle = median(values)
    within = sum(abs(v - middle) <= RTT_FLOOR_NS for v in values)
    yield result("window", f"{len(values)} starts in 4 ms, {within} of them within 20 µs of their median", "ms", middle, values, RTT_FLOOR_NS, MS)


def bandwidth(rows):
    for (side, asked, mtu), values in grouped(rows, ("side", "asked_bps", "mtu"), "goodput_bps").items():
        expected = theory.goodput(float(asked), int(mtu))
        yield result("bandwidth", f"{theory.rate_text(float(asked))} {side}, MTU {mtu}", "kbit/s", expected, values, 0.01 * expected, 1000)


def five_nodes(rows):
    groups = grouped(rows, ("what", "from", "to"), "value")
    for (what, source, target), values in groups.items():
        if what == "rtt_ns":
            base, asked = median(groups["base_ns", source, target]), theory.five_nodes_rtt_ns(source, target, ECHO_FRAME)
            yield result("five-nodes", f"{source} - {target}, RTT", "ms", asked, [v - base for v in values], rtt_tolerance(asked), MS)
    for (what, source, target), values in groups.items():
        if what == "goodput_bps":
            expected = theory.goodput(theory.five_nodes_rate(source, target), 1500)
            yield result("five-nodes", f"{source} → {target}, goodput", "kbit/s", expected, values, 0.01 * expected, 1000)


def loss_counts(rows):
    """{(side, share): [(sent, lost) of each repeat]}"""
    counts = defaultdict(lambda: defaultdict(int))
    sent = {}
    for row in rows:
        key = (row["side"], float(row["asked"]))
        counts[key][row["repeat"]] += int(row["run_length"]) * int(row["runs"])
        sent[key] = int(row["sent"])
    return {key: [(sent[key], lost) for lost in repeats.values()] for key, repeats in counts.items()}


def loss(rows):
    """The first of the repeats is judged, as asked for, and all of them together."""
    for (side, share), repeats in loss_counts(rows).items():
        pools = [("", repeats[:1])] + ([(f", all {len(repeats)} runs", repeats)] if len(repeats) > 1 else [])
        for label, pool in pools:
            sent, lost = sum(s for s, _ in pool), sum(l for _, l in pool)
            low, high = binomial_interval(sent, share)
            yield Result("loss", f"{100 * share:g} % of {sent}, {side}{label}", "lost", share * sent, lost, 0, low, high, lost)


def spread_out(rows, value, count):
    """The values of a histogram's ROWS, each as often as it was there, in ms."""
    return [float(row[value]) / 1000 for row in rows for _ in range(int(row[count]))]


def moments(part, label, times, mean, deviation):
    """Mean and deviation of TIMES, 5 % of each accepted."""
    interval = mean_interval(times)[1]
    yield Result(part, f"{label}, mean", "ms", mean, fmean(times), interval, 0.95 * mean, 1.05 * mean, fmean(times))
    measured = pstdev(times)
    yield Result(part, f"{label}, deviation", "ms", deviation, measured, 0, 0.95 * deviation, 1.05 * deviation, measured)


def jitter_times(rows):
    """{(side, distribution): one-way times in ms}"""
    groups = defaultdict(list)
    for row in rows:
        groups[row["side"], row["distribution"]].append(row)
    return {key: spread_out(group, "time_us", "frames") for key, group in groups.items()}


def jitter(rows):
    for (side, distribution), times in jitter_times(rows).items():
        yield from moments("jitter", f"{distribution}, {side}", times, theory.JITTER_MEAN_MS, theory.jitter_deviation(distribution))


def low_rate(rows):
    for (side,), values in grouped(rows, ("side",), "gap_ns").items():
        yield result("low-rate", f"128-byte frames at 4096 bit/s, {side}", "ms", 250 * MS, values, rtt_tolerance(250 * MS), MS)


def windows(rows):
    """A window may hold a frame more or less, as it has no whole number of them."""
    frame = theory.FULL_FRAME_BITS * 100
    for (side, asked), frames in grouped(rows, ("side", "asked_bps"), "frames").items():
        rate = float(asked)
        tolerance = 0.01 * rate + frame / len(frames)
        mean = fmean(frames) * frame
        yield Result("windows", f"{theory.rate_text(rate)} {side}, all windows together", "kbit/s", rate / 1000, mean / 1000, 0,
                     (rate - tolerance) / 1000, (rate + tolerance) / 1000, mean / 1000)
        yield result("windows", f"{theory.rate_text(rate)} {side}, each of {len(frames)} windows", "kbit/s", rate,
                     [n * frame for n in frames], 0.01 * rate + frame, 1000)


def asymmetric(rows):
    groups = grouped(rows, ("direction", "what"), "value")
    for direction, (latency_ms, rate) in theory.ASYMMETRIC.items():
        asked = latency_ms * MS + theory.own_time_ns(rate, FLOW_FRAME)
        yield result("asymmetric", f"{direction}, one-way time", "ms", asked, groups[direction, "time_ns"], rtt_tolerance(asked), MS)
        expected = theory.goodput(rate, 1500)
        yield result("asymmetric", f"{direction}, goodput", "kbit/s", expected, groups[direction, "goodput_bps"], 0.01 * expected, 1000)


def combined(rows):
    for side in ("output", "input"):
        mine = [row for row in rows if row["side"] == side]
        one = {row["what"]: float(row["value"]) for row in mine}
        times = spread_out([row for row in mine if row["what"] == "time_us"], "of", "value")
        yield from moments("combined", f"one-way time, {side}", times, theory.COMBINED_MEAN_MS, theory.COMBINED_DEVIATION_MS)
        sent = int(one["sent"])
        for what, share in (("lost", theory.COMBINED_ABSENT), ("twice", theory.COMBINED_TWICE)):
            low, high = binomial_interval(sent, share)
            yield Result("combined", f"{what} of {sent}, {side}", "frames", share * sent, one[what], 0, low, high, one[what])
        rate = theory.COMBINED_RATE
        yield result("combined", f"rate when full, {side}", "kbit/s", rate, [one["rate_bps"]], 0.01 * rate, 1000)


JUDGES = {"latency": latency, "window": window, "bandwidth": bandwidth, "five-nodes": five_nodes, "loss": loss, "jitter": jitter,
          "low-rate": low_rate, "windows": windows, "asymmetric": asymmetric, "combined": combined}


def judge(folder, parts=tuple(JUDGES)):
    """All Results of those PARTS that have a table in FOLDER."""
    return [r for part in parts if os.path.exists(os.path.join(folder, f"{part}.csv")) for r in JUDGES[part](rows_of(folder, part))]


def main():
    results = judge(sys.argv[1], sys.argv[2:3])
    for r in results:
        print(f"{r.what}: {r.measured:.6g} {r.unit} (worst {r.worst:.6g}) of {r.asked:.6g}, accepted {r.low:.6g} to {r.high:.6g}: "
              f"{'ok' if r.passes else 'not each of them' if r.holds else 'NOT OK'}")
    sys.exit(not results or not all(r.holds for r in results))


if __name__ == "__main__":
    main()
