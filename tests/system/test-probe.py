#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""distem-probe against links of known properties: needs root; with netem and an exact clock it checks accuracy, too.

Most cases run twice: with one prober for both ends, and with one for each, between which this carries the messages, as when the
vnodes are on two machines. LAB_EXACT=1 (the lab sets it) says that the host's load does not show in time."""

import json
import math
import os
import selectors
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from probe_chain import Chain  # noqa: E402

PROBE = os.path.join(os.environ.get("top_builddir", "."), "distem-probe")
EXACT = os.environ.get("LAB_EXACT") == "1"
MS = 1000000
VNODES = {"n1": 1, "n2": 2}
NO_NAMESPACE = 3
CASES = []


class Skip(Exception):
    pass


def case(function):
    """Runs once: it says itself which probers it needs."""
    CASES.append((function.__name__, function))
    return function


def case_twice(function):
    """Runs with one prober and with two; gets what starts them."""
    CASES.append((function.__name__, lambda chain: function(chain, 1)))
    CASES.append((function.__name__ + "_between_two_probers", lambda chain: function(chain, 2)))
    return function


def expect(condition, *what):
    if not condition:
        raise AssertionError(*what)


def need(chain, *qdisc):
    reason = chain.lacks(*qdisc)
    if reason:
        raise Skip(reason)


