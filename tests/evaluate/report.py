#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what the evaluation's tables say: README.md and results.csv, and the pictures.

usage: report.py FOLDER
"""

import csv
import os
import sys
from collections import defaultdict

import plots
from judge import JUDGES, MS, grouped, judge, rows_of
from stats import mean_interval
from theory import rate_text

INTRODUCTION = """# The evaluation

What Distem emulates against what it was asked for: the published validation of the original Distem again, and what is not in it.
All of this page, its tables and its pictures are made by

```
./quickstart evaluate
```

or `make evaluate` in a build folder; `tests/evaluate/run.sh BUILD-DIR PART...` does single parts. The parts are measured one after the
other, each in a virtual machine of its own whose clock counts instructions ([tests/lab](../../tests/lab/README.md)), so that how busy
the real machine is makes no difference. Platforms are made by `distem up`, and `distem exec` runs in the vnodes what measures: a
small program, `tests/evaluate/measure.c`, that shares no code with Distem. Times of single parts start at the base, the time
that the same path takes when nothing is shaped (measured in the same run), as links are asked for what they add.

A result is accepted if the mean of its repeats is within its bounds. The repeat that is farthest off is shown too, and named if it is not
within them: the virtual machine has one processor, on which other things run now and then. ± is half of a 95 % t-confidence interval of the mean.

| part | accepted is |
|---|---|
| latency, five-nodes, asymmetric, low-rate | a time at most 20 µs or 0.2 % off, whichever is more |
| window | all round trips at most 20 µs off their median |
| bandwidth, five-nodes, asymmetric | TCP's goodput at most 1 % off theory |
| loss, combined | counts within the middle 99 % of the binomial distribution; so one of a hundred is outside by chance |
| jitter, combined | mean and standard deviation at most 5 % off |
| windows | what passes in each 10 ms at most 1 % and one frame off, in all together at most 1 % and one frame in all |

