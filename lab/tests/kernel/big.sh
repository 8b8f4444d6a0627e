# SPDX-License-Identifier: BSD-3-Clause
# device: pci-testdev,addr=d.0,membar=64G
# timeout: 240
# What a mapping at a cookie takes of the kernel's memory does not depend on its size: a BAR of 64
# GB, for which the page tables of 4 KB pages are 128 MB, mapped by somebody who may have 32 MB.
# (That it is charged is for kernel/cost-memory.)

. /src/lab/tests/lib.sh
plan 6

PAGE=0x1000 SIZE=0x1000000000
echo "big 0000:00:0d.0 -" >>/run/lab/devices
addr=$(lab-bind big)
pa=$(bar_pa "$addr" 2)
read -r start end _ < <(sed -n 3p "/sys/bus/pci/devices/$addr/resource")
is "the BAR" $((end - start + 1)) $((SIZE))

cgroups=/tmp/cgroup
mkdir -p $cgroups
mount -t cgroup2 none $cgroups
echo +memory >$cgroups/cgroup.subtree_control
mkdir $cgroups/big
echo $((32 << 20)) >$cgroups/big/memory.max
free() { awk '/^MemFree:/ { print $2 }' /proc/meminfo; } # KB

coproc BAR {
	echo "$BASHPID" >$cgroups/big/cgroup.procs
	exec python3 /src/lab/guest/programs/bar_map.py "$addr" 2
}
bar() { # COMMAND...: its answer in $answer
	echo "$*" >&"${BAR[1]}"
	read -r -t $((60 * patience)) answer <&"${BAR[0]}" || answer="error no answer"
}
bar wc 0 $PAGE
matches "a page" "$answer" "^0x"
bar unmap "$answer" $PAGE

before=$(free)
errors=0
for page in 1 2 3 4 5 6 7 8; do
	bar wc $((page * PAGE)) $((SIZE - page * PAGE))
	[[ $answer == 0x* ]] || { errors=$((errors + 1)); reason=$answer; }
done
is "all but the first pages, eight times" "$errors ${reason-}" "0 "
at_most "KB of free memory that this took" $((before - $(free))) 8192
mapped=0
while read -r _ size rest; do
	[[ $rest =~ \ phys=(0x[0-9a-f]+) ]] || continue
	((BASH_REMATCH[1] < pa || BASH_REMATCH[1] >= pa + SIZE)) || mapped=$((mapped + size))
done </proc/vmallocinfo
is "bytes of the BAR that the kernel has mapped for that" $mapped 0

pid=$BAR_PID
# shellcheck disable=SC1083,SC2093 # closes a file
exec {BAR[1]}>&-
wait "$pid"
is "it ends well" $? 0
rmdir $cgroups/big
umount $cgroups
