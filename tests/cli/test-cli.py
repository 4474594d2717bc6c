# SPDX-License-Identifier: Apache-2.0
"""The commands, against a stand-in for the daemon."""

import http.server
import json
import os
import stat
import tempfile
import threading
import time

from harness import DISTEM, SOURCE, Double, Terminal, case, distem, run, start

FOLDER = tempfile.TemporaryDirectory()
os.chdir(FOLDER.name)
for name in ("figure3", "failing", "slow", "degraded"):
    with open(f"{name}.json", "w", encoding="utf-8") as topology:
        json.dump({"name": name}, topology)
with open("bad.json", "w", encoding="utf-8") as topology:
    topology.write("{")


def check(result, code, out=None, err=None):
    """Checks the exit code, and what is in the outputs: all of it when it ends with a newline."""
    assert result.code == code, f"expected exit code {code}: {result}"
    for expected, got in ((out, result.out), (err, result.err)):
        if expected is not None:
            assert got == expected if expected.endswith("\n") or not expected else expected in got, f"expected {expected!r}: {result}"


@case
def usage_errors_exit_with_2():
    check(distem(), 2, out="Commands:")
    check(distem("stauts"), 2, err='distem: there is no command "stauts": did you mean `distem status`?\n')
    check(distem("xyzzy"), 2, err="Try `distem --help`.")
    check(distem("up"), 2, err="distem: up: something is missing: FILE|-\nTry `distem up --help`.\n")
    check(distem("up", "a", "b"), 2, err='"b" is not expected')
    check(distem("up", "--no-wiat", "a"), 2, err="did you mean --no-wait?")
    check(distem("up", "--no-wait", "--compensate", "a"), 2, err="cannot be given with --no-wait")
    check(distem("up", "-Z", "a"), 2, err="there is no option -Z")
    check(distem("up", "--json=yes", "a"), 2, err="--json takes no value")
    check(distem("up", "a", "--timeout"), 2, err="--timeout needs a value: TIME")
    check(distem("up", "a", "--timeout", "9"), 2, err="--timeout: ")
    check(distem("--verson"), 2, err="there is no option --verson: did you mean --version?")
    check(distem("exec", "n1"), 2, err="something is missing")
    check(distem("exec", "n1", "--"), 2, err="the command to run in n1")
    check(distem("verify", "--pairs", "a"), 2, err="write it like n1:n4")
    check(distem("verify", "--only", "rt"), 2, err="choose from rtt")
    check(distem("verify", "--sample", "0"), 2, err="at least 1")
    check(distem("verify", "--tolerance", "rtt=1"), 2, err="--tolerance: rtt: ")
    check(distem("verify", "--tolerance", "speed=1%"), 2, err="write it like rtt=1%")
    check(distem("help", "stats"), 2, err="did you mean `distem status`?")
    check(distem("status", url="localhost"), 1, err="write it like http://127.0.0.1:4567")


@case
def help_is_printed():
    check(distem("--help"), 0, out="Usage: distem [OPTION]... COMMAND")
    check(distem("help"), 0, out="Commands:")
    check(distem("--version"), 0, out="distem 2")
    for command in ("up", "exec", "verify"):
        by_option, by_command = distem(command, "--help"), distem("help", command)
        check(by_option, 0, out=f"Usage: distem {command} ", err="")
        assert by_option.out == by_command.out
        assert max(map(len, by_option.out.splitlines())) <= 80


@case
def a_daemon_that_does_not_answer_is_named():
    expected = ("distem: no answer from http://127.0.0.1:1 (connection refused): "
                "start the daemon with `distemd --detach` or `systemctl start distemd`\n")
    for arguments in (["status"], ["up", "figure3.json"], ["down"], ["diff", "figure3.json"], ["verify"]):
        check(distem(*arguments), 1, err=expected)
    check(distem("exec", "n1", "true"), 125, err=expected)
    check(distem("version"), 0, out="no daemon: no answer from http://127.0.0.1:1 (connection refused)\n"[:-1])
    assert json.loads(distem("version", "--json").out)["daemon"] is None


