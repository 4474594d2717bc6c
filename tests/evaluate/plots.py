# SPDX-License-Identifier: Apache-2.0
"""Draws the evaluation's tables, each part as SVG and as PNG. Needs python3-matplotlib."""

import os
from collections import defaultdict
from statistics import NormalDist, median

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  The backend is chosen before.

import theory  # noqa: E402
from judge import MS, grouped, jitter_times, loss_counts, rows_of, rtt_tolerance, spread_out  # noqa: E402
from stats import binomial_interval, mean_interval  # noqa: E402

COLOURS = {"output": "#0072b2", "input": "#d55e00", "both": "#009e73"}
MARKERS = {"output": "o", "input": "s", "both": "^"}
ACCEPTED = {"color": "#999999", "alpha": 0.25, "linewidth": 0, "label": "accepted"}
plt.rcParams.update({"font.size": 9, "axes.grid": True, "grid.alpha": 0.3, "axes.spines.top": False, "axes.spines.right": False,
                     "legend.frameon": False, "svg.hashsalt": "distem", "figure.constrained_layout.use": True})


def save(figure, folder, name):
    figure.savefig(os.path.join(folder, f"{name}.svg"), metadata={"Date": None})
    figure.savefig(os.path.join(folder, f"{name}.png"), dpi=90, metadata={"Software": None})
    plt.close(figure)


def intervals(axes, points, side, label=None):
    """Means with their confidence intervals: POINTS are (x, values)."""
    means = [mean_interval(values) for _, values in points]
    axes.errorbar([x for x, _ in points], [m for m, _ in means], yerr=[i for _, i in means], color=COLOURS[side], marker=MARKERS[side],
                  markersize=4, linewidth=1, capsize=2, label=label or side)


def latency(folder):
    groups = grouped(rows_of(folder, "latency"), ("side", "asked_ns"), "rtt_ns")
    base = median(groups.pop(("none", "0")))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    for side in COLOURS:
        points = [(float(asked) / MS, [v - base for v in values]) for (s, asked), values in groups.items() if s == side]
        intervals(left, [(x, [v / MS for v in values]) for x, values in points], side)
        intervals(right, [(x, [(v - x * MS) / 1000 for v in values]) for x, values in points], side)
    ends = [min(float(a) for _, a in groups) / MS, max(float(a) for _, a in groups) / MS]
    left.plot(ends, ends, color="black", linewidth=0.6, label="asked")
    xs = [ends[0] * (ends[1] / ends[0]) ** (i / 200) for i in range(201)]
    bounds = [rtt_tolerance(x * MS) / 1000 for x in xs]
    right.fill_between(xs, [-b for b in bounds], bounds, **ACCEPTED)
    left.set(xscale="log", yscale="log", xlabel="RTT asked, ms", ylabel="RTT measured, ms")
    right.set(xscale="log", ylim=(-30, 30), xlabel="RTT asked, ms", ylabel="error, µs (mean, 95 % interval)")
    left.legend()
    right.legend(ncols=2)
    save(figure, folder, "latency")


def window(folder):
    rows = rows_of(folder, "window")
    rtts = [float(row["rtt_ns"]) for row in rows]
    middle = median(rtts)
    figure, axes = plt.subplots(figsize=(7, 3))
    axes.fill_between([0, 4], -20, 20, **ACCEPTED)
    axes.scatter([float(row["phase_ns"]) / MS for row in rows], [(v - middle) / 1000 for v in rtts], s=5, color=COLOURS["output"],
                 label=f"one of {len(rows)} round trips")
    axes.set(xlim=(0, 4), xlabel="when it started within a clock tick, ms", ylabel="RTT less its median, µs")
    axes.legend(loc="upper right", ncols=2)
    save(figure, folder, "window")


