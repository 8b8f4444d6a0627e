# SPDX-License-Identifier: BSD-3-Clause
# timeout: 300
# Programs that are not testpmd: DPDK linked statically, none of it, no C. The page tables say what
# they have.

. /src/lab/tests/run.sh
plan 18

# What goes with it: the manual, and an example of a file, all lines of which can be read.
share=/opt/dpdk-vfio-wc/share
is "manual pages" "$(grep -ohE '^\.TH "[A-Z.-]+" "[0-9]"' $share/man/man[15]/vfio-wc* | xargs)" \
	".TH VFIO-WC-RUN 1 .TH VFIO-WC.CONF 5"
sed 's/^#dev/dev/' $share/doc/dpdk-vfio-wc/vfio-wc.conf >/tmp/example.conf
# shellcheck disable=SC2016 # the program that is started expands it
is "the example, each line of it" "$(vfio-wc-run --config /tmp/example.conf -- \
	sh -c 'echo "$VFIO_WC_RUN"' 2>&1 | grep -cE '^mode=[a-z]+,type=wc')" 4

memory_types_are

# A DPDK application as DPDK's own build makes it: all of DPDK in it, libc as a shared object.
cd /tmp || exit
cat >static.c <<'C'
#include <poll.h>
#include <stdio.h>
#include <rte_eal.h>

/* Probing touches nothing of BAR 2, which is memory: an entry in the page table takes an access. */
static void
touch(void)
{
	unsigned long va, offset;
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%lx-%*x %*s %lx", &va, &offset) == 2 && offset == 2UL << 40)
			(void)*(volatile char *)va;
	fclose(maps);
}

int
main(int argc, char **argv)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };
	int ret = rte_eal_init(argc, argv);

	touch();
	printf("up: %d\n", ret);
	fflush(stdout);
	while (ret >= 0 && poll(&input, 1, 0) == 0)
		;
	return rte_eal_cleanup();
}
C
archives=
for lib in net_ena bus_vdev bus_pci pci ethdev meter net timer mbuf mempool mempool_ring ring rcu \
	eal telemetry argparse kvargs log; do
	archives+=" -l:librte_$lib.a"
done
# shellcheck disable=SC2086,SC2046 # words
gcc -O1 static.c $(pkg-config --cflags libdpdk) -o static -Wl,--whole-archive $archives \
	-Wl,--no-whole-archive -lm -lnuma -latomic -lbsd -lpthread -ldl || exit
is "static: nothing of DPDK is shared" "$(ldd ./static | grep -c librte_)" 0
ena=$(bdf ena)
program_start "^up: [0-9]" vfio-wc-run --mode required -- ./static -l 1 -m 64 -a "$ena" || exit
pages=$(leaves "$ena" 0)
is "static: BAR2 is WC" "$(in_bar "$ena" 2 "$pages")" WC
is "static: BAR0 is UC-" "$(in_bar "$ena" 0 "$pages")" UC-
program_end static
memory_types_as_before static

# A C program that pushes into an NVMe controller's memory buffer; started by another one.
nvme=$(lab-bind nvme)
id=$(cut -c3-6 "/sys/bus/pci/devices/$nvme/vendor"):$(cut -c3-6 "/sys/bus/pci/devices/$nvme/device")
program_start "^buffer" vfio-wc-run --range "dev=$id,bar=2,mode=required" -- \
	taskset -c 1 nvme-push "$nvme" || exit
pages=$(leaves "$nvme" 2)
is "NVMe: the buffer is WC" "$(in_bar "$nvme" 2 "$pages")" WC
is "NVMe: the registers are UC-" "$(in_bar "$nvme" 0 "$pages")" UC-
program_end NVMe
matches "NVMe: it pushed" "$(<$testpmd_log)" "^[1-9][0-9]* entries, the last one arrived"

# The children are left alone when that is wished.
# shellcheck disable=SC2016 # the shell that is left expands it
program_start "^buffer" vfio-wc-run --children leave --range "dev=$id,bar=2,mode=required" -- \
	bash -c 'taskset -c 1 nvme-push "$0"; exit' "$nvme" || exit
read -r testpmd <"/proc/$testpmd/task/$testpmd/children"
is "NVMe, a child that is left: UC-" "$(in_bar "$nvme" 2 "$(leaves "$nvme" 2)")" UC-
is "NVMe, a child that is left: no library is in it" "$(grep -c vfio_wc "/proc/$testpmd/maps")" 0
exec {testpmd_in}>&-
wait

# A Python program that asks libc for its functions by name, MAP_FIXED over a reservation.
ivshmem=$(bdf ivshmem)
python() { # NAME HOW IT FINDS LIBC
	sed "s/CDLL(None/CDLL($2/" /src/lab/guest/programs/bar_map.py >bar_map.py
	coproc PYTHON { exec vfio-wc-run --range "dev=$ivshmem,bar=2,offset=0x1000,len=0x2000" \
		--mode required -- python3 bar_map.py "$ivshmem" 2; }
	testpmd=$PYTHON_PID
	echo plain >&"${PYTHON[1]}"
	read -r -t $((60 * patience)) va <&"${PYTHON[0]}"
	echo "touch $va 0x8000 0x1000" >&"${PYTHON[1]}"
	read -r -t $((60 * patience)) touched <&"${PYTHON[0]}"
	is "$1: it touched its mapping" "$touched" ok
	is "$1: the page tables" "$(leaf_types "$ivshmem" 2 0x1000 0x2000)" "2 WC,others UC-"
	# shellcheck disable=SC1083,SC2093 # closes a file
	exec {PYTHON[1]}>&-
	wait $testpmd
}
python "Python" None
python "Python, libc.so.6" "'libc.so.6'"
memory_types_as_before "all"
