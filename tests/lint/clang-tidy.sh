#!/usr/bin/env bash
# clang-tidy finds nothing, with .clang-tidy.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || skip_all "clang-tidy is missing: install clang-tidy-14"
output=$(mktemp)
trap 'rm -f "$output"' EXIT
# shellcheck disable=SC2016
c_files | grep -v '^ovs/.*\.c$' | grep '\.c$' | grep -v '\.bpf\.c$' |
    xargs -P "$(nproc)" -n 4 sh -c '"$0" --quiet "$@" -- $LINT_CFLAGS >&2' "$tidy" >"$output" 2>&1
result "clang-tidy" "$output" $?
# shellcheck disable=SC2016
c_files | grep '^ovs/.*\.c$' | xargs -P "$(nproc)" -n 2 sh -c '"$0" --quiet "$@" -- $LINT_CFLAGS $LINT_OVS_CFLAGS >&2' "$tidy" >"$output" 2>&1
result "clang-tidy, what includes Open vSwitch" "$output" $?
echo "1..$tap_count"