@case
def version_of_both():
    with Double() as double:
        check(distem("version", url=double.url), 0, out=f"distemd 9.8.7 at {double.url}\n"[:-1])
        check(distem("version", "-u", double.url + "/"), 0, out="9.8.7")
        assert json.loads(distem("version", "--json", url=double.url).out)["daemon"] == "9.8.7"


@case
def files_are_validated_without_a_daemon():
    example = os.path.join(SOURCE, "examples/figure3.json")
    check(distem("validate", example), 0, out=f"{example}: ok: 2 vnetworks, 5 vnodes, 6 vifaces\n", err="")
    check(distem("validate", "-q", example), 0, out="", err="")
    assert json.loads(distem("validate", "--json", example).out) == {"vnetworks": 2, "vnodes": 5, "vifaces": 6, "unreachable": []}
    with open(example, encoding="utf-8") as file:
        topology = json.load(file)
    topology["vnodes"]["n1"]["pnode"] = "elsewhere"
    topology["routing"] = "none"
    check(distem("validate", "-", stdin=json.dumps(topology)), 0, out="-: ok: 2 vnetworks, 5 vnodes, 6 vifaces\n",
          err="distem: warning: there is no route net1 -> net2\n"[:-1])
    topology["vnodes"]["n1"]["memry"] = 1
    topology["vnodes"]["n2"]["vifaces"]["if0"]["vnetwork"] = "net3"
    refused = distem("validate", "-", stdin=json.dumps(topology))
    check(refused, 1, out="", err='-:1: /vnodes/n1/memry: unknown key "memry" in a vnode: did you mean "memory"?')
    check(refused, 1, err="distem: the topology has 2 errors\n-:1: "[:-6])
    topology = {"distem": 2, "name": "full", "vnetworks": {"net": {"ipv4": "10.0.0.0/30"}},
                "vnodes": {"n[1-3]": {"vifaces": {"if0": {"vnetwork": "net"}}}}}
    check(distem("validate", "-", stdin=json.dumps(topology)), 1, err="distem: the topology has 1 error\n"[:-1])
    check(distem("validate", "missing.json"), 1, err="cannot open missing.json: No such file")
    check(distem("validate", "."), 1, err="cannot read .: Is a directory")


@case
def traces_are_read_beside_their_topology():
    with tempfile.TemporaryDirectory() as folder:
        def validate(trace, **more):
            direction = {"bandwidth": {"trace": trace, "loop": True}, **more}
            with open(f"{folder}/t.json", "w", encoding="utf-8") as file:
                json.dump({"distem": 2, "name": "p", "vnetworks": {"n": {"ipv4": "10.0.0.0/24"}},
                           "vnodes": {"v": {"vifaces": {"x": {"vnetwork": "n", "output": direction}}}}}, file, indent=1)
            return distem("validate", f"{folder}/t.json")

        os.mkdir(f"{folder}/sub")
        for name, text in {"lte.csv": "0 10Mbit/s\n1.5s 0\n2s end\n", "sub/mahimahi": "3\n3\n100\n", "bad": "0 10Mbit/s\n1s 7\n",
                           "bytes": "0 \0"}.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        os.symlink("/etc/passwd", f"{folder}/out")
        check(validate("lte.csv"), 0, out=f"{folder}/t.json: ok: 1 vnetwork, 1 vnode, 1 viface\n", err="")
        check(validate("sub/mahimahi"), 0, err="")
        # Lines keep their numbers, although traces are put into the text.
        check(validate("bad", los="1%"), 1, err=f'{folder}/t.json:15: /vnodes/v/vifaces/x/output/bandwidth: bad:2: "7" has no unit')
        check(validate("missing"), 1, err=f"cannot read the trace missing in the folder {folder}: No such file")
        check(validate("out"), 1, err="it leads out of that folder")
        check(validate("../t.json"), 1, err="it leads out of that folder")
        check(validate("sub"), 1, err="it is no regular file")
        check(validate("bytes"), 1, err="the trace bytes is no text")


