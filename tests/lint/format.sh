#!/usr/bin/env bash
# Every C file is as .clang-format wants it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

formatter=$(command -v clang-format-14 || command -v clang-format) || skip_all "clang-format is missing: install clang-format-14"
output=$(mktemp)
trap 'rm -f "$output"' EXIT
c_files | xargs "$formatter" --dry-run -Werror >"$output" 2>&1
result "clang-format" "$output" $?
echo "1..$tap_count"
