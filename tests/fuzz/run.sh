#!/usr/bin/env bash
# Runs every fuzzer that was built for FUZZ_SECONDS (30) on its corpus and the examples. What it finds is kept in the build folder.
set -u

: "${top_srcdir:?run it through make check-fuzz}" "${top_builddir:?run it through make check-fuzz}"
seconds=${FUZZ_SECONDS:-30}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fuzz FUZZER: leaves its log in $work/NAME.log, and $work/NAME.ok when it found nothing.
fuzz() {
    local fuzzer=$1 name=${1##*/fuzz-} seeds=() words=()
    mkdir "$work/$name"
    [[ ! -d $top_srcdir/tests/fuzz/corpus/$name ]] || seeds+=("$top_srcdir/tests/fuzz/corpus/$name")
    [[ $name != topology ]] || seeds+=("$top_srcdir/examples")
    [[ ! -e $top_srcdir/tests/fuzz/$name.dict ]] || words=("-dict=$top_srcdir/tests/fuzz/$name.dict")
    "$fuzzer" -max_total_time="$seconds" -timeout=120 -report_slow_units=60 -rss_limit_mb=3000 -print_final_stats=1 -verbosity=0 \
        "${words[@]}" -artifact_prefix="$top_builddir/tests/fuzz/$name-" "$work/$name" "${seeds[@]}" >"$work/$name.log" 2>&1 &&
        touch "$work/$name.ok"
}

# As many at a time as there are processors.
names=()
for fuzzer in "$top_builddir"/tests/fuzz/fuzz-*; do
    [[ -f $fuzzer && -x $fuzzer ]] || continue
    names+=("${fuzzer##*/fuzz-}")
    [[ $(jobs -pr | wc -l) -lt $(nproc) ]] || wait -n
    fuzz "$fuzzer" &
done
wait
count=0
for name in "${names[@]}"; do
    count=$((count + 1))
    if [[ -e $work/$name.ok ]]; then
        echo "ok $count - $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log") inputs"
    else
        echo "not ok $count - $name: the input is beside the fuzzer, in tests/fuzz of the build folder"
        tail -n 60 "$work/$name.log" | sed 's/^/# /'
    fi
done
if [[ $count -eq 0 ]]; then
    echo "1..0 # SKIP no fuzzer was built: configure with --enable-fuzzers CC=clang"
    exit 0
fi
echo "1..$count"