@case
def tables_are_read_beside_their_topology():
    with tempfile.TemporaryDirectory() as folder:
        def validate(table):
            direction = {"latency": "2ms", "jitter": "1ms", "distribution": {"table": table}}
            with open(f"{folder}/t.json", "w", encoding="utf-8") as file:
                json.dump({"distem": 2, "name": "p", "vnetworks": {"n": {"ipv4": "10.0.0.0/24"}},
                           "vnodes": {"v": {"vifaces": {"x": {"vnetwork": "n", "both": direction}}}}}, file, indent=1)
            return distem("validate", f"{folder}/t.json")

        for name, text in {"few.dist": "# by hand\n-8192 8192\n", "bad": "1\n2 x\n"}.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        check(validate("few.dist"), 0, out=f"{folder}/t.json: ok: 1 vnetwork, 1 vnode, 1 viface\n", err="")
        check(validate("bad"), 1, err=f'{folder}/t.json:1: /tables/bad: bad, line 2: "x" is no whole number')
        check(validate("missing"), 1, err=f"cannot read the table missing in the folder {folder}: No such file")


@case
def a_matrix_is_read_beside_its_topology():
    with tempfile.TemporaryDirectory() as folder:
        def validate(name):
            with open(f"{folder}/t.json", "w", encoding="utf-8") as file:
                json.dump({"distem": 2, "name": "p", "vnetworks": {"n": {"ipv4": "10.0.0.0/24"}}, "matrix": {"latency": name},
                           "vnodes": {"v[1-3]": {"labels": {"site": "far"}, "vifaces": {"x": {"vnetwork": "n"}}}}}, file, indent=1)
            return distem("validate", f"{folder}/t.json")

        for name, text in {"good.csv": "to,v1,v[2-3]\nv1,0,1ms\nv[2-3],1ms,\n", "bad.csv": "to,v1\nv1,7\n",
                           "twice.csv": "to,v1\nsite=far,1ms\n"}.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        check(validate("good.csv"), 0, out=f"{folder}/t.json: ok: 1 vnetwork, 3 vnodes, 3 vifaces\n", err="")
        check(validate("bad.csv"), 1, err=f'{folder}/t.json:10: /matrix/latency: row 1 (v1), column 1 (v1): "7" has no unit')
        check(validate("twice.csv"), 1, err='vnode v1 belongs to "v1" and to "site=far": expected one group for each')
        check(validate("missing.csv"), 1, err=f"cannot read the matrix missing.csv in the folder {folder}: No such file")


@case
def a_layout_is_validated_with_its_topology():
    example = os.path.join(SOURCE, "examples/figure3.json")
    layout = json.dumps({"distem-layout": 1, "vnetworks": {"net1": {"vlan": 100, "interface": "eth1"}}})
    check(distem("validate", example, "--layout", "-", stdin=layout), 0, out=f"{example}: ok: 2 vnetworks", err="")
    wrong = json.dumps({"distem-layout": 1, "vnetworks": {"net3": {"vni": 7}}})
    check(distem("validate", "--layout", "-", example, stdin=wrong), 1, out="", err='-:1: /vnetworks/net3: there is no vnetwork "net3"')
    check(distem("validate", example, "--layout", "missing.json"), 1, err="cannot open missing.json: No such file")


@case
def a_layout_goes_to_the_daemon_with_its_topology():
    with Double() as double:
        for command in ("diff", "up"):
            check(distem(command, "figure3.json", "--layout", "-", url=double.url, stdin='{"site": "nancy"}'), 0)
            check(distem(command, "figure3.json", "--layout", "-", url=double.url, stdin='{"site": "lyon"}'), 1,
                  err="distem: the topology has 2 errors\nbundle:7")


