#!/usr/bin/env bash
# A reduced evaluation, tests/evaluate: what Distem emulates is what it was asked for.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_lab --exact
[[ -n ${LAB_INDEX-} ]] || skip_all "needs an exact clock"

dir=$(mktemp -d)
on_exit rm -rf "$dir"
on_exit distem cleanup
on_exit stop_daemon
export PYTHONDONTWRITEBYTECODE=1
evaluate=$top_srcdir/tests/evaluate

judged() {
    grep " $1: " "$dir/results" || echo "$1 was not measured"
    ! grep "^NOT ok $1: " "$dir/results" && grep -q "^ok *$1: " "$dir/results"
}

parts=(latency window bandwidth five-nodes loss jitter low-rate windows asymmetric combined)
for part in "${parts[@]}"; do
    check "$part is measured" python3 "$evaluate/experiment.py" "$part" "$dir" --reduced
done
python3 "$evaluate/judge.py" "$dir" >"$dir/results"
sed 's/^/# /' "$dir/results"
for part in "${parts[@]}"; do
    check "$part is as asked for" judged "$part"
done
if [[ -x /usr/sbin/sshd ]] && command -v scp rsync >/dev/null; then
    check "files are copied by scp and rsync" python3 "$evaluate/experiment.py" files "$dir" --reduced
    check "... and it takes longer than logging in" bash -c "awk -F, 'NR > 1 && \$5 < 200000000 { bad = 1 } END { exit bad || NR != 3 }' '$dir/files.csv'"
fi
awk -F, -v OFS=, '$1 == "both" { $4 += 1000000 } { print }' "$dir/latency.csv" >"$dir/latency.new"
mv "$dir/latency.new" "$dir/latency.csv"
check "a millisecond too much is not accepted" bash -c "! python3 '$evaluate/judge.py' '$dir'"
check "nothing is left" bash -c "! distem status"
finish
