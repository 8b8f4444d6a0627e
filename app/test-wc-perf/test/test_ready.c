/* SPDX-License-Identifier: BSD-3-Clause */

/* --check: all that is missing on a machine, with what mends it, and nothing is started. */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_vfio_wc.h>

#include "test.h"
#include "fake_root.h"
#include "perf.h"
#include "ready.h"
#include "run.h"

static struct {
	struct vfio_wc_holder holder;
	unsigned int opened;
	bool no_cookies;
	bool no_cpu;
	bool started;
	char file[64];		/* --json */
} fake;

void __wrap_vfio_wc_find_holder(const struct vfio_wc_sysfs *pci, pid_t after,
		struct vfio_wc_holder *out);
int __wrap_vfio_wc_open(const struct vfio_wc_sysfs *pci, const char *token,
	struct vfio_wc_opened *opened, struct vfio_wc_why *why);
void __wrap_vfio_wc_close(struct vfio_wc_opened *opened);
int __wrap_rte_vfio_wc_probe(const char *device, int fd, struct rte_vfio_wc_error *error);
enum wc_status __wrap_run(struct result *r, unsigned int n, int witness);
struct bitmask;
int __wrap_numa_sched_setaffinity(pid_t pid, struct bitmask *mask);

/* Lcores that the machine of the test may not have. */
int
__wrap_numa_sched_setaffinity(pid_t pid, struct bitmask *mask)
{
	(void)pid;
	(void)mask;
	errno = EINVAL;
	return fake.no_cpu ? -1 : 0;
}

void
__wrap_vfio_wc_find_holder(const struct vfio_wc_sysfs *pci, pid_t after,
		struct vfio_wc_holder *out)
{
	(void)after;
	(void)pci;
	*out = fake.holder;
}

int
__wrap_vfio_wc_open(const struct vfio_wc_sysfs *pci, const char *token,
	struct vfio_wc_opened *opened, struct vfio_wc_why *why)
{
	(void)token;
	(void)why;
	assert_string_equal(pci->bdf, FAKE_BDF);
	fake.opened++;
	*opened = (struct vfio_wc_opened){ .fd = 77, .group = -1, .container = -1 };
	return 0;
}

void
__wrap_vfio_wc_close(struct vfio_wc_opened *opened)
{
	assert_int_equal(opened->fd, 77);
}

int
__wrap_rte_vfio_wc_probe(const char *device, int fd, struct rte_vfio_wc_error *error)
{
	assert_int_equal(fd, 77);
	if (!fake.no_cookies)
		return 0;
	error->err = ENOTTY;
	snprintf(error->text, sizeof(error->text), "%s: no mmap cookies", device);
	return -1;
}

enum wc_status
__wrap_run(struct result *r, unsigned int n, int witness)
{
	(void)r;
	(void)n;
	(void)witness;
	fake.started = true;
	return WC_OK;
}

static int
setup(void **state)
{
	memset(&fake, 0, sizeof(fake));
	strcpy(fake.file, "/tmp/test-ready-XXXXXX");
	if (fake_root_make(state) != 0 || mkstemp(fake.file) < 0)
		return -1;
	fake_virtio();
	fake_file("/dev/vfio/12", "");
	fake_file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
	fake_file("/sys/kernel/debug/x86/pat_memtype_list", "");
	fake_file("/sys/devices/system/cpu/isolated", "0-1,4\n");
	return forget_failure(state);
}

static int
teardown(void **state)
{
	unlink(fake.file);
	return fake_root_remove(state);
}

static char printed[8192];