@case
def a_refused_file_is_explained():
    with Double() as double:
        problems = ("distem: the topology has 2 errors\n"
                    "bad.json:7: /vnodes/n1/memry: unknown key: did you mean memory?\n"
                    "bad.json:9: this is no topology\n")
        for command in ("up", "diff"):
            check(distem(command, "bad.json", url=double.url), 1, out="", err=problems)


@case
def a_platform_goes_up_and_down():
    with Double() as double:
        check(distem("status", url=double.url), 0, out="There is no platform")
        assert json.loads(distem("status", "--json", url=double.url).out) is None
        check(distem("diff", "figure3.json", url=double.url), 0, out="+ vnetwork net1\n+ vnode n1\n+ vnode n2\n")
        check(distem("diff", "--exit-code", "figure3.json", url=double.url), 1)
        up = distem("up", "figure3.json", url=double.url)
        check(up, 0, out="figure3.json: adds 1 vnetwork, 2 vnodes\nUp after ", err="5 of 5 vnodes running")
        check(distem("up", "figure3.json", url=double.url), 0, out="figure3.json: nothing to change\n")
        check(distem("diff", "--exit-code", "figure3.json", url=double.url), 0, out="")
        changed = distem("up", "-v", "-", url=double.url, stdin='{"name": "figure3", "x": 1}')
        check(changed, 0, out="-: removes 1 vnode; changes 1 viface\n- vnode n9\n~ viface n1:if0: input.latency 10ms -> 20ms\n"[:-1])
        check(distem("up", "-q", "figure3.json", url=double.url), 0, out="", err="")
        assert json.loads(distem("up", "-j", "figure3.json", url=double.url).out)["changes"] == []
        check(distem("down", url=double.url), 0, out="Down after ", err=" vnodes removed\n"[:-1])
        check(distem("down", "-q", url=double.url), 0, out="", err="")
        assert json.loads(distem("down", "-j", url=double.url).out)["generation"] == 4


@case
def what_fails_is_told_once():
    with Double() as double:
        failed = distem("up", "--give-up=300ms", "failing.json", url=double.url)
        check(failed, 1, err="distem: vnode n4: the image is gone\n"[:-1])
        check(failed, 1, err="(4 of 5 vnodes run); the daemon goes on trying")
        assert failed.err.count("the image is gone") == 1
        check(failed, 1, err="distem: warning: there is no route net1 -> net2")
        check(distem("up", "-t300ms", "slow.json", url=double.url), 1, err="not done after 0.3 s (0 of 5 vnodes run)")
        check(distem("up", "--no-wait", "failing.json", url=double.url), 0)


@case
def interrupting_up_leaves_the_deployment():
    with Double() as double:
        up = start("up", "slow.json", url=double.url)
        up.stderr.readline()
        assert "0 of 5" in up.stderr.readline()
        up.send_signal(2)
        _, errors = up.communicate(timeout=60)
        assert up.returncode == 130 and "the daemon goes on" in errors, errors
        check(distem("status", url=double.url), 0, out="Platform slow is changing: 0 of 5 vnodes running")


@case
def status_shows_tables():
    with Double() as double:
        distem("up", "figure3.json", url=double.url)
        status = distem("status", url=double.url)
        check(status, 0, out="Platform figure3 is ready: 5 of 5 vnodes running, generation 1, routes by hops\n\n"
                             "VNETWORK  IPV4          VNI   MTU  VIFACES\nnet1      10.1.0.0/24  4097  1500        3\n"[:-1])
        check(status, 0, out="n3     running  host   10.1.0.3, 10.2.0.1\n"[:-1])
        assert "\033" not in status.out
        vnode = distem("status", "n5", url=double.url)
        check(vnode, 0, out="if0     output        35ms     2ms  256kbit/s  0.5%  queue 64kB, reordering_gap 5")
        check(vnode, 0, out="10.1.0.0/24  10.2.0.1  if0")
        check(distem("status", "n9", url=double.url), 1, err="distem: there is no vnode n9\n")
        check(distem("status", "n/é 9", url=double.url), 1, err="distem: there is no vnode n/é 9\n")
        assert json.loads(distem("status", "--json", url=double.url).out)["name"] == "figure3"
        assert json.loads(distem("status", "n3", "--json", url=double.url).out)["forwards"] is True
        distem("up", "-n", "failing.json", url=double.url)
        check(distem("status", url=double.url), 0, out="vnode n4: the image is gone")