Theory: a bandwidth counts all that an Ethernet wire carries, 38 bytes around each packet, and TCP with timestamps fills all but 52
bytes of a packet: 1448/1538 of the bandwidth at an MTU of 1500, 8948/9038 at 9000.
"""

TITLES = {
    "latency": ("Latency", "Latencies of 0.1 ms to 1 s on n1's output, on its input, or the same on both; 30 round trips each."),
    "window": ("Latency within a clock tick", "With 10 ms on n1's output, round trips that start at 800 points of the 4 ms between two "
               "ticks of the kernel's clock. An emulator whose timers tick shows stairs or a slope here."),
    "bandwidth": ("Bandwidth", "TCP from n1 to n2 with a bandwidth on n1's output or on n2's input, for a hundred million bits (but 1 s "
                  "at least, 100 s at most, and 300 s below 100 kbit/s) after a warm-up of a quarter of that; 3 repeats. 1 Gbit/s has 9000-byte packets: a virtual processor "
                  "does not carry so many of 1500."),
    "five-nodes": ("Five nodes", "The platform of the paper's figure 3, [figure3.json](../../examples/figure3.json): 30 round trips of "
                   "each pair, and TCP both ways, as long as above. The 82 bytes that an echo is on the wire take their own time there, "
                   "4.4 ms at 150 kbit/s; the paper's links had only what they added up to without it."),
    "files": ("Copying files", "scp (over SFTP) and rsync copy 115 files of 700 kB in all from n1 to n2, over links with the same latency "
              "and bandwidth in both directions, 3 times each, connecting and logging in included. No theory says how long that takes. "
              "It has to grow with latency and volume."),
    "loss": ("Loss", "20,000 frames: the first run is what is judged, and all of them together if there are more."),
    "jitter": ("Jitter", "One-way times of 5,000 frames, 1 ms apart, with a latency of 20 ms and a jitter of 4 ms."),
    "low-rate": ("Low rate", "20 frames of 128 bytes (as the wire counts) at 4096 bit/s: one each 250 ms."),
    "windows": ("Rate over 10 ms", "Full frames, sent a fifth faster than the bandwidth: what passes in each 10 ms."),
    "asymmetric": ("Asymmetric link", "n1 has 1 Mbit/s and 30 ms out, 8 Mbit/s and 10 ms in: 30 frames of 152 bytes on the wire, and TCP, each way. Frames take their "
                   "own time there too: 1.2 and 0.15 ms."),
    "combined": ("Everything on one link", "50 ms with a normal jitter of 5 ms, 2 % loss, 1 % duplicates and 10 Mbit/s at once. One flow "
                 "fills half of the bandwidth (20,000 frames), another all of it: what is lost and doubled has passed the bandwidth before."),
}


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100000 else f"{value:.6g}"


def verdict(result):
    return "yes" if result.passes else "yes, not each" if result.holds else "**no**"


def list_of(results):
    yield "| part | | asked or theory | measured | worst | accepted |\n|---|---|--:|--:|--:|--:|"
    for r in results:
        yield f"| {r.part} | {r.what} | {number(r.asked)} {r.unit} | {number(r.measured)} | {number(r.worst)} | {number(r.low)} to {number(r.high)} |"


def table(results):
    yield "| | asked or theory | measured | ± | worst | accepted | |"
    yield "|---|--:|--:|--:|--:|--:|---|"
    for r in results:
        interval = f"{r.interval:.2g}" if r.interval else ""
        yield (f"| {r.what} | {number(r.asked)} {r.unit} | {number(r.measured)} | {interval} | {number(r.worst)} | "
               f"{number(r.low)} to {number(r.high)} | {verdict(r)} |")


def files_table(folder):
    groups = grouped(rows_of(folder, "files"), ("tool", "latency_ns", "bandwidth_bps"), "duration_ns")
    rates = sorted({float(rate) for _, _, rate in groups})
    yield "| | latency each way | " + " | ".join(map(rate_text, rates)) + " |"
    yield "|---|--:|" + "--:|" * len(rates)
    by_line = defaultdict(dict)
    for (tool, latency, rate), values in groups.items():
        by_line[tool, float(latency)][float(rate)] = mean_interval([v / 1e9 for v in values])
    for (tool, latency), cells in sorted(by_line.items(), key=lambda line: (line[0][0] != "scp", line[0][1])):
        yield f"| {tool} | {latency / MS:g} ms | " + " | ".join("%.2f ± %.2f s" % cells[rate] for rate in rates) + " |"


def section(folder, part, results):
    title, text = TITLES[part]
    yield f"\n## {title}\n\n{text}\n"
    if part in plots.PLOTS:
        yield f"![{title}]({part}.svg)\n"
    yield from files_table(folder) if part == "files" else table(results)
    yield f"\nMeasured: [{part}.csv]({part}.csv)"


def page(folder, by_part):
    yield INTRODUCTION
    results = [r for part in by_part.values() for r in part]
    refused, strays = [r for r in results if not r.holds], [r for r in results if r.holds and not r.passes]
    yield f"**{len(results) - len(refused)} of {len(results)} results are accepted.**" + (" These are not:\n" if refused else "")
    if refused:
        yield from list_of(refused)
    if strays:
        yield f"\nSingle repeats of {len(strays)} of them are outside:\n"
        yield from list_of(strays)
    missing = [part for part in TITLES if part not in by_part]
    if missing:
        yield f"\nNot measured for this page, as there was no time for them: {', '.join(missing)}. The command above measures them, too."
    for part, mine in by_part.items():
        yield from section(folder, part, mine)


def main():
    if len(sys.argv) != 2 or not os.path.isdir(sys.argv[1]):
        raise SystemExit(__doc__.strip())
    folder = sys.argv[1]
    # With what has no theory in its place.
    by_part = {part: judge(folder, (part,)) if part in JUDGES else [] for part in TITLES
               if os.path.exists(os.path.join(folder, f"{part}.csv"))}
    plots.draw(folder)
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in page(folder, by_part))
    with open(os.path.join(folder, "results.csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("part", "what", "unit", "asked", "measured", "interval", "worst", "low", "high", "accepted"))
        for r in (r for part in by_part.values() for r in part):
            writer.writerow((r.part, r.what, r.unit, *(f"{v:.9g}" for v in (r.asked, r.measured, r.interval, r.worst, r.low, r.high)),
                             verdict(r).strip("*")))
    bad = sum(not r.holds for part in by_part.values() for r in part)
    print(f"{folder}/README.md: {sum(map(len, by_part.values()))} results, {bad} of them not accepted")


if __name__ == "__main__":
    main()
