#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""distem-probe against links of known properties: needs root; with netem and an exact clock it checks accuracy, too.

LAB_EXACT=1 (the lab sets it) says that the host's load does not show in time."""

import json
import math
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from probe_chain import Chain  # noqa: E402

PROBE = os.path.join(os.environ.get("top_builddir", "."), "distem-probe")
EXACT = os.environ.get("LAB_EXACT") == "1"
MS = 1000000
CASES = []


class Skip(Exception):
    pass


def case(function):
    CASES.append(function)
    return function


def expect(condition, *what):
    if not condition:
        raise AssertionError(*what)


def need(chain, *qdisc):
    reason = chain.lacks(*qdisc)
    if reason:
        raise Skip(reason)


def document(chain, *rounds):
    return json.dumps({"netns": {name: chain.netns(name) for name in ("n1", "n2")}, "rounds": rounds})


def start(text):
    probe = subprocess.Popen([PROBE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    probe.stdin.write(text)
    probe.stdin.close()
    return probe


def end(probe):
    """Returns the answers by id."""
    output, errors = probe.stdout.read(), probe.stderr.read()
    status = probe.wait()
    expect(status == 0 and not errors, f"exit {status}: {errors}")
    return {answer["id"]: answer for answer in map(json.loads, output.splitlines())}


def measure(chain, *rounds):
    answers = end(start(document(chain, *rounds)))
    expect(sorted(answers) == sorted(test["id"] for tests in rounds for test in tests), answers)
    return answers


def make_test(chain, kind, family=4, back=False, **more):
    ends = ("n2", "n1") if back else ("n1", "n2")
    return {"id": 1, "kind": kind, "from": ends[0], "to": ends[1], "from_address": chain.address(ends[0], family),
            "to_address": chain.address(ends[1], family), **more}


def rtt(chain, family=4, **more):
    return make_test(chain, "rtt", family, **{"count": 10, "interval_ns": 20 * MS, "timeout_ns": 2000 * MS, **more})


def loss(chain, family=4, **more):
    return make_test(chain, "loss", family, **{"count": 1000, "interval_ns": MS, "timeout_ns": 1000 * MS, "size": 64, **more})


def goodput(chain, family=4, bandwidth=0, **more):
    return make_test(chain, "goodput", family, bandwidth=bandwidth, **more)


def check_goodput(chain, rate, family, tolerance, mtu=1500):
    answer = measure(chain, [goodput(chain, family, rate)])[1]
    expect("error" not in answer, answer)
    payload = mtu - (20 if family == 4 else 40) - 32
    expected = rate * payload / (mtu + 14)
    error = answer["goodput"] / expected - 1
    print(f"# IPv{family} {rate} bit/s: {answer['goodput']:.0f} bit/s, {100 * error:+.3f} %, after "
          f"{answer['warm_up_ns'] / 1e9:.1f} s in {answer['duration_ns'] / 1e9:.1f} s, {answer['retransmits']} retransmits")
    expect(answer["mss"] == payload, answer)
    expect(abs(error) <= tolerance, answer, expected)


def tbf(rate):
    """A queue as distem's links have it: 10 frames or 200 ms. On a busy host timers are late: the burst makes up for 10 ms."""
    return f"rate {rate}bit burst {max(2 * 1514, rate // 8 // 100)} limit {max(10 * 1514, rate // 8 // 5)}"


# ---- any kernel ----

@case
def rtt_of_a_bare_link(chain):
    for family in 4, 6:
        answer = measure(chain, [rtt(chain, family)])[1]
        expect(answer["sent"] == answer["received"] == 10 and answer["duplicates"] == 0, answer)
        times = answer["rtt_ns"]
        expect(0 < times["min"] <= times["median"] <= times["max"] and times["min"] <= times["mean"] <= times["max"], times)
        expect(times["min"] < 5 * MS, times)


@case
def nothing_is_lost_on_a_bare_link(chain):
    for family in 4, 6:
        answer = measure(chain, [loss(chain, family)])[1]
        expect(answer == {"id": 1, "sent": 1000, "received": 1000, "duplicates": 0, "reordered": 0}, answer)


@case
def goodput_behind_a_token_bucket(chain):
    need(chain, *f"tbf {tbf(1000000)}".split())
    for family in 4, 6:
        for rate in 1000000, 10000000:
            chain.shape(there_rate=tbf(rate))
            check_goodput(chain, rate, family, 0.02)


@case
def goodput_of_an_unknown_bandwidth(chain):
    begin = time.monotonic()
    answer = measure(chain, [goodput(chain)])[1]
    expect(answer["goodput"] > 20e6, answer)
    expect(math.isclose(answer["goodput"], answer["bytes"] * 8e9 / answer["duration_ns"], rel_tol=1e-9), answer)
    expect(2e9 <= answer["duration_ns"] < 4e9, answer)
    expect(time.monotonic() - begin < 20, begin)


@case
def goodput_with_a_smaller_mss_and_a_given_duration(chain):
    answer = measure(chain, [goodput(chain, mss=1000, duration_ns=300 * MS, bandwidth=1000000)])[1]
    expect(answer["mss"] == 988, answer)
    expect(0.3e9 <= answer["duration_ns"] < 1e9, answer)


@case
def rounds_come_one_after_the_other(chain):
    probe = start(document(chain, [loss(chain, id=1, count=200)], [rtt(chain, id=2)], [], [rtt(chain, id=3)]))
    ids = [json.loads(line)["id"] for line in probe.stdout.read().splitlines()]
    probe.stderr.read()
    expect(probe.wait() == 0)
    expect(ids == [1, 2, 3], ids)


@case
def a_thousand_tests_at_once(chain):
    tests = [rtt(chain, 4 + 2 * (i % 2), id=i, back=i % 3 == 0, interval_ns=100 * MS) for i in range(800)]
    tests += [loss(chain, id=i, count=5, interval_ns=100 * MS) for i in range(800, 1200)]
    answers = measure(chain, tests)
    for answer in answers.values():
        expect(answer.get("received") == answer.get("sent") and answer["duplicates"] == 0, answer)


@case
def probers_do_not_disturb_each_other(chain):
    tests = [rtt(chain, id=1), loss(chain, id=2), rtt(chain, 6, id=3), loss(chain, 6, id=4), goodput(chain, id=5)]
    probes = [start(document(chain, tests)) for _ in range(3)]
    for probe in probes:
        answers = end(probe)
        expect(len(answers) == 5 and "goodput" in answers[5], answers)
        for i in range(1, 5):
            expect(answers[i].get("received") == answers[i].get("sent") and answers[i]["duplicates"] == 0, answers[i])


@case
def failures_name_the_ends(chain):
    nowhere = {"to_address": "10.9.9.9"}
    short = {"timeout_ns": 300 * MS}
    silent = {"to_address": "10.1.0.77", **short}
    missing = document(chain, [rtt(chain, id=20)]).replace(chain.netns("n1"), "/nowhere/ns")
    wrong = document(chain, [rtt(chain, id=21)]).replace(chain.netns("n1"), "/etc/passwd")
    chain.run("a", "ip", "route", "add", "unreachable", "10.1.0.77")
    answers = measure(chain, [rtt(chain, id=1, **nowhere), rtt(chain, 6, id=2, to_address="fd99::9"), rtt(chain, id=3, **silent),
                              rtt(chain, id=4, from_address="10.8.8.8"), loss(chain, id=5, to_address="10.8.8.8"),
                              goodput(chain, id=6, to_address="10.8.8.8"), goodput(chain, id=7, from_address="10.8.8.8"),
                              loss(chain, id=8, size=2000)])
    answers.update(end(start(missing)))
    answers.update(end(start(wrong)))
    for number, words in ((1, "rtt from n1 (10.0.0.1) to n2 (10.9.9.9): n1 has no route to 10.9.9.9"),
                          (2, "n1 has no route to fd99::9"), (3, "none of 9 echoes was answered: No route to host"),
                          (4, "n1 cannot use the address 10.8.8.8"), (5, "n2 cannot use the address 10.8.8.8"),
                          (6, "n2 cannot use the address 10.8.8.8"), (7, "n1 cannot use the address 10.8.8.8"),
                          (8, "n1 cannot send to 10.2.0.2: Message too long"),
                          (20, "cannot open the network namespace of n1, /nowhere/ns: No such file"),
                          (21, "cannot enter the network namespace of n1")):
        expect(words in answers[number].get("error", ""), answers[number], words)


@case
def a_cut_way_is_reported(chain):
    """Everything ends, within the time that the parameters allow."""
    short = {"timeout_ns": 300 * MS}
    chain.run("b", "ip", "route", "add", "blackhole", "10.2.0.2")
    try:
        answers = measure(chain, [rtt(chain, id=1, **short), loss(chain, id=2, count=10, **short), goodput(chain, id=3, **short)])
    finally:
        chain.run("b", "ip", "route", "del", "10.2.0.2")
    expect(answers[1]["error"].endswith("none of 9 echoes was answered"), answers)
    expect(answers[2]["sent"] == 10 and answers[2]["received"] == 0, answers)
    expect("n1 (10.0.0.1) to n2 (10.2.0.2): no connection in time" in answers[3]["error"], answers)


def wait_for(condition, what):
    deadline = time.monotonic() + 30
    while not condition():
        expect(time.monotonic() < deadline, what)
        time.sleep(0.02)


@case
def nothing_stays_after_a_kill(chain):
    def sockets():
        return "".join(chain.run(name, "ss", "-Htaun").stdout for name in ("n1", "n2"))

    probe = start(document(chain, [goodput(chain, id=1, duration_ns=60000 * MS), loss(chain, id=2, count=100000)]))
    wait_for(lambda: sockets().count("ESTAB") == 4, "two connections and two datagram sockets")
    probe.kill()
    probe.wait()
    wait_for(lambda: not sockets(), "no socket left")
    probe.stdout.close()
    probe.stderr.close()


@case
def bad_input_is_refused(chain):
    for text, words in (("", "no JSON"), ("{", "no JSON"), ("[]", "netns"), ('{"netns": {}, "rounds": [[{}]]}', "/rounds/0/0/kind"),
                        (document(chain, [rtt(chain, count=0)]), "/rounds/0/0/count")):
        done = subprocess.run([PROBE], input=text, capture_output=True, text=True, check=False)
        expect(done.returncode == 2 and not done.stdout, done)
        expect(done.stderr.startswith("distem-probe: ") and words in done.stderr and done.stderr.count("\n") == 1, done)


# ---- kernels with netem ----

@case
def rtt_of_a_delay(chain):
    need(chain, "netem")
    chain.shape(there="delay 20ms", back="delay 20ms")
    for family in 4, 6:
        answer = measure(chain, [rtt(chain, family, interval_ns=100 * MS)])[1]
        print(f"# IPv{family} RTT of 40 ms: {answer['rtt_ns']}")
        for which in ("min", "median") + (("max",) if EXACT else ()):
            expect(40.0 <= answer["rtt_ns"][which] / MS <= (40.3 if EXACT else 43), answer)


def binomial_interval(n, p):
    """The counts between which a binomial variable lies in 99.99 % of all cases: the test fails by chance once in 5000 runs."""
    log = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log(1 - p)
           for k in range(n + 1)]
    low, high, below, above = 0, n, math.exp(log[0]), math.exp(log[n])
    while below < 0.00005:
        low += 1
        below += math.exp(log[low])
    while above < 0.00005:
        high -= 1
        above += math.exp(log[high])
    return low, high


@case
def loss_of_a_tenth(chain):
    need(chain, "netem")
    chain.shape(there="loss 10%")
    low, high = binomial_interval(5000, 0.1)
    for family in 4, 6:
        answer = measure(chain, [loss(chain, family, count=5000)])[1]
        lost = answer["sent"] - answer["received"]
        print(f"# IPv{family}: {lost} of 5000 lost, expected {low} to {high}")
        expect(low <= lost <= high, answer)


@case
def duplicates_and_reordering(chain):
    need(chain, "netem")
    chain.shape(there="duplicate 50%")
    answers = measure(chain, [loss(chain, id=1), rtt(chain, id=2, count=100, interval_ns=5 * MS)])
    expect(answers[1]["received"] == 1000 and 400 < answers[1]["duplicates"] < 600, answers)
    expect(answers[2]["received"] == 100 and 25 < answers[2]["duplicates"] < 75, answers)
    chain.shape(there="delay 10ms reorder 20%")
    answer = measure(chain, [loss(chain)])[1]
    expect(answer["received"] == 1000 and answer["duplicates"] == 0 and answer["reordered"] > 500, answer)


@case
def a_lossy_way_can_be_measured(chain):
    need(chain, "netem")
    chain.shape(there="loss 30%", back="loss 30%")
    answers = measure(chain, [rtt(chain, id=1, count=50, interval_ns=10 * MS)], [goodput(chain, id=2, bandwidth=10000000)])
    expect(5 < answers[1]["received"] < 45, answers)
    expect("error" in answers[2] or answers[2]["retransmits"] > 0, answers)


@case
def goodput_of_slow_and_long_ways(chain):
    need(chain, "netem")
    for family in 4, 6:
        for delay, rates in (("5ms", (10000000,)), ("27.5ms", (150000, 10000000, 20000000)), ("85ms", (256000, 1000000, 20000000))):
            for rate in rates if EXACT else rates[-1:]:
                chain.shape(there_rate=tbf(rate), there=f"delay {delay}", back=f"delay {delay}")
                check_goodput(chain, rate, family, 0.01 if EXACT else 0.05)


def run(number, function, chain):
    chain.shape()
    name = function.__name__.replace("_", " ")
    try:
        function(chain)
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
    except (AssertionError, KeyError, subprocess.CalledProcessError) as problem:
        print(f"# {problem} {getattr(problem, 'stderr', '')}")
        print(f"not ok {number} - {name}", flush=True)
        return False
    else:
        print(f"ok {number} - {name}", flush=True)
    return True


def main():
    if os.geteuid():
        # Automake's TAP driver takes any other status than 0 for an error.
        print("1..0 # SKIP network namespaces need root")
        return 0
    wanted = [function for function in CASES if function.__name__ in sys.argv[1:] or not sys.argv[1:]]
    chain = Chain()
    try:
        print(f"1..{len(wanted)}", flush=True)
        results = [run(number, function, chain) for number, function in enumerate(wanted, 1)]
    finally:
        chain.close()
    return 0 if all(results) else 1


sys.exit(main())