@case
def values_are_sent_as_a_file_has_them():
    bodies = []

    class Daemon(http.server.BaseHTTPRequestHandler):
        def do_PATCH(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            answer = b'{"generation": 1, "changes": []}'
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Daemon) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = ["seed=0", "reordering_gap=0", "queue=0", "seed=7", "loss=1%", "latency=0", "keep_order=true"]
        for word in words:
            distem("set", "n1", "output", word, "--no-wait", url=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    sent = [body["changes"][0]["output"] for body in bodies]
    assert sent == [{"seed": 0}, {"reordering_gap": 0}, {"queue": 0}, {"seed": 7}, {"loss": "1%"}, {"latency": 0}, {"keep_order": True}], sent


@case
def a_change_of_the_matrix_names_two_groups_and_properties():
    for arguments in (["a"], ["a", "b"]):
        check(distem("set", "--matrix", *arguments), 2, err="`distem set --matrix paris-1 site=tokyo latency=20ms`")
    check(distem("set", "-m", "a", "b", "latency"), 2, err='set: "latency" has no value')
    check(distem("unset", "-m", "a"), 2, err="`distem unset --matrix paris-1 site=tokyo latency`")
    check(distem("unset", "-m", "a", "b", "loss=1%"), 2, err='"loss=1%" has a value: expected only a property\'s name, such as loss')
    check(distem("show", "-m", "a", "b", "c"), 2, err='show: "c" is not expected')


@case
def pnodes_are_listed_taken_in_and_removed():
    check(distem("pnode", "lits"), 2, err="did you mean `distem pnode list`?")
    check(distem("pnode", "add"), 2, err="say which machine")
    check(distem("pnode", "remove"), 2, err="say which pnode")
    check(distem("pnode", "list", "x"), 2, err='"x" is not expected')
    with Double() as double:
        for arguments in ([], ["list"]):
            listed = distem("pnode", *arguments, url=double.url)
            check(listed, 0, out="host")
            assert "192.0.2.1:4568" in listed.out and "rack=a,site=nancy" in listed.out
            assert max(map(len, listed.out.splitlines())) <= 80
        assert json.loads(distem("pnode", "--json", url=double.url).out)["pnodes"][0]["state"] == "ready"
        check(distem("pnode", "add", "h", "--label", "rack", url=double.url), 2, err="write it like rack=a")
        check(distem("pnode", "add", "h", "--max-vnodes", "0", url=double.url), 2, err="at least 1")
        added = distem("pnode", "add", "h:1", "--label", "rack=a,site=", "--max-vnodes", "7", "--max-vifaces=9", "--json", url=double.url)
        check(added, 0)
        assert json.loads(added.out)["body"] == {
            "address": "h:1", "labels": {"rack": "a", "site": ""}, "max_vnodes": 7, "max_vifaces": 9}
        check(distem("pnode", "add", "h", url=double.url), 0, out="Pnode b is there\n")
        check(distem("pnode", "add", "taken", url=double.url), 1, err="distem: pnode taken belongs to another coordinator\n")
        check(distem("pnode", "remove", "b", url=double.url), 0, out="Pnode b has left after ")
        assert json.loads(distem("pnode", "remove", "b", "--force", "--json", url=double.url).out)["forced"]
        check(distem("pnode", "remove", "full", url=double.url), 1,
              err="distem: pnode full cannot be removed\n/vnodes/n1: no pnode has room for it\n")


@case
def what_is_lost_is_not_waited_for():
    with Double() as double:
        check(distem("up", "degraded.json", url=double.url), 0, out="Up after ",
              err="distem: warning: pnode b is lost, and with it 12 vnodes\n"[:-1])
        check(distem("replan", url=double.url), 0, out="Replanned: nothing to change\n")
        check(distem("replan", "--move-lost", url=double.url), 0, out="Replanned: changes 1 vnode\nDone after "[:-1])


@case
def a_terminal_gets_colours_and_a_bar():
    with Double() as double:
        up = Terminal("up", "figure3.json", url=double.url)
        assert up.wait() == 0
        assert "━" in up.seen and "5 of 5 vnodes running" in up.seen and "Up after" in up.seen, up.seen
        status = Terminal("status", url=double.url)
        assert status.wait() == 0 and "\033[32mrunning\033[0m" in status.seen, status.seen
        plain = Terminal("status", url=double.url, NO_COLOR="1")
        assert plain.wait() == 0 and "\033" not in plain.seen and "running" in plain.seen
        narrow = Terminal("status", url=double.url, columns=32, NO_COLOR="1")
        assert narrow.wait() == 0
        assert "10.1.…" in narrow.seen, narrow.seen
        ascii_only = Terminal("up", "slow.json", "-t300ms", url=double.url, LC_ALL="C")
        assert ascii_only.wait() == 1 and "-----" in ascii_only.seen, ascii_only.seen


@case
def exec_passes_everything_on():
    with Double() as double:
        check(distem("exec", "n1", "--", "sh", "-c", "cat; echo complaint >&2; exit 7", url=double.url, stdin="some text"), 7,
              out="some text", err="complaint\n")
        check(distem("exec", "n1", "echo", "--json", "-q", url=double.url), 0, out="--json -q\n")
        check(distem("exec", "n1", "sh", "-c", "kill -9 $$", url=double.url), 137)
        check(distem("exec", "n9", "true", url=double.url), 125, err="distem: there is no vnode n9\n")
        check(distem("exec", "n1", "impossible", url=double.url), 125, err="distem: cannot run impossible: No such file or directory\n")
        check(distem("exec", "n1", "garbage", url=double.url), 125, err="the vnode's answer is garbled")
        check(distem("exec", "n1", "vanish", url=double.url), 125, err="distem: the connection to the vnode ")
        megabytes = "0123456789abcde\n" * 500_000
        check(distem("exec", "n1", "cat", url=double.url, stdin=megabytes), 0, out=megabytes)
        check(distem("shell", "n1", url=double.url, stdin="echo from $0; exit 4\n"), 4, out="from /bin/bash\n")


@case
def exec_forwards_signals():
    with Double() as double:
        for number, name in ((2, "INT"), (15, "TERM"), (3, "QUIT"), (1, "HUP")):
            script = f"trap 'echo got {name}; exit 9' {name}; echo ready; while :; do sleep 0.05; done"
            command = start("exec", "n1", "sh", "-c", script, url=double.url)
            assert command.stdout.readline() == "ready\n"
            command.send_signal(number)
            output, errors = command.communicate(timeout=60)
            assert (command.returncode, output) == (9, f"got {name}\n"), (command.returncode, output, errors)


@case
def a_shell_has_a_terminal():
    with Double() as double:
        shell = Terminal("shell", "n1", url=double.url, rows=31, columns=77)
        shell.write("stty size; echo $TERM$((1 + 1))\n")
        shell.read_until("31 77\r\n")
        shell.read_until("xterm2\r\n")
        shell.resize(40, 100)
        # The new size arrives some time after the signal.
        shell.write("until [ \"$(stty size)\" = '40 100' ]; do sleep 0.01; done; echo resi''zed\n")
        shell.read_until("resized")
        # Ctrl-C is the shell's and ends only the sleep.
        shell.write("echo slee''ping; sleep 1000\n")
        shell.read_until("sleeping")
        time.sleep(0.2)
        shell.write("\x03")
        shell.write("echo awa''ke; exit 5\n")
        shell.read_until("awake")
        assert shell.wait() == 5


@case
def the_terminal_is_restored():
    with Double() as double:
        for ending, code in (("exit 3", 3), ("kill -9 $$", 137)):
            # The outer shell prints the terminal's modes before and after.
            script = f'stty -g; {DISTEM} exec -u {double.url} -t n1 -- sh; echo code $?; stty -g'
            outer = Terminal("exec", "-t", "n1", "--", "sh", "-c", script, url=double.url)
            outer.write(f"echo inn''er; {ending}\n")
            outer.read_until("inner")
            assert outer.wait() == 0
            lines = [line for line in outer.seen.splitlines() if line.count(":") > 10]
            assert f"code {code}" in outer.seen and len(lines) == 2 and lines[0] == lines[1], outer.seen


@case
def verify_prints_a_table():
    with Double() as double:
        distem("up", "figure3.json", url=double.url)
        verified = distem("verify", url=double.url)
        check(verified, 0, out="FROM  TO   RTT ms  MEASURED   ERROR  kbit/s  MEASURED   ERROR  LOSS   SEEN\n"
                               "n1    n2   60.000    60.042  +0.07%   956.4     955.3  -0.12%\n"[:-1])
        check(verified, 0, out="Worst rtt      n2 -- n3: 20.102 ms instead of 20.000 ms (+0.51%)\n"[:-1])
        check(verified, 0, out="No way by the plan between 9 pairs: n1 -- apart1, n1 -- apart2, ...")
        check(verified, 0, out="PASS: 9 figures measured, none outside its tolerance\n"[:-1], err="10 of 10 measurements")
        check(distem("verify", "-q", url=double.url), 0, out="PASS: 9 figures measured, none outside its tolerance\n", err="")
        assert json.loads(distem("verify", "--json", url=double.url).out)["pass"] is True
        assert max(map(len, verified.out.splitlines())) <= 80
        distem("verify", "--pairs", "n1:n2,n3:n4", "--sample=5", "--seed", "7", "--only", "rtt,loss", "--tolerance",
               "rtt=2%,rtt-floor=0.5ms,goodput=10%", url=double.url)
        assert ('verification {"kinds":["rtt","loss"],"pairs":[["n1","n2"],["n3","n4"]],"sample":5,"seed":7,'
                '"tolerance":{"goodput":0.1,"rtt":0.02,"rtt_ns":500000}}\n') in double.read_log(), double.read_log()
        distem("up", "-n", "failing.json", url=double.url)
        failed = distem("verify", url=double.url)
        check(failed, 1, out="! -5.12%")
        check(failed, 1, out="n4 -> n5: rtt: no answer within 2 s")
        check(failed, 1, out="FAIL: 3 of 10 figures are outside their tolerance or could not be measured")
        assert max(map(len, failed.out.splitlines())) <= 80


@case
def doctor_and_cleanup_run_the_daemon():
    with open("distemd", "w", encoding="utf-8") as script:
        script.write('#!/bin/sh\necho "$@"\nexit 6\n')
    os.chmod("distemd", stat.S_IRWXU)
    daemon = os.path.abspath("distemd")
    check(distem("doctor", DISTEM_DAEMON=daemon), 6, out="--doctor\n")
    check(distem("doctor", "--json", DISTEM_DAEMON=daemon), 6, out="--doctor --json\n")
    check(distem("cleanup", "--dry-run", "--json", DISTEM_DAEMON=daemon), 6, out="--cleanup --dry-run --json\n")
    check(distem("cleanup", DISTEM_DAEMON="/nonexistent"), 1, err="distem: cannot run /nonexistent: No such file or directory\n")


@case
def a_full_disk_is_noticed():
    with Double() as double:
        with open("/dev/full", "w", encoding="utf-8") as full:
            status = start("status", url=double.url, stdout=full)
            _, errors = status.communicate(timeout=60)
        assert status.returncode == 1 and "No space left" in errors, errors


run()
