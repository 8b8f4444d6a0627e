// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the lab can test of VFIO's mmap cookies, beyond the kernel's own
 * selftest (kernel-patch/selftest): with page tables that are read from
 * outside of the guest, BARs of all kinds, and whatever else goes on.
 *
 *	vfio-cookies [harness options] BDF
 *
 * The device must be bound to vfio-pci. The environment may say more:
 *
 *  VFIO_SELFTESTS_RAM_BAR number of a BAR that is plain memory. Only who runs
 *			   the test can know; without it nothing is stored into
 *			   the device, and the tests about data are skipped.
 *  WC_WITNESS		   a character device that tells what the page tables
 *			   hold, see witness.h. Without it the types come
 *			   from debugfs' pat_memtype_list, by physical address:
 *			   weaker, for that is the kernel's intention only.
 *			   Without either (not x86) types are not checked.
 *
 * Fixtures: "plain" runs on every kernel and shows that nothing changed there,
 * "cookie" needs the feature, "wc" needs write-combining to be had. On a
 * kernel without the feature the exit status is KSFT_SKIP, unless one of the
 * plain tests fails.
 */
#include "device.h"
#include "witness.h"
#include "expect.h"
#include "peer.h"

/* The harness keeps its tests in static lists: they are one translation unit */
#include "plain.c"
#include "cookie.c"
#include "wc.c"
#include "data.c"
#include "zap.c"
#include "huge.c"
#include "dma.c"
#include "stress.c"

int main(int argc, char *argv[])
{
	bool supported;
	const char *why;
	int status;
	pid_t pid;

	page_size = sysconf(_SC_PAGESIZE);
	pte_witness = env("WC_WITNESS");
	dev.bdf = vfio_selftests_get_bdf(&argc, argv);

	why = open_device(false);
	if (why) {
		close_device();
		why = open_device(true) ? why : NULL;
	}
	if (why)
		ksft_exit_skip("%s: %s\n", dev.bdf, why);
	supported = !probe(dev.fd);
	ksft_print_msg("%s: BAR %d, %ld pages%s; mmap cookies %s\n", dev.bdf, dev.nr, dev.pages,
		       dev.ram ? " of plain memory" : "",
		       supported ? "supported" : "not supported");
	ksft_print_msg("types as told by: %s; reservations: %s\n",
		       pte_witness ? "the page table" :
		       wc_pages() >= 0 ? "pat_memtype_list" : "nobody, not checked",
		       wc_pages() >= 0 ? "pat_memtype_list" : "not checked");
	close_device();

	/* The harness exits; what it counts as passed may be a skip of ours */
	fflush(stdout);
	pid = fork();
	if (!pid)
		return test_harness_run(argc, argv);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return KSFT_FAIL;
	status = WEXITSTATUS(status);
	return status == KSFT_PASS && !supported ? KSFT_SKIP : status;
}
