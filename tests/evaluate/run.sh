#!/usr/bin/env bash
# Measures the evaluation's parts, each on a machine of its own with an exact clock, and judges and draws them.
# usage: tests/evaluate/run.sh BUILD-DIR [PART...]      all parts if none is named; the tables of the others stay as they are
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
build=$(cd "$1" && pwd -P)
shift
results=$top/doc/evaluation
all=(latency window bandwidth five-nodes files loss jitter low-rate windows asymmetric combined)
if [[ $# -eq 0 ]]; then
    set -- "${all[@]}"
fi

for part in "$@"; do
    start=$SECONDS
    printf '==> %s ... ' "$part"
    # shellcheck disable=SC2016
    "$top/tests/lab/lab" run --exact --timeout 3600 --share "$build" --out "$results" --env top_builddir="$build" \
        --env DISTEM_LIBEXECDIR="$build" --env DISTEM_DATADIR="$top/ovs" --env DISTEM_DAEMON="$build/distemd" \
        --env PYTHONDONTWRITEBYTECODE=1 -- \
        bash -c 'PATH=$1:$PATH; exec python3 "$2" "$3" "$LAB_OUT" >/dev/null' - "$build" "$top/tests/evaluate/experiment.py" "$part"
    printf '%d s\n' $((SECONDS - start))
done
# The plotter comes from Debian, for Debian's own Python.
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$top/tests/evaluate/report.py" "$results"