/* What the tool prints with these further words; it must end so. */
static void
check_with(const char *words, enum wc_status status)
{
	char line[512], *argv[32], *rest = line;
	const int out = dup(STDOUT_FILENO);
	FILE *f = tmpfile();
	int argc = 0, got;

	snprintf(line, sizeof(line), "x --check --device 00:03.0 --range bar=4,offset=0x3000,"
		"len=0x1000 --lcores 1,0 --testpmd /bin/true --plugin /bin/true --json %s%s",
		fake.file, words);
	while ((argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	fail_reset();
	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	got = perf(argc, argv);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	rewind(f);
	printed[fread(printed, 1, sizeof(printed) - 1, f)] = '\0';
	fclose(f);
	assert_int_equal(got, status);
	assert_false(fake.started);
}

static void
says(const char *part)
{
	if (strstr(printed, part) == NULL)
		print_error("\"%s\" is not in: %s\n", part, printed);
	assert_non_null(strstr(printed, part));
}

/* What the file says, too: is it ready, and how many things are missing? */
static void
file_says(bool is_ready, unsigned int missing)
{
	json_t *json = json_load_file(fake.file, 0, NULL), *one;
	unsigned int n = 0;
	size_t i;

	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "schema")), READY_SCHEMA);
	assert_true(json_is_true(json_object_get(json, "ready")) == is_ready);
	json_array_foreach(json_object_get(json, "checks"), i, one)
		if (strcmp(json_string_value(json_object_get(one, "state")), "missing") == 0)
			n++;
	assert_int_equal(n, missing);
	json_decref(json);
}

static void
all_is_there(void **state)
{
	(void)state;
	check_with("", WC_OK);
	says("ready    device " FAKE_BDF ": driver\n");
	says("ready    device " FAKE_BDF ": ours to open\n");
	says("ready    device " FAKE_BDF ": its kernel maps write-combined\n");
	says("ready    program /bin/true\n");
	says("ready    plugin /bin/true\n");
	says("ready    hugepages on node ");
	says("ready    lcore 0: isolated\n");
	assert_null(strstr(printed, "missing"));
	assert_int_equal(fake.opened, 1);
	file_says(true, 0);
	/* nobody maps anew: nothing of the kernel's is needed */
	check_with(" --arms plain", WC_OK);
	assert_int_equal(fake.opened, 1);
}

static void
all_that_is_missing_is_said_at_once(void **state)
{
	(void)state;
	fake_link(FAKE_SYSFS "/driver", "../../../bus/pci/drivers/virtio-pci");
	fake_file("/sys/bus/pci/drivers/vfio-pci/bind", "");
	fake_file("/sys/kernel/iommu_groups/12/name", "\n");
	check_with(" --mem 4096 --testpmd /nowhere/testpmd --plugin /nowhere.so", WC_ENVIRONMENT);
	says("missing  device " FAKE_BDF " is not bound to vfio-pci but to virtio-pci\n"
		"             dpdk-devbind.py --bind=vfio-pci " FAKE_BDF "\n");
	says("missing  1024 MB of hugepages free on node ");
	says("             see --mem, or: echo N > /sys/devices/system/node/node");
	says("missing  /nowhere/testpmd: no such program\n             see --testpmd\n");
	says("missing  plugin /nowhere.so: No such file or directory\n"
		"             see --plugin\n");
	assert_int_equal(fake.opened, 0);
	file_says(false, 4);
	check_with(" --testpmd /tmp", WC_ENVIRONMENT);
	says("missing  /tmp: no such program\n");
	/* no device can be bound where VFIO cannot be */
	fake_remove("/sys/bus/pci/drivers/vfio-pci");
	fake_remove("/sys/kernel/iommu_groups/12");
	check_with("", WC_ENVIRONMENT);
	says("missing  there is no IOMMU, or it is off\n");
	says("missing  the module vfio-pci is not loaded\n             modprobe vfio-pci\n");
}

static void
a_device_that_is_not_ours(void **state)
{
	(void)state;
	fake.holder = (struct vfio_wc_holder){ .pid = 42, .name = "dpdk-testpmd" };
	check_with("", WC_ENVIRONMENT);
	says("missing  device " FAKE_BDF ": dpdk-testpmd (pid 42) has it open\n");
	assert_int_equal(fake.opened, 0);

	fake.holder.pid = 0;
	fake_remove("/dev/vfio/12");
	check_with("", WC_ENVIRONMENT);
	says("missing  device " FAKE_BDF ": /dev/vfio/devices/vfio3: No such file");
	says("             be root, or: chown USER /dev/vfio/devices/vfio3\n");
	fake_file("/dev/vfio/devices/vfio3", "");
	check_with("", WC_OK);
	fake_remove("/dev/vfio/devices/vfio3");
	fake_file("/dev/vfio/noiommu-12", "");
	check_with("", WC_OK);
	assert_int_equal(fake.opened, 2);
}

