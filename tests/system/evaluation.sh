#!/usr/bin/env bash
# A reduced evaluation, tests/evaluate: what Distem emulates is what it was asked for. The five nodes are in figure3.sh.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
[[ -n ${LAB_INDEX-} ]] || skip_all "needs an exact clock"

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon
export PYTHONDONTWRITEBYTECODE=1

measure() {
    python3 "$top_srcdir/tests/evaluate/experiment.py" "$1" "$dir" --reduced
}
judge() {
    python3 "$top_srcdir/tests/evaluate/judge.py" "$dir" "$1"
}
# What is random is outside of its 99 % interval once in a hundred times, but not twice in a row.
as_asked_for() {
    measure "$1" && { judge "$1" || { measure "$1" && judge "$1"; }; }
}

for part in low-rate latency window jitter loss windows combined bandwidth; do
    check "$part is as asked for" as_asked_for "$part"
    judge "$part" | sed 's/^/# /'
done
awk -F, -v OFS=, '$1 == "both" { $4 += 10000000 } { print }' "$dir/latency.csv" >"$dir/latency.new"
mv "$dir/latency.new" "$dir/latency.csv"
check "ten milliseconds too much are not accepted" bash -c "! python3 '$top_srcdir/tests/evaluate/judge.py' '$dir' latency"
check "the daemon is gone" bash -c "! distem status"
finish
