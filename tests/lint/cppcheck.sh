#!/usr/bin/env bash
# cppcheck finds nothing, but for what tests/lint/cppcheck.txt excuses.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v cppcheck >/dev/null || skip_all "cppcheck is missing: install cppcheck"
output=$(mktemp)
trap 'rm -f "$output"' EXIT
c_files | grep '\.c$' >"$output.files"
cppcheck --quiet --enable=warning,performance,portability --inline-suppr --std=c11 --library=gtk --error-exitcode=1 -j "$(nproc)" \
    --suppressions-list=tests/lint/cppcheck.txt -I include -D__GNUC__ -DPACKAGE_VERSION='""' -DRUNDIR='""' -DSTATEDIR='""' \
    -DPKGDATADIR='""' -DPKGLIBEXECDIR='""' -DSBINDIR='""' --template=gcc --file-list="$output.files" >"$output" 2>&1
result "cppcheck" "$output" $?
rm -f "$output.files"
echo "1..$tap_count"