class Probers:
    """One prober for n1 and n2, or one for each, driven as a coordinator would."""

    def __init__(self, chain, number):
        self.folders = [tempfile.TemporaryDirectory() for _ in range(number)]
        for name, folder in ("n1", self.folders[0]), ("n2", self.folders[-1]):
            os.symlink(chain.netns(name), f"{folder.name}/{VNODES[name]}")
        os.symlink("/etc/passwd", f"{self.folders[0].name}/{NO_NAMESPACE}")
        probes = [subprocess.Popen([PROBE, "--netns", folder.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, bufsize=0) for folder in self.folders]
        self.of = {"n1": probes[0], "n2": probes[-1]}
        self.selector = selectors.DefaultSelector()
        self.pending = {}
        for probe in probes:
            self.pending[probe] = b""
            self.selector.register(probe.stdout, selectors.EVENT_READ, probe)
        self.tests = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for probe in self.pending:
            probe.kill()
            for pipe in probe.stdin, probe.stdout, probe.stderr:
                pipe.close()
            probe.wait()
        self.selector.close()
        for folder in self.folders:
            folder.cleanup()

    def send(self, probe, message):
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[probe.stdin.write(data):]

    def begin(self, tests):
        """Sends a round to whom it concerns."""
        self.tests.update({test["id"]: test for test in tests})
        rounds = {probe: [] for probe in self.pending}
        for test in tests:
            source, sink = self.of[test["from"]], self.of[test["to"]]
            if source is sink:
                rounds[source].append(test)
            else:
                rounds[source].append({**test, "end": "from"})
                if test["kind"] != "rtt":
                    rounds[sink].append({**test, "end": "to"})
        for probe, part in rounds.items():
            if part:
                self.send(probe, {"round": part})

    def lines(self, timeout=None):
        """Yields what comes at once (with a prober), or None when nothing comes in time."""
        ready = self.selector.select(timeout)
        if not ready:
            yield None, None
        for key, _ in ready:
            probe = key.data
            data = os.read(probe.stdout.fileno(), 1 << 20)
            if not data:
                raise AssertionError(f"a prober has ended: {probe.stderr.read()}")
            *whole, self.pending[probe] = (self.pending[probe] + data).split(b"\n")
            for line in whole:
                yield probe, json.loads(line)

    def answers(self, number):
        """Carries messages until 'number' tests have answered; returns the answers by id."""
        answers = {}
        while len(answers) < number:
            for probe, line in self.lines():
                if "peer" in line:
                    test = self.tests[line["id"]]
                    self.send(self.of[test["to" if probe is self.of[test["from"]] else "from"]], line)
                else:
                    expect(line["id"] not in answers, line)
                    answers[line["id"]] = line
        return answers

    def measure(self, *rounds):
        answers = {}
        for tests in rounds:
            self.begin(tests)
            answers.update(self.answers(len(tests)))
        return answers

    def end(self):
        """Closes the inputs: the probers are to end without complaint."""
        for probe in self.pending:
            probe.stdin.close()
        for probe in self.pending:
            errors = probe.stderr.read()
            expect(probe.wait() == 0 and not errors, probe.returncode, errors)


def measure(chain, number, *rounds):
    with Probers(chain, number) as probers:
        answers = probers.measure(*rounds)
        expect(sorted(answers) == sorted(test["id"] for tests in rounds for test in tests), answers)
        probers.end()
        return answers


def make_test(chain, kind, family=4, back=False, **more):
    ends = ("n2", "n1") if back else ("n1", "n2")
    return {"id": 1, "kind": kind, "from": ends[0], "to": ends[1], "from_vnode": VNODES[ends[0]], "to_vnode": VNODES[ends[1]],
            "from_address": chain.address(ends[0], family), "to_address": chain.address(ends[1], family), **more}


def rtt(chain, family=4, **more):
    return make_test(chain, "rtt", family, **{"count": 10, "interval_ns": 20 * MS, "timeout_ns": 2000 * MS, **more})


def loss(chain, family=4, **more):
    return make_test(chain, "loss", family, **{"count": 1000, "interval_ns": MS, "timeout_ns": 1000 * MS, "size": 64, **more})


def goodput(chain, family=4, bandwidth=0, **more):
    return make_test(chain, "goodput", family, bandwidth=bandwidth, **more)


def check_goodput(chain, probers, rate, family, tolerance, mtu=1500):
    answer = measure(chain, probers, [goodput(chain, family, rate)])[1]
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

@case_twice
def rtt_of_a_bare_link(chain, probers):
    for family in 4, 6:
        answer = measure(chain, probers, [rtt(chain, family)])[1]
        expect(answer["sent"] == answer["received"] == 10 and answer["duplicates"] == 0, answer)
        times = answer["rtt_ns"]
        expect(0 < times["min"] <= times["median"] <= times["max"] and times["min"] <= times["mean"] <= times["max"], times)
        expect(times["min"] < 5 * MS, times)


@case_twice
def nothing_is_lost_on_a_bare_link(chain, probers):
    for family in 4, 6:
        answer = measure(chain, probers, [loss(chain, family)])[1]
        expect(answer == {"id": 1, "sent": 1000, "received": 1000, "duplicates": 0, "reordered": 0}, answer)


@case_twice
def goodput_behind_a_token_bucket(chain, probers):
    need(chain, *f"tbf {tbf(1000000)}".split())
    for family in 4, 6:
        for rate in 1000000, 10000000:
            chain.shape(there_rate=tbf(rate))
            check_goodput(chain, probers, rate, family, 0.02)


@case_twice
def goodput_of_an_unknown_bandwidth(chain, probers):
    begin = time.monotonic()
    answer = measure(chain, probers, [goodput(chain)])[1]
    expect(answer["goodput"] > 20e6, answer)
    expect(math.isclose(answer["goodput"], answer["bytes"] * 8e9 / answer["duration_ns"], rel_tol=1e-9), answer)
    expect(2e9 <= answer["duration_ns"] < 4e9, answer)
    expect(time.monotonic() - begin < 20, begin)


@case_twice
def goodput_with_a_smaller_mss_and_a_given_duration(chain, probers):
    answer = measure(chain, probers, [goodput(chain, mss=1000, duration_ns=300 * MS, bandwidth=1000000)])[1]
    expect(answer["mss"] == 988, answer)
    expect(0.3e9 <= answer["duration_ns"] < 1e9, answer)


@case_twice
def a_thousand_tests_at_once(chain, probers):
    tests = [rtt(chain, 4 + 2 * (i % 2), id=i, back=i % 3 == 0, interval_ns=100 * MS) for i in range(800)]
    tests += [loss(chain, id=i, count=5, interval_ns=100 * MS) for i in range(800, 1200)]
    answers = measure(chain, probers, tests)
    for answer in answers.values():
        expect(answer.get("received") == answer.get("sent") and answer["duplicates"] == 0, answer)


@case
def probers_do_not_disturb_each_other(chain):
    tests = [rtt(chain, id=1), loss(chain, id=2), rtt(chain, 6, id=3), loss(chain, 6, id=4), goodput(chain, id=5)]
    with Probers(chain, 1) as one, Probers(chain, 1) as two, Probers(chain, 1) as three:
        for probers in one, two, three:
            probers.begin(tests)
        for probers in one, two, three:
            answers = probers.answers(len(tests))
            expect("goodput" in answers[5], answers)
            for i in range(1, 5):
                expect(answers[i].get("received") == answers[i].get("sent") and answers[i]["duplicates"] == 0, answers[i])


@case_twice
def failures_name_the_ends(chain, probers):
    nowhere = {"to_address": "10.9.9.9"}
    short = {"timeout_ns": 300 * MS}
    silent = {"to_address": "10.1.0.77", **short}
    # The kernel says so a few times only: enough for one run of this.
    chain.run("a", "ip", "route", "replace", "unreachable", "10.1.0.77")
    answers = measure(chain, probers,
                      [rtt(chain, id=1, **nowhere), rtt(chain, 6, id=2, to_address="fd99::9"), rtt(chain, id=3, **silent),
                       rtt(chain, id=4, from_address="10.8.8.8"), loss(chain, id=5, to_address="10.8.8.8"),
                       goodput(chain, id=6, to_address="10.8.8.8"), goodput(chain, id=7, from_address="10.8.8.8"),
                       loss(chain, id=8, size=2000), rtt(chain, id=20, from_vnode=9),
                       loss(chain, id=21, from_vnode=NO_NAMESPACE), goodput(chain, id=22, to_vnode=9)])
    for number, words in ((1, "rtt from n1 (10.0.0.1) to n2 (10.9.9.9): n1 has no route to 10.9.9.9"),
                          (2, "n1 has no route to fd99::9"), (3, "none of 9 echoes was answered" + (": No route to host" if probers == 1 else "")),
                          (4, "n1 cannot use the address 10.8.8.8"), (5, "n2 cannot use the address 10.8.8.8"),
                          (6, "n2 cannot use the address 10.8.8.8"), (7, "n1 cannot use the address 10.8.8.8"),
                          (8, "n1 cannot send to 10.2.0.2: Message too long"),
                          (20, "cannot open the network namespace of n1, "), (20, "/9: No such file"),
                          (21, "loss from n1 (10.0.0.1) to n2 (10.2.0.2): cannot enter the network namespace of n1"),
                          (22, "goodput from n1 (10.0.0.1) to n2 (10.2.0.2): cannot open the network namespace of n2, ")):
        expect(words in answers[number].get("error", ""), answers[number], words)


@case_twice
def a_cut_way_is_reported(chain, probers):
    """Everything ends, within the time that the parameters allow."""
    short = {"timeout_ns": 300 * MS}
    chain.run("b", "ip", "route", "add", "blackhole", "10.2.0.2")
    try:
        answers = measure(chain, probers,
                          [rtt(chain, id=1, **short), loss(chain, id=2, count=10, **short), goodput(chain, id=3, **short)])
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


def sockets(chain):
    return "".join(chain.run(name, "ss", "-Htaun").stdout for name in ("n1", "n2"))


def long_tests(chain):
    return [goodput(chain, id=1, duration_ns=60000 * MS), loss(chain, id=2, count=100000)]


@case_twice
def nothing_stays_after_a_kill_or_the_end_of_input(chain, number):
    for finish in (lambda probers: [probe.kill() for probe in probers.pending]), Probers.end:
        with Probers(chain, number) as probers:
            probers.begin(long_tests(chain))
            while sockets(chain).count("ESTAB") < 4:
                for probe, line in probers.lines(0.02):
                    if line:
                        expect("peer" in line, line)
                        probers.send(probers.of["n2" if probe is probers.of["n1"] else "n1"], line)
            finish(probers)
            wait_for(lambda: not sockets(chain), "no socket left")


@case
def each_end_ends_without_the_other(chain):
    """Nothing is carried between the ends, as when a machine is lost; each has its own time."""
    short = {"timeout_ns": 300 * MS, "count": 10}
    with Probers(chain, 2) as probers:
        probers.begin([loss(chain, id=1, **short), loss(chain, id=2, back=True, **short)])
        answers, messages = {}, []
        while len(answers) < 2 or len(messages) < 4:
            for _, line in probers.lines():
                if "peer" in line:
                    messages.append(line["peer"])
                else:
                    answers[line["id"]] = line
        for answer in answers.values():
            expect("no result within 13 s" in answer["error"], answer)
        expect(sum("error" in message for message in messages) <= 2, messages)
        wait_for(lambda: not sockets(chain), "no socket left")
        probers.begin(long_tests(chain))
        for test in 1, 2:
            probers.send(probers.of["n1"], {"id": test, "peer": {"error": "the other has ended"}})
        probers.send(probers.of["n1"], {"id": 99, "peer": {"error": "nobody is to read this"}})
        answers = {}
        while len(answers) < 2:
            answers.update({line["id"]: line for _, line in probers.lines() if "peer" not in line})
        for answer in answers.values():
            expect(answer["error"].endswith("the other has ended"), answer)


@case
def bad_input_is_refused(chain):
    def run(*arguments, text=""):
        return subprocess.run([PROBE, *arguments], input=text, capture_output=True, text=True, check=False)

    for text, words in (("\n", "no JSON"), ("{\n", "no JSON"), ("[]\n", "round"), ('{"round": [{}]}\n', "/round/0/kind"),
                        (json.dumps({"round": [rtt(chain, count=0)]}) + "\n", "/round/0/count"), ("{", "ends within a line")):
        done = run("--netns", "/nowhere", text=text)
        expect(done.returncode == 2 and not done.stdout, done)
        expect(done.stderr.startswith("distem-probe: ") and words in done.stderr and done.stderr.count("\n") == 1, done)
    expect(run("--netns", "/nowhere").returncode == 0)
    for arguments in (), ("--netns",), ("--colour", "/nowhere"):
        done = run(*arguments)
        expect(done.returncode == 2 and "--netns DIR" in done.stderr, done)


# ---- kernels with netem ----

@case_twice
def rtt_of_a_delay(chain, probers):
    need(chain, "netem")
    chain.shape(there="delay 20ms", back="delay 20ms")
    for family in 4, 6:
        answer = measure(chain, probers, [rtt(chain, family, interval_ns=100 * MS)])[1]
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


@case_twice
def loss_of_a_tenth(chain, probers):
    need(chain, "netem")
    chain.shape(there="loss 10%")
    low, high = binomial_interval(5000, 0.1)
    for family in 4, 6:
        answer = measure(chain, probers, [loss(chain, family, count=5000)])[1]
        lost = answer["sent"] - answer["received"]
        print(f"# IPv{family}: {lost} of 5000 lost, expected {low} to {high}")
        expect(low <= lost <= high, answer)


@case_twice
def duplicates_and_reordering(chain, probers):
    need(chain, "netem")
    chain.shape(there="duplicate 50%")
    answers = measure(chain, probers, [loss(chain, id=1), rtt(chain, id=2, count=100, interval_ns=5 * MS)])
    expect(answers[1]["received"] == 1000 and 400 < answers[1]["duplicates"] < 600, answers)
    expect(answers[2]["received"] == 100 and 25 < answers[2]["duplicates"] < 75, answers)
    chain.shape(there="delay 10ms reorder 20%")
    answer = measure(chain, probers, [loss(chain)])[1]
    expect(answer["received"] == 1000 and answer["duplicates"] == 0 and answer["reordered"] > 500, answer)


@case_twice
def a_lossy_way_can_be_measured(chain, probers):
    need(chain, "netem")
    chain.shape(there="loss 30%", back="loss 30%")
    answers = measure(chain, probers, [rtt(chain, id=1, count=50, interval_ns=10 * MS)], [goodput(chain, id=2, bandwidth=10000000)])
    expect(5 < answers[1]["received"] < 45, answers)
    expect("error" in answers[2] or answers[2]["retransmits"] > 0, answers)


@case_twice
def goodput_of_slow_and_long_ways(chain, probers):
    need(chain, "netem")
    for family in 4, 6:
        for delay, rates in (("5ms", (10000000,)), ("27.5ms", (150000, 10000000, 20000000)), ("85ms", (256000, 1000000, 20000000))):
            for rate in rates if EXACT else rates[-1:]:
                chain.shape(there_rate=tbf(rate), there=f"delay {delay}", back=f"delay {delay}")
                check_goodput(chain, probers, rate, family, 0.01 if EXACT else 0.05)


def run(number, name, function, chain):
    chain.shape()
    name = name.replace("_", " ")
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
    wanted = [named for named in CASES if named[0] in sys.argv[1:] or not sys.argv[1:]]
    chain = Chain()
    try:
        print(f"1..{len(wanted)}", flush=True)
        results = [run(number, *named, chain) for number, named in enumerate(wanted, 1)]
    finally:
        chain.close()
    return 0 if all(results) else 1


sys.exit(main())
