#!/usr/bin/env bash
# The project's own rules, as far as grep can tell.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

output=$(mktemp)
trap 'rm -f "$output"' EXIT

# none NAME COMMAND...: COMMAND must print nothing.
none() {
    local name=$1
    shift
    "$@" >"$output" 2>&1
    [[ ! -s $output ]]
    result "$name" "$output" $?
}

too_long() {
    c_files | xargs wc -l | awk '$2 != "total" && $1 > 800 { print $2 " has " $1 " lines, 800 are allowed" }'
}
without_licence() {
    c_files | xargs grep -L 'SPDX-License-Identifier: Apache-2.0'
}
left_open() {
    c_files | xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b'
}
shells() {
    c_files | grep -v '^tests/' | xargs grep -nE '\b(system|popen|strcpy|strcat|sprintf|gets)\('
}
ovs_headers() {
    c_files | grep -v '^ovs/' | xargs grep -nE '#include [<"](openvswitch/|vswitch-idl|ovsdb-idl|lib/|util\.h|smap\.h|shash\.h)'
}
jansson_in_ovs() {
    c_files | grep '^ovs/' | xargs grep -n '#include [<"]jansson'
}
config_first() {
    # The lab's agent is no part of the build.
    c_files | grep '\.c$' | grep -v -e '^tests/lab/' -e '\.bpf\.c$' | while read -r file; do
        first=$(grep -m 1 '^#include' "$file")
        [[ $first == '#include <config.h>' ]] || echo "$file includes $first before <config.h>"
    done
}
undocumented_guards() {
    c_files | grep '\.h$' | xargs grep -L '#ifndef'
}
impure() {
    c_files | grep -E '^src/(plan|topology)/.*\.c$' | xargs grep -nE '#include <(stdio|unistd|fcntl|sys/|poll)'
}
# Of two archives with the same name the linker takes the first, and says nothing.
defined_twice() {
    c_files | grep -E '^(src|ovs)/.*\.c$' | xargs awk '
        /^[a-zA-Z].*\(/ && !/^static |^typedef |^[A-Z_0-9]+\(|[;{\\]$/ { head = $0; sub(/\(.*/, "", head); sub(/.*[ *]/, "", head) }
        /^{/ && head && head != "main" { print head, FILENAME }
        /^[{}]/ { head = "" }' | sort | awk '$1 == name { print name " is defined in " file " and in " $2 } { name = $1; file = $2 }'
}

none "no file is over 800 lines" too_long
none "every file names its licence" without_licence
none "nothing is left open" left_open
none "no shell, no unbounded string functions" shells
none "only ovs/ includes headers of Open vSwitch" ovs_headers
none "ovs/ does not include jansson" jansson_in_ovs
none "config.h comes first" config_first
none "every header has a guard" undocumented_guards
none "plan and topology do no I/O" impure
none "no function is defined twice" defined_twice
echo "1..$tap_count"