def bandwidth(folder):
    groups = grouped(rows_of(folder, "bandwidth"), ("side", "asked_bps", "mtu"), "goodput_bps")
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    for side in ("output", "input"):
        points = [(float(rate), int(mtu), values) for (s, rate, mtu), values in groups.items() if s == side]
        intervals(left, [(rate / 1e6, [v / 1e6 for v in values]) for rate, _, values in points], side)
        intervals(right, [(rate / 1e6, [100 * (v / theory.goodput(rate, mtu) - 1) for v in values]) for rate, mtu, values in points], side)
    line = sorted({(float(rate), int(mtu)) for _, rate, mtu in groups})
    left.plot([rate / 1e6 for rate, _ in line], [theory.goodput(*point) / 1e6 for point in line], color="black", linewidth=0.6, label="theory")
    right.fill_between([line[0][0] / 1e6, line[-1][0] / 1e6], -1, 1, **ACCEPTED)
    left.set(xscale="log", yscale="log", xlabel="bandwidth asked, Mbit/s", ylabel="TCP goodput, Mbit/s")
    right.set(xscale="log", xlabel="bandwidth asked, Mbit/s", ylabel="error against theory, %")
    left.legend()
    right.legend()
    save(figure, folder, "bandwidth")


def files(folder):
    rows = rows_of(folder, "files")
    figure, plots = plt.subplots(1, 2, figsize=(9, 3.6))
    for axes, tool in zip(plots, ("scp", "rsync")):
        groups = grouped([row for row in rows if row["tool"] == tool], ("bandwidth_bps", "latency_ns"), "duration_ns")
        rates = sorted({float(rate) for rate, _ in groups})
        for colour, rate in zip(("#d55e00", "#e69f00", "#009e73", "#0072b2"), rates):
            points = [(float(latency) / MS, values) for (r, latency), values in groups.items() if float(r) == rate]
            means = [mean_interval([v / 1e9 for v in values]) for _, values in points]
            axes.errorbar([x for x, _ in points], [m for m, _ in means], yerr=[i for _, i in means], color=colour, marker="o",
                          markersize=3, linewidth=1, capsize=2, label=theory.rate_text(rate))
        axes.set(xlabel="latency each way, ms", ylabel="time, s", title=tool, ylim=(0, None))
        axes.legend()
    save(figure, folder, "files")


def loss(folder):
    rows = rows_of(folder, "loss")
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    shares = sorted({float(row["asked"]) for row in rows})
    for (side, share), repeats in loss_counts(rows).items():
        offset = {"output": -0.12, "input": 0.12}[side] + shares.index(share)
        deviation = (repeats[0][0] * share * (1 - share)) ** 0.5
        left.scatter([offset] * len(repeats), [(lost - sent * share) / deviation for sent, lost in repeats], s=14, marker=MARKERS[side],
                     color=COLOURS[side], label=side if share == shares[0] else None)
    sent = int(rows[0]["sent"])
    for x, share in enumerate(shares):
        bounds = [(count - sent * share) / (sent * share * (1 - share)) ** 0.5 for count in binomial_interval(sent, share)]
        left.fill_between([x - 0.3, x + 0.3], *bounds, **{**ACCEPTED, "label": None if x else "99 % interval"})
    left.set(xticks=range(len(shares)), xticklabels=[f"{100 * s:g} %" for s in shares], xlabel="loss asked",
             ylabel="lost of 20,000, in deviations from theory")
    left.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.12))
    for colour, share in zip(("#999999", "#009e73", "#0072b2", "#d55e00"), shares):
        lengths = defaultdict(int)
        for row in rows:
            if float(row["asked"]) == share:
                lengths[int(row["run_length"])] += int(row["runs"])
        total = sum(lengths.values())
        xs = sorted(lengths)
        right.scatter(xs, [lengths[x] / total for x in xs], s=14, color=colour, label=f"{100 * share:g} %")
        right.plot(xs, [(1 - share) * share ** (x - 1) for x in xs], color=colour, linewidth=0.8)
    right.set(yscale="log", xlabel="frames lost in a row (points), and theory (lines)", ylabel="share of all losses in a row")
    right.legend()
    save(figure, folder, "loss")


