# Sourced by the tests that play traces: traffic, and what it says of them. The files of a test are in $dir.
# shellcheck shell=bash

tool=(python3 "$top_srcdir/tests/system/playback_traffic.py")
# traffic FROM [SECONDS [SIZE]]: a datagram of 1000 bytes each 0.2 ms, for two rounds of the traces and some more. It goes to r with
# 10.0.0.1, or as to and at say.
traffic() {
    local receiver to=${to-r} at=${at-10.0.0.1}
    distem exec "$to" -- "${tool[@]}" receive 5000 1 /tmp/received &
    receiver=$!
    distem exec "$1" -- "${tool[@]}" send "$at" 5000 "${3:-1000}" 200 "${2:-2}"
    wait "$receiver"
    distem exec "$to" -- cat /tmp/received >"$dir/received"
}
# sees KIND TRACE LEAST [OFFSET_MS]: tells what the traffic says, as a comment too.
sees() {
    local kind=$1 trace=$2
    shift 2
    "${tool[@]}" "$kind" "$dir/received" "$start" "$trace" "$@" | tee "$dir/seen"
    local status=${PIPESTATUS[0]}
    sed 's/^/# /' "$dir/seen" >&3
    return "$status"
}
exec 3>&1
start_of_traces() {
    start=$(distem status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["traces"]["start_ns"] or "")')
    [[ -n $start ]]
}
