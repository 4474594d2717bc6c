# SPDX-License-Identifier: Apache-2.0
"""The little statistics that the evaluation needs, without a library, so that the test machine needs none."""

import math
from statistics import NormalDist, fmean, stdev


def t_density(t, freedom):
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    return scale * (1 + t * t / freedom) ** (-(freedom + 1) / 2)


def t_quantile(freedom, confidence=0.95):
    """How many standard errors around a mean hold the true one with CONFIDENCE: Student's t, integrated until it is reached."""
    step, t, area = 1e-3, 0.0, 0.0
    while area < confidence / 2:
        area += step * (t_density(t, freedom) + 4 * t_density(t + step / 2, freedom) + t_density(t + step, freedom)) / 6
        t += step
    return t


def mean_interval(values):
    """(mean, half of the 95 % t-confidence interval), the latter 0 for a single value."""
    if len(values) < 2:
        return fmean(values), 0.0
    return fmean(values), t_quantile(len(values) - 1) * stdev(values) / math.sqrt(len(values))


def binomial_interval(n, p, confidence=0.99):
    """The fewest and the most of N that are within CONFIDENCE, with equal tails of the exact distribution."""
    tail, below, low, high = (1 - confidence) / 2, 0.0, None, None
    for k in range(n + 1):
        below += math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p))
        if low is None and below > tail:
            low = k
        if high is None and below >= 1 - tail:
            high = k
            break
    return low, high


def normal_quantile(share):
    return NormalDist().inv_cdf(share)
