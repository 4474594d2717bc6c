# SPDX-License-Identifier: Apache-2.0
"""Every command and option is in the man pages and in the completion, and nothing else is."""

import os
import re
import subprocess

from harness import BUILD, SOURCE, case, distem, run

COMMON = {"--url", "--json", "--quiet", "--help"}


def read(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def commands():
    return re.findall(r"^  ([a-z]+) ", distem("--help").out, re.MULTILINE)


def options(command):
    """The options of a command with their letters, as its help lists them."""
    return set(re.findall(r"^  (?:(-\w), |    )(--[a-z-]+)(?: (\S+))?", distem(command, "--help").out, re.MULTILINE))


def manual(name):
    return read(f"doc/man/{name}.1").replace("\\-", "-")


def complete(*words):
    """What bash offers for the last of 'words'."""
    script = ('. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _distem; echo "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", os.path.join(SOURCE, "share/completion/distem.bash"), "distem", *words],
                          capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@case
def every_command_has_a_man_page():
    assert len(commands()) >= 12
    makefile = read("doc/local.mk")
    for command in commands():
        page = manual(f"distem-{command}")
        assert page.startswith(f".TH DISTEM-{command.upper()} 1 "), command
        assert f"doc/man/distem-{command}.1" in makefile, command
        assert f".BR distem-{command} (1)\n" in manual("distem"), command


@case
def man_pages_have_exactly_the_options():
    for command in commands():
        page = manual(f"distem-{command}")
        expected = {f"{letter}, {name}" if letter else name for letter, name, _ in options(command)}
        documented = set(re.findall(r'^\.TP\n\.BI? "?((?:-\w, )?--[a-z-]+)', page, re.MULTILINE))
        assert expected == documented, (command, expected ^ documented)
        for _, name, argument in options(command):
            assert not argument or f'{name} " {argument}\n' in page, (command, name, argument)


@case
def man_pages_name_the_version():
    version = distem("--version").out.strip()
    for command in commands():
        assert f'"{version}"' in manual(f"distem-{command}").splitlines()[0], command


@case
def completion_has_exactly_the_options():
    assert complete("") == set(commands()) | COMMON | {"--version"}
    assert complete("help", "") == set(commands())
    assert complete("sta") == {"status"}
    for command in commands():
        if command != "help":
            assert complete(command, "-") == {name for _, name, _ in options(command)}, command
            assert complete("-u", "URL", "--json", command, "--j") == {"--json"}, command


@case
def the_unit_file_names_the_daemon():
    path = os.path.join(BUILD, "share/distemd.service")
    if os.path.exists(path):  # Not where configure found no systemd.
        with open(path, encoding="utf-8") as file:
            assert re.search(r"^ExecStart=/\S+/distemd \$DISTEMD_OPTIONS$", file.read(), re.MULTILINE)


run()