static void
a_kernel_without_cookies(void **state)
{
	(void)state;
	fake.no_cookies = true;
	check_with("", WC_ENVIRONMENT);
	says("missing  " FAKE_BDF ": no mmap cookies\n"
		"             kernel-patch/vfio-wc-modules install\n");
	file_says(false, 1);
	check_with(" --arms plain", WC_OK);
}

static void
advice_is_no_reason_not_to_start(void **state)
{
	(void)state;
	fake_file("/sys/devices/system/cpu/isolated", "1-3,5\n");
	fake_file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
	fake_remove("/sys/kernel/debug/x86/pat_memtype_list");
	check_with(" --witness", WC_USAGE);
	check_with(" --witness /nowhere/witness", WC_ENVIRONMENT);
	says("missing  witness /nowhere/witness: No such file or directory\n");
	check_with("", WC_OK);
	says("advice   lcore 0 is not isolated: other tasks run there, too\n"
		"             isolcpus=0 nohz_full=0 rcu_nocbs=0 for the kernel");
	says("advice   lcore 0 changes its frequency (governor powersave)\n"
		"             echo performance > /sys/devices/system/cpu/cpu0/cpufreq/"
		"scaling_governor\n");
	says("advice   /sys/kernel/debug/x86/pat_memtype_list: No such file or directory: ");
	file_says(true, 0);
	fake_file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
	check_with("", WC_OK);
	says("ready    lcore 0: governor\n");
}

static void
what_is_wrong_is_not_missing(void **state)
{
	(void)state;
	check_with(" --range bar=4,offset=0x4000", WC_USAGE);
	assert_said("leaves the BAR");
	file_says(false, 1);
	check_with(" --device 00:1e.7 --range bar=4", WC_ENVIRONMENT);
	assert_said("no such PCI device");
	says("missing  device 00:1e.7: no such PCI device\n");
	file_says(false, 1);
}

/* Nor is what stood in the file before taken for the answer. */
static void
no_old_answer_stays(void **state)
{
	(void)state;
	check_with("", WC_OK);
	file_says(true, 0);
	check_with(" --repeats 0", WC_USAGE);
	file_says(false, 1);
	check_with("", WC_OK);
	fake.no_cpu = true;
	check_with("", WC_ENVIRONMENT);
	says("missing  lcore 1: no such CPU");
	file_says(false, 1);
}

/* Where JSON goes to the standard output, nothing else does. */
static void
json_is_alone(void **state)
{
	const int out = dup(STDOUT_FILENO);
	char text[8192], *argv[16], *rest, line[] = "x --check --device 00:03.0 --range bar=4 "
		"--arms plain --testpmd /bin/true --json /tmp/../proc/self/fd/1";
	int ends[2], argc = 0;
	json_t *json;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fflush(stdout);
	dup2(ends[1], STDOUT_FILENO);
	for (rest = line; (argv[argc] = strsep(&rest, " ")) != NULL; argc++)
		;
	perf(argc, argv);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(ends[1]);
	n = read(ends[0], text, sizeof(text));
	close(ends[0]);
	assert_true(n > 0);
	json = json_loadb(text, n, 0, NULL);
	assert_non_null(json);
	json_decref(json);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(all_is_there),
		T(all_that_is_missing_is_said_at_once),
		T(a_device_that_is_not_ours),
		T(a_kernel_without_cookies),
		T(advice_is_no_reason_not_to_start),
		T(what_is_wrong_is_not_missing),
		T(no_old_answer_stays),
		T(json_is_alone),
	};

	unsetenv("WC_WITNESS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