def jitter(folder):
    groups = jitter_times(rows_of(folder, "jitter"))
    figure, plots = plt.subplots(1, 4, figsize=(11, 3), sharey=True)
    for axes, distribution in zip(plots, theory.JITTER_QUANTILES):
        for side in ("output", "input"):
            values = sorted(groups.get((side, distribution), ()))
            axes.plot(values, [(i + 0.5) / len(values) for i in range(len(values))], color=COLOURS[side], linewidth=2, alpha=0.6, label=side)
        quantiles = theory.jitter_quantiles(distribution, 2000)
        axes.plot(quantiles, [(i + 0.5) / 2000 for i in range(2000)], color="black", linewidth=0.8, linestyle="--", label="theory")
        axes.set(title=distribution, xlabel="one-way time, ms", xlim=(5, 36))
    plots[0].set(ylabel="share of frames not later")
    plots[0].legend()
    save(figure, folder, "jitter")


def low_rate(folder):
    figure, axes = plt.subplots(figsize=(6, 2.8))
    for (side,), gaps in grouped(rows_of(folder, "low-rate"), ("side",), "gap_ns").items():
        axes.plot(range(1, len(gaps) + 1), [(gap - 250 * MS) / 1000 for gap in gaps], color=COLOURS[side], marker=MARKERS[side],
                  markersize=4, linewidth=0.8, label=side)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set(xlabel="frame", ylabel="time after the one before\nless 250 ms, µs", xticks=range(1, 20, 2))
    axes.legend()
    save(figure, folder, "low-rate")


def windows(folder):
    groups = grouped(rows_of(folder, "windows"), ("asked_bps", "side"), "frames")
    rates = sorted({float(rate) for rate, _ in groups})
    figure, plots = plt.subplots(1, len(rates), figsize=(2.8 * len(rates), 3), squeeze=False)
    frame = theory.FULL_FRAME_BITS * 100 / 1e6
    for axes, rate in zip(plots[0], [rate / 1e6 for rate in rates]):
        room = max(0.1 * rate, 2 * frame)
        axes.axhspan(0.99 * rate - frame, 1.01 * rate + frame, **ACCEPTED)
        for (asked, side), frames in groups.items():
            if float(asked) / 1e6 == rate:
                axes.plot([i / 100 for i in range(100)][:len(frames)], [n * frame for n in frames[:100]], color=COLOURS[side],
                          marker=MARKERS[side], markersize=2, linewidth=0.6, label=side)
        axes.set(title=theory.rate_text(rate * 1e6), xlabel="time, s", ylim=(max(0, rate - room) - 0.1 * frame, rate + room))
    plots[0][0].set(ylabel="Mbit/s in each 10 ms")
    plots[0][-1].legend(loc="lower right")
    save(figure, folder, "windows")


def combined(folder):
    rows = [row for row in rows_of(folder, "combined") if row["what"] == "time_us"]
    figure, axes = plt.subplots(figsize=(6, 3))
    for side in ("output", "input"):
        times = spread_out([row for row in rows if row["side"] == side], "of", "value")
        axes.hist(times, bins=100, range=(29.975, 79.975), density=True, histtype="step", color=COLOURS[side], label=side)
    asked = NormalDist(theory.COMBINED_MEAN_MS, theory.COMBINED_DEVIATION_MS)
    xs = [30 + i / 4 for i in range(201)]
    axes.plot(xs, [asked.pdf(x) for x in xs], color="black", linewidth=0.8, linestyle="--", label="asked")
    axes.set(xlabel="one-way time, ms", ylabel="density, 1/ms")
    axes.legend()
    save(figure, folder, "combined")


PLOTS = {"latency": latency, "window": window, "bandwidth": bandwidth, "files": files, "loss": loss, "jitter": jitter,
         "low-rate": low_rate, "windows": windows, "combined": combined}


def draw(folder):
    """Draws each part that has a table in FOLDER."""
    for part, plot in PLOTS.items():
        if os.path.exists(os.path.join(folder, f"{part}.csv")):
            plot(folder)
