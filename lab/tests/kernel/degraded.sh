# SPDX-License-Identifier: BSD-3-Clause
# append: iomem=relaxed
# Where somebody else has a page of a BAR mapped uncached, here root through sysfs, x86 lets the
# kernel ask for write-combining and gives it uncached without a word. A cookie's mapping is
# refused then, and no other page's is.

. /src/lab/tests/lib.sh

plan 4
PAGE=0x1000
addr=$(lab-bind ivshmem)

# The first page, for as long as stdin is open
coproc HOLDER { exec python3 -c '
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_SYNC)
page = mmap.mmap(fd, 4096)
print("held", page[0] * 0, flush=True)
sys.stdin.read()' "/sys/bus/pci/devices/$addr/resource2"; }
holder=$HOLDER_PID
read -r -t $((60 * patience)) held <&"${HOLDER[0]}"
is "somebody else has the page uncached" "$held" "held 0"

# What a cookie's mapping of a page gets: ok, or the reason why not
ask() { # START
	echo "wc $1 $PAGE" | timeout $((60 * patience)) \
		python3 /src/lab/guest/programs/bar_map.py "$addr" 2 | sed -E 's/^0x[0-9a-f]+$/ok/'
}
matches "a page that somebody else has uncached is refused" "$(ask 0)" "^error .*busy"
is "the page beside it is not" "$(ask $PAGE)" ok

# shellcheck disable=SC1083,SC2093 # closes a file
exec {HOLDER[1]}>&-
wait "$holder"
is "when it is free again it is to be had" "$(ask 0)" ok
