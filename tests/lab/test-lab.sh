#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Tests the lab itself; prints TAP. Needs no privileges.

set -u

here=$(cd "$(dirname "$0")" && pwd -P)
PATH=$PATH:/usr/sbin:/sbin

for program in qemu-system-x86_64 busybox cpio modprobe cc apt-get ping tc; do
	if ! command -v "$program" >/dev/null; then
		echo "1..0 # SKIP the program $program is not installed"
		exit 77
	fi
done

echo 1..35

work=$(mktemp -d "${TMPDIR:-/tmp}/test-lab.XXXXXX")
# All that a lab leaves behind would lie here; and a project of our own under /tmp, which a machine
# has one of itself, shows that the tree is exported wherever it lies.
export TMPDIR=$work/tmp
project=$work/project
mkdir -p "$TMPDIR" "$project/tests/lab"
cp -r "$here/lab" "$here/host" "$here/guest" "$project/tests/lab/"
lab=$project/tests/lab/lab
cd "$project" || exit 1
# What the caller has set for other runs is not part of these.
unset DISTEM_LAB_APPEND DISTEM_LAB_BOOT_TIMEOUT DISTEM_LAB_SHIFT DISTEM_LAB_DATE LAB_SETTLE

number=0
failed=0

# The machines of this test that still run: their qemu works in a folder below ours.
our_machines() {
	local p
	for p in /proc/[0-9]*; do
		[[ $(readlink "$p/cwd" 2>/dev/null) == "$work"/* &&
			$(readlink "$p/exe" 2>/dev/null) == *qemu-system* ]] && echo "${p#/proc/}"
	done
}

clean_up() {
	local p
	for p in $(our_machines); do kill -KILL "$p" 2>/dev/null; done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# check TEXT COMMAND...: one test, which passes if the command succeeds.
check() {
	local text=$1
	shift
	number=$((number + 1))
	if "$@" >"$work/check" 2>&1; then
		echo "ok $number - $text"
	else
		echo "not ok $number - $text"
		failed=1
		printf '# failed: %s\n' "${*//$'\n'/ }"
		sed 's/^/#   /' "$work/check" "$work/out" "$work/err" 2>/dev/null | head -60
	fi
}

# lab ARGS...: runs it; its outputs in the files out and err, its exit status in code.
lab() {
	"$lab" "$@" >"$work/out" 2>"$work/err" </dev/null
	code=$?
}

equal() { [[ $1 == "$2" ]] || { printf 'got:      %q\nexpected: %q\n' "$1" "$2"; false; }; }
out_is() { equal "$(cat "$work/out")" "$1"; }
err_is() { equal "$(cat "$work/err")" "$1"; }
err_has() { grep -q -e "$1" "$work/err"; }
none_left() { [[ -z $(our_machines) && -z $(ls -A "$TMPDIR") ]] || { our_machines; ls -A "$TMPDIR"; false; }; }

# ---- prepare ----

lab prepare
boot=$(cat "$work/out")
check "prepare succeeds" equal "$code" 0
check "prepare names the folder of the boot files" test -s "$boot/initramfs" -a -s "$boot/kernel/vmlinux"
stamp=$(stat -c %Y.%i "$boot/initramfs")
lab prepare
check "prepare does nothing again" equal "$(stat -c %Y.%i "$boot/initramfs") $(cat "$work/err")" "$stamp "

# ---- the command, what it gets and what it gives ----

lab run -- bash -c 'echo to-out; echo to-err >&2; exit 42'
check "the exit status is the command's" equal "$code" 42
check "standard output arrives, and nothing else with it" out_is to-out
check "standard error arrives, and nothing else with it" err_is to-err

words=('a b' "it's" '"q"' $'new\nline' '' '*' '$HOME' '\' '--' 'é' ' ')
lab run --env 'NAME=x  y' -- bash -c 'printf "<%s>" "$NAME" "$PWD" "$@"' '' "${words[@]}"
check "arguments, environment and working folder arrive unharmed" \
	out_is "$(printf '<%s>' 'x  y' "$project" "${words[@]}")"

head -c 5000000 /dev/urandom >"$project/random"
lab run -- cat random
check "five million random bytes pass unharmed" cmp "$work/out" "$project/random"

mkdir "$work/shared folder"
echo from-host >"$work/shared folder/there"
lab run --out "$work/new/out" --share "$work/shared folder:/mnt/a b" -- bash -c '
	echo in-tree >written
	echo result >"$LAB_OUT/result"
	cat "/mnt/a b/there"
	echo lost >/etc/test-lab-was-here && cat /etc/test-lab-was-here'
check "a file written in the project tree comes back" equal "$(cat "$project/written" 2>&1)" in-tree
check "a file written in the folder of --out comes back" equal "$(cat "$work/new/out/result" 2>&1)" result
check "a shared folder is there, and the root can be written" out_is $'from-host\nlost'
check "what is written in the root stays in the machine" test ! -e /etc/test-lab-was-here

lab run -- bash -c 'kill -KILL $$'
check "a command that a signal kills gives 128 and the signal" equal "$code" 137
lab run -- /no/such/program
check "a command that is not there gives 127" equal "$code" 127

# ---- the machine ----

lab run -- bash -c '
	for m in openvswitch vport-vxlan vxlan sch_netem sch_tbf sch_htb sch_ingress sch_fq cls_u32 \
		cls_matchall cls_flower act_mirred ifb veth overlay tun dummy; do
		modprobe "$m" || echo "no module $m"
	done
	ls -d /sys/class/net/ifb* 2>/dev/null
	equal=$(cat /sys/fs/cgroup/cgroup.controllers)
	[[ $equal == *cpu*memory* && $(cat /sys/fs/cgroup/cgroup.subtree_control) == "$equal" ]] || echo cgroups
	for f in /proc/self /sys/class /dev/null /dev/pts/ptmx /dev/shm /dev/net/tun; do [[ -e $f ]] || echo "no $f"; done
	for f in /run /tmp /dev/shm; do echo >$f/x || echo "$f"; done
	[[ $(hostname) == lab && $HOME == /root && $LANG == C.UTF-8 ]] || echo names
	ping -c 1 -W 5 127.0.0.1 >/dev/null || echo loopback
	(sleep 0.1 & exec true) && sleep 1 && ps -eo stat= | grep Z'
check "modules, cgroups, devices, folders, names, loopback and process 1 are as they should be" out_is ""

# ---- what goes wrong ----

DISTEM_LAB_APPEND=rdinit=/no/such/init lab run -- true
check "a machine that does not boot gives 125 and its console" \
	eval '[[ $code == 125 ]] && err_has "console: .*Kernel panic"'
DISTEM_LAB_BOOT_TIMEOUT=1 lab run -- true
check "a machine that is not up in time gives 125 and says so" \
	eval '[[ $code == 125 ]] && err_has "not up in time"'
lab run -- bash -c 'echo before; sleep 1; echo o >/proc/sysrq-trigger; sleep 100'
check "a machine that ends in between gives 125 and what came before" \
	eval '[[ $code == 125 ]] && err_has "ended before the command" && out_is before'
SECONDS=0
lab run --timeout 15 -- bash -c 'echo before; sleep 1000'
check "a command that takes too long is killed, gives 124 and says so" \
	eval '[[ $code == 124 && $SECONDS -lt 60 ]] && err_has "after 15 seconds" && out_is before'
mkdir "$work/bin"
ln -s "$(command -v qemu-system-x86_64)" "$(command -v busybox)" "$work/bin/"
sed -i 's|:/usr/sbin:/usr/bin:/sbin:/bin"|"|' "$project/tests/lab/host/prepare.py"
PATH=$work/bin lab prepare
cp "$here/host/prepare.py" "$project/tests/lab/host/"
check "a missing program is named, and its package" \
	eval '[[ $code == 125 ]] && err_has "program cpio is missing.*package cpio"'

for signal in TERM KILL; do
	"$lab" run -- bash -c 'echo up; sleep 1000' >"$work/out" 2>"$work/err" &
	pid=$!
	for ((i = 0; i < 600; i++)); do
		grep -q up "$work/out" && break
		sleep 0.1
	done
	before=$(our_machines | wc -l)
	kill -"$signal" "$pid"
	wait "$pid" 2>/dev/null
	code=$?
	for ((i = 0; i < 300 && $(our_machines | wc -l); i++)); do
		sleep 0.1
	done
	check "SIG$signal ends the lab and its machine" \
		equal "$before $(our_machines | wc -l) $code" "1 0 $((128 + $(kill -l "$signal")))"
	# Only SIGKILL leaves the lab no chance to remove its folder.
	[[ $signal == KILL ]] && rm -rf "$TMPDIR"/distem-lab.*
done

# ---- exact time ----

cat >"$project/delay" <<'END'
set -e
cut -d. -f1 /proc/uptime
ip netns add a
ip netns add b
ip link add name va netns a type veth peer name vb netns b
ip -n a addr add 198.51.100.1/24 dev va
ip -n b addr add 198.51.100.2/24 dev vb
ip -n a link set dev va up
ip -n b link set dev vb up
ip netns exec a tc qdisc add dev va root netem delay 20ms
# The first one waits for an address resolution besides.
ip netns exec a ping -c 1 198.51.100.2 >/dev/null
ip netns exec a ping -c 20 -i 0.1 198.51.100.2 | sed -n 's/^rtt.*= \([0-9.]*\)\/\([0-9.]*\)\/\([0-9.]*\).*/\1 \2 \3/p'
END
lab run --exact -- bash delay
read -r uptime1 least1 mean1 most1 <<<"$(tr '\n' ' ' <"$work/out")"
lab run --exact -- bash delay
read -r uptime2 least2 mean2 most2 <<<"$(tr '\n' ' ' <"$work/out")"
echo "# round trips over 20 ms, least/mean/most: $least1/$mean1/$most1 and $least2/$mean2/$most2 ms"
check "in exact time 20 ms are 20.0 to 20.3 ms, each time" awk -v a="$least1" -v b="$most1" -v c="$least2" -v d="$most2" \
	'BEGIN { exit !(a >= 20 && b <= 20.3 && b > 0 && c >= 20 && d <= 20.3 && d > 0) }'
check "in exact time results repeat to 10 microseconds" awk -v a="$mean1" -v b="$mean2" \
	'BEGIN { exit !(a > 0 && b > 0 && a - b <= 0.010 && b - a <= 0.010) }'
check "in exact time commands start when Open vSwitch may" test "${uptime1:-0}" -ge 12 -a "${uptime2:-0}" -ge 12
SECONDS=0
lab run --exact -- sleep 300
check "in exact time five minutes pass in one at most" test "$SECONDS" -le 60 -a "$code" = 0

# ---- several machines ----

lab run --machines 2 -- bash -c '
	# The other one may still be booting.
	for i in {1..60}; do
		ping -c 1 -W 1 -M do -s 1572 192.0.2.$((3 - LAB_INDEX)) && ping -c 1 -W 5 fd00:2::$((3 - LAB_INDEX)) && break
	done >/dev/null 2>&1 && echo "$(hostname) of $LAB_MACHINES pinged"
	exit $((LAB_INDEX + 4))'
check "two machines reach each other over lab0, with an MTU of 1600" \
	equal "$(sort "$work/out")" $'m1: m1 of 2 pinged\nm2: m2 of 2 pinged'
check "the exit status is the first one that is not 0" equal "$code" 5

lab run --machines 2 --mtu 1500 -- bash -c '
	[[ $(ip -o addr show dev lab1) == "" ]] || echo "lab1 has an address"
	for tag in 100 101; do
		ip link add link lab1 name lab1.$tag type vlan id $tag
		ip addr add 198.51.$tag.$LAB_INDEX/24 dev lab1.$tag
		ip link set lab1.$tag up
	done
	other=$((3 - LAB_INDEX))
	for i in {1..60}; do
		ping -c 1 -W 1 -M do -s 1472 192.0.2.$other && ping -c 1 -W 5 -M do -s 1472 198.51.101.$other && break
	done >/dev/null 2>&1 && echo pinged
	ping -c 1 -W 1 -M do -s 1473 198.51.101.$other >/dev/null 2>&1 && echo "too long"
	# Across the Ethernets nothing is heard: neither from the other tag nor from lab0. Each answers for its own addresses only.
	echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
	ip addr add 203.0.113.$LAB_INDEX/24 dev $([[ $LAB_INDEX == 1 ]] && echo lab0 || echo lab1)
	ping -c 1 -W 1 203.0.113.$other >/dev/null && echo "not apart"
	ip addr add 203.0.114.$LAB_INDEX/24 dev lab1.10$((LAB_INDEX - 1))
	ping -c 1 -W 1 203.0.114.$other >/dev/null && echo "tags not apart"
	true'
check "lab1 has no address, and passes frames of full size with VLAN tags" \
	equal "$(sort "$work/out")" $'m1: pinged\nm2: pinged'
lab run -- bash -c 'ls /sys/class/net'
check "a machine alone has no network card" out_is lo

lab start --machines 2 "$work/kept"
check "machines can be started and kept" equal "$code $(our_machines | wc -l)" "0 2"
lab exec "$work/kept" m1 -- bash -c 'touch /run/mark; hostname; exit 3'
check "a kept machine runs a command" equal "$code $(cat "$work/out")" "3 m1"
lab poweroff "$work/kept" m1
off=$(our_machines | wc -l)
lab boot "$work/kept" m1
lab exec "$work/kept" m1 -- bash -c 'ls /run/mark; ping -c 1 -W 5 m2'
check "a machine whose power was cut boots anew and reaches the other" \
	eval '[[ $off == 1 ]] && err_has "/run/mark.*No such file" && grep -q "1 received" "$work/out"'
lab stop "$work/kept"
check "a stopped lab is gone" test "$code" = 0 -a ! -e "$work/kept"

check "nothing is left behind" none_left
exit "$failed"
