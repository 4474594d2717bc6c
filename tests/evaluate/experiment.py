#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures one part of the evaluation, on a machine that has an exact clock, and writes what it saw into PART.csv.

usage: experiment.py PART FOLDER [--reduced]
"""

import csv
import os
import shutil
import subprocess
import sys
import time

import parts
from pair import MEASURE


def stop_daemon():
    try:
        with open("/run/distem/distemd.pid", encoding="ascii") as file:
            pid = int(file.read())
        os.kill(pid, 15)
    except (OSError, ValueError):
        return
    while os.path.exists(f"/proc/{pid}"):
        time.sleep(0.05)


def main():
    arguments = [a for a in sys.argv[1:] if a != "--reduced"]
    reduced = len(arguments) < len(sys.argv) - 1
    if len(arguments) != 2 or arguments[0] not in parts.PARTS:
        raise SystemExit(f"{__doc__.strip()}\nPART is one of {', '.join(parts.PARTS)}")
    part, folder = arguments
    # Vnodes see the machine's root and no other mount.
    shutil.copy(os.path.join(os.environ["top_builddir"], "tests/evaluate/distem-measure"), MEASURE)
    subprocess.run(["distemd", "--detach"], check=True)
    try:
        # A table that has this name is a whole one.
        table = os.path.join(folder, f"{part}.csv")
        with open(f"{table}.new", "w", buffering=1, newline="", encoding="ascii") as file:
            csv.writer(file, lineterminator="\n").writerows(parts.PARTS[part](reduced))
        os.rename(f"{table}.new", table)
        subprocess.run(["distem", "down"], check=True)
    finally:
        stop_daemon()
        subprocess.run(["distem", "cleanup"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
