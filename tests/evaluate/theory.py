# SPDX-License-Identifier: Apache-2.0
"""What is to be expected of what experiment.py asks for. It is not taken from the product, but from the definitions in its manual."""

import math

from stats import normal_quantile

# IPv4 and TCP with timestamps take 52 bytes of a packet; Ethernet puts 38 around it: header, checksum, preamble, gap.
TCP_HEADERS = 52
AROUND = 38

# Latencies of examples/figure3.json, in and out, added up along the way.
FIVE_NODES_RTT_MS = {"n1n2": 60, "n1n3": 80, "n1n4": 160, "n1n5": 175, "n2n3": 20, "n2n4": 100, "n2n5": 115, "n3n4": 80, "n3n5": 95,
                     "n4n5": 125}
# (out of the vnode, into it), bit/s.
FIVE_NODES_RATES = {"n1": (10**6, 10**6), "n2": (10**7, 5 * 10**6), "n4": (150000, 300000), "n5": (256000, 600000)}
GATEWAY_RATES = {"net1": 10**7, "net2": 2 * 10**7}
# Those that emulate more than a bandwidth, so that a frame takes its own time on their wire: all but n2.
FIVE_NODES_STAGED = {"n1", "n3", "n4", "n5"}
NETS = {"n1": "net1", "n2": "net1", "n4": "net2", "n5": "net2"}

JITTER_MEAN_MS, JITTER_MS = 20, 4

ASYMMETRIC = {"there": (30, 10**6), "back": (10, 8 * 10**6)}

COMBINED_MEAN_MS, COMBINED_DEVIATION_MS = 50, 5
# 2 % are lost and 1 % duplicated. The kernel draws both apart, and a frame that meets both arrives once.
COMBINED_ABSENT, COMBINED_TWICE = 0.02 * 0.99, 0.01 * 0.98
# Behind the bandwidth, as on a real link.
COMBINED_RATE = 10**7 * (1 - COMBINED_ABSENT + COMBINED_TWICE)

FULL_FRAME_BITS = 1538 * 8


def goodput(rate, mtu):
    """What TCP carries through a bandwidth of RATE bit/s that counts all that Ethernet puts on a wire."""
    return rate * (mtu - TCP_HEADERS) / (mtu + AROUND)


def own_time_ns(rate, frame):
    """How long a link of RATE bit/s takes to send a frame of FRAME bytes, of which Ethernet's header has 14 of what it puts AROUND."""
    return (frame - 14 + AROUND) * 8 * 10**9 / rate


def five_nodes_hops(source, target):
    """[(vnode, bit/s)] of the links on the way."""
    rates = [(source, FIVE_NODES_RATES[source][0] if source in NETS else GATEWAY_RATES[NETS[target]])]
    if source in NETS and target in NETS and NETS[source] != NETS[target]:
        rates += [("n3", GATEWAY_RATES[NETS[source]]), ("n3", GATEWAY_RATES[NETS[target]])]
    return rates + [(target, FIVE_NODES_RATES[target][1] if target in NETS else GATEWAY_RATES[NETS[source]])]


def five_nodes_rtt_ns(source, target, frame):
    """The latencies there and back, and the own times of an echo in frames of FRAME bytes."""
    hops = five_nodes_hops(source, target) + five_nodes_hops(target, source)
    own = sum(own_time_ns(rate, frame) for vnode, rate in hops if vnode in FIVE_NODES_STAGED)
    return FIVE_NODES_RTT_MS[source + target] * 10**6 + own


def five_nodes_rate(source, target):
    """The least bandwidth on the way."""
    return min(rate for _, rate in five_nodes_hops(source, target))


def jitter_deviation(distribution):
    """In ms: a jitter is half of the width of a uniform distribution, and the deviation of others."""
    return JITTER_MS / math.sqrt(3) if distribution == "uniform" else JITTER_MS


def rate_text(rate):
    for unit, size in (("Gbit/s", 10**9), ("Mbit/s", 10**6), ("kbit/s", 10**3)):
        if rate >= size:
            return f"{rate / size:g} {unit}"
    return f"{rate:g} bit/s"


def normalised(quantiles, limit=4):
    """Moves and scales to mean 0 and deviation 1, with the tails cut at LIMIT deviations, as a kernel's table has to."""
    for _ in range(50):
        mean = sum(quantiles) / len(quantiles)
        deviation = math.sqrt(sum((q - mean) ** 2 for q in quantiles) / len(quantiles))
        quantiles = [max(-limit, min(limit, (q - mean) / deviation)) for q in quantiles]
    return quantiles


# By the share of frames that come earlier.
JITTER_QUANTILES = {
    "uniform": lambda u: 2 * u - 1,
    "normal": normal_quantile,
    "pareto": lambda u: (1 - u) ** (-1 / 3),
    "paretonormal": lambda u: normal_quantile(u) / 4 + 3 / 4 * (1 - u) ** (-1 / 3),
}


def jitter_quantiles(distribution, count):
    """COUNT one-way times in ms that are equally likely, in order."""
    quantiles = [JITTER_QUANTILES[distribution]((i + 0.5) / count) for i in range(count)]
    if distribution != "uniform":
        quantiles = normalised(quantiles)
    return [JITTER_MEAN_MS + JITTER_MS * q for q in quantiles]
