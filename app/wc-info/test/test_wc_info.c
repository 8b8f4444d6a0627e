/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_root.h"
#include "missing.h"
#include "record.h"
#include "report.h"
#include "telemetry.h"
#include "test.h"
#include "wc_info.h"

#define PAT_LIST "/sys/kernel/debug/x86/pat_memtype_list"

/* ---- the kernel's and DPDK's side ---- */

static struct {
	unsigned int opens;
	int open_err;
	uint32_t types;		/* of BAR 4 */
	const char *ranges;	/* the plugin's, or NULL: there is none */
	const char *list, *info;	/* what it has, and more of the last */
	const char *params;	/* EAL's */
	int ask_err;		/* where there is no answer; 0: it knows no such command */
	bool telemetry;
	pid_t pid;		/* whose that is */
} fake;

int __wrap_vfio_wc_open(const struct vfio_wc_sysfs *pci, const char *token,
		struct vfio_wc_opened *opened, struct vfio_wc_why *why);
int __wrap_rte_vfio_wc_probe(const char *device, int fd, struct rte_vfio_wc_error *error);
int __wrap_rte_vfio_wc_bar_info(const char *device, int fd, unsigned int bar,
		struct rte_vfio_wc_bar_info *info, struct rte_vfio_wc_error *error);
int __wrap_telemetry_connect(pid_t pid, unsigned int patience);
json_t *__wrap_telemetry_ask(int fd, const char *command, const volatile int *stop);

int
__wrap_vfio_wc_open(const struct vfio_wc_sysfs *pci, const char *token,
		struct vfio_wc_opened *opened, struct vfio_wc_why *why)
{
	(void)token;
	assert_string_equal(pci->bdf, FAKE_BDF);
	fake.opens++;
	*opened = (struct vfio_wc_opened){ -1, -1, -1 };
	snprintf(why->text, sizeof(why->text), "the reason");
	return -fake.open_err;
}

int
__wrap_rte_vfio_wc_probe(const char *device, int fd, struct rte_vfio_wc_error *error)
{
	(void)device;
	(void)fd;
	(void)error;
	return 0;
}

int
__wrap_rte_vfio_wc_bar_info(const char *device, int fd, unsigned int bar,
		struct rte_vfio_wc_bar_info *info, struct rte_vfio_wc_error *error)
{
	(void)device;
	(void)fd;
	(void)error;
	*info = (struct rte_vfio_wc_bar_info){ .types = bar == 4 ? fake.types : 0 };
	return 0;
}

int
__wrap_telemetry_connect(pid_t pid, unsigned int patience)
{
	(void)patience;
	return fake.telemetry && pid == fake.pid ? dup(STDERR_FILENO) : -ENOENT;
}

json_t *
__wrap_telemetry_ask(int fd, const char *command, const volatile int *stop)
{
	const char *text = strcmp(command, "/vfio_wc/ranges") == 0 ? fake.ranges :
		strcmp(command, "/vfio_wc/list") == 0 ? fake.list :
		strcmp(command, "/vfio_wc/info,vfio_wc0/1") == 0 ? fake.info :
		strcmp(command, "/eal/params") == 0 ? fake.params : NULL;

	(void)fd;
	(void)stop;
	errno = fake.ask_err != 0 ? fake.ask_err : ENOENT;
	return text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

/* ---- a machine ---- */

/* An IOMMU, vfio-pci, and a virtio-net that it has; nobody uses it, and nothing of it is WC. */
static int
setup(void **state)
{
	if (fake_root_make(state) != 0)
		return -1;
	memset(&fake, 0, sizeof(fake));
	fake.types = 3;
	fake_virtio();
	fake_file(FAKE_SYSFS "/class", "0x020000\n");
	fake_file("/sys/kernel/iommu_groups/12/type", "DMA\n");
	fake_file("/sys/bus/pci/drivers/vfio-pci/bind", "");
	fake_file("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n");
	fake_file("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda quiet\n");
	fake_file("/dev/vfio/12", "");
	fake_file(PAT_LIST, "PAT memtype list:\n");
	return 0;
}

/* DPDK with the plugin has it, and the kernel has given BAR 4 [0x3000, 0x4000) as WC. */
static void
in_use(void)
{
	fake_file("/proc/42/comm", "testpmd\n");
	fake_link("/proc/42/fd/7", "/dev/vfio/12");
	fake_file(PAT_LIST, "PAT memtype list:\n"
		"PAT: [mem 0x000000fea0003000-0x000000fea0004000] write-combining\n");
	fake.telemetry = true;
	fake.pid = 42;
	fake.ranges = "{\"a\": {\"device\": \"" FAKE_BDF "\", \"bar\": 4, \"offset\": 12288, "
		"\"length\": 4096, \"state\": \"on\", \"requested\": \"WC\", "
		"\"reason\": \"fine\"}}";
	fake.params = "[\"testpmd\", \"-a\", \"" FAKE_BDF "\"]";
}

/* The machine has no device on vfio-pci. */
static void
unbind(void)
{
	fake_link(FAKE_SYSFS "/driver", "../../../bus/pci/drivers/virtio-pci");
}

static char printed[16384];

/* dpdk-wc-info with up to two arguments; what it prints on both streams is in printed. */
static int
run(const char *first, const char *second)
{
	char name[] = "dpdk-wc-info", one[64], two[64];
	char *argv[] = { name, first != NULL ? one : NULL, second != NULL ? two : NULL, NULL };
	const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	FILE *f = tmpfile();
	int status;

	snprintf(one, sizeof(one), "%s", first != NULL ? first : "");
	snprintf(two, sizeof(two), "%s", second != NULL ? second : "");
	fflush(NULL);
	dup2(fileno(f), STDOUT_FILENO);
	dup2(fileno(f), STDERR_FILENO);
	status = wc_info(1 + (first != NULL) + (second != NULL), argv);
	fflush(NULL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(f);
	printed[fread(printed, 1, sizeof(printed) - 1, f)] = '\0';
	fclose(f);
	return status;
}

#define says(part) assert_contains(printed, part)
#define says_not(part) do { \
	if (strstr(printed, part) != NULL) \
		fail_msg("\"%s\" is in: %s", part, printed); \
} while (0)

/* ---- what is missing ---- */

static void
nothing_bound_is_said(void **state)
{
	(void)state;
	unbind();
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says("Missing: no device is bound to vfio-pci; network devices: " FAKE_BDF
		" (virtio-pci).\n    dpdk-devbind.py --bind=vfio-pci ADDRESS\n");
	says_not("IOMMU");
	says_not("modprobe");

	fake_file(FAKE_SYSFS "/class", "0x010000\n");
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says("network devices: none.");

	fake_remove("/sys/bus/pci/drivers/vfio-pci");
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says("Missing: the module vfio-pci is not loaded.\n    modprobe vfio-pci\n");

	/* variants are modules of their own */
	fake_file("/sys/bus/pci/drivers/mlx5_vfio_pci/bind", "");
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says_not("modprobe");

	fake_remove("/sys/bus");
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says("Missing: /sys/bus/pci/devices is not here");
}

static void
no_iommu_is_said(void **state)
{
	(void)state;
	unbind();
	fake_remove("/sys/kernel/iommu_groups/12");
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says("Missing: there is no IOMMU, or it is off.");
	says("no-IOMMU mode, which does without one and protects nothing, is off.\n"
		"    echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode\n");
	says("no device is bound to vfio-pci");

	fake_file("/proc/cmdline", "quiet intel_iommu=off\n");
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says("Missing: the IOMMU is off: the kernel's command line has intel_iommu=off.");

	fake_remove("/sys/module/vfio/parameters");
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says("this kernel has no no-IOMMU mode");
	fake_remove("/sys/module/vfio");
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says("    modprobe vfio enable_unsafe_noiommu_mode=1\n");

	/* groups of that mode are no sign of an IOMMU */
	fake_file("/sys/kernel/iommu_groups/0/name", "vfio-noiommu\n");
	fake_file("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	assert_int_equal(run(NULL, NULL), NO_DEVICE);
	says("the IOMMU is off");
	says_not("no-IOMMU mode");
}

static void
what_is_missing_is_in_the_json(void **state)
{
	json_t *all, *missing;

	(void)state;
	unbind();
	fake_remove("/sys/kernel/iommu_groups/12");
	assert_int_equal(run("--json", NULL), NO_DEVICE);
	all = json_loads(printed, 0, NULL);
	missing = json_object_get(all, "missing");
	assert_int_equal(json_array_size(json_object_get(all, "devices")), 0);
	assert_int_equal(json_array_size(missing), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(missing, 2), "mend")),
		"dpdk-devbind.py --bind=vfio-pci ADDRESS");
	json_decref(all);
}

static void
a_device_named_that_is_not_bound(void **state)
{
	(void)state;
	unbind();
	assert_int_equal(run("00:03.0", NULL), NOT_A_VFIO_DEVICE);
	says("is bound to virtio-pci, not to vfio-pci; dpdk-devbind.py --bind=vfio-pci " FAKE_BDF
		"\n");
	says_not("Missing");
	fake_remove("/sys/kernel/iommu_groups/12");
	assert_int_equal(run("00:03.0", NULL), NOT_A_VFIO_DEVICE);
	says("Missing: there is no IOMMU");
	assert_int_equal(run("00:1f.7", NULL), NOT_A_VFIO_DEVICE);
	says("00:1f.7: no such PCI device");
	assert_int_equal(run("eth0", NULL), NOT_A_VFIO_DEVICE);
	says("eth0: is not a PCI address");
	assert_int_equal(run("--nonsense", NULL), BAD_USAGE);
	/* the other one is shown all the same */
	fake_virtio();
	assert_int_equal(run("eth0", FAKE_BDF), NOT_A_VFIO_DEVICE);
	says(FAKE_BDF "  1af4:1041  vfio-pci");
}

static void
no_iommu_mode_is_said(void **state)
{
	(void)state;
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says_not("no-IOMMU");
	fake_file("/sys/kernel/iommu_groups/12/name", "vfio-noiommu\n");
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says("no-IOMMU mode: nothing keeps its DMA from any memory");
}

/* As it stands behind -a of DPDK's programs. */
static void
an_address_with_arguments(void **state)
{
	(void)state;
	assert_int_equal(run("00:03.0,llq_policy=0,x=y", NULL), ALL_LEARNT);
	says(FAKE_BDF "  1af4:1041  vfio-pci");
	assert_int_equal(run("pci:0000:00:03.0,", NULL), ALL_LEARNT);
	assert_int_equal(run(",00:03.0", NULL), NOT_A_VFIO_DEVICE);
	says(",00:03.0: is not a PCI address");
}

/* ---- looking ---- */

static void
nothing_is_opened_unless_asked(void **state)
{
	(void)state;
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	assert_int_equal(fake.opens, 0);
	says("the kernel offers mmap cookies: unknown, not asked; --open asks the kernel");
	says("WC is off because nobody is seen to use the device, and the kernel's list of memory "
		"types has none of it");
	says_not("can be mapped as");

	/* nobody seen is not nobody */
	fake_remove(PAT_LIST);
	assert_int_equal(run(FAKE_BDF, NULL), PARTLY_LEARNT);
	assert_int_equal(fake.opens, 0);
	says("whether WC is on could not be learnt: nobody is seen to use the device");

	assert_int_equal(run("--open", NULL), ALL_LEARNT);
	assert_int_equal(fake.opens, 1);
	says("the kernel offers mmap cookies: yes");
	says("can be mapped as: UC- WC");
	says("WC is off because nobody uses the device; the kernel would offer it");

	fake.types = 1;
	assert_int_equal(run("--open", NULL), ALL_LEARNT);
	says("the kernel offers no write-combining here");
	fake.open_err = EPERM;
	assert_int_equal(run("--open", NULL), PARTLY_LEARNT);
	says("the kernel offers mmap cookies: unknown, the reason");
	assert_int_equal(fake.opens, 3);
}

/* Nor is one opened that somebody has. */
static void
a_device_in_use_is_not_opened(void **state)
{
	(void)state;
	in_use();
	assert_int_equal(run("--open", FAKE_BDF), ALL_LEARNT);
	assert_int_equal(fake.opens, 0);
	fake.telemetry = false;
	assert_int_equal(run("--open", FAKE_BDF), PARTLY_LEARNT);
	assert_int_equal(fake.opens, 0);
	says("used by testpmd (pid 42)");
	says("plugin: not asked, it has no DPDK telemetry socket that answers");
}

/* ---- what the plugin remembers, and how it is ---- */

static void
the_kernel_confirms_the_plugin(void **state)
{
	(void)state;
	in_use();
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says("WC is on because the plugin in testpmd (pid 42) has it from the kernel\n");
	says("plugin: BAR 4 [0x3000, 0x4000) on, asked for as WC: fine\n");
	says("[0x3000, 0x4000) is WC\n");
	assert_int_equal(run("--json", NULL), ALL_LEARNT);
	says("\"in_kernel_list\": true");

	/* in two pieces */
	fake_file(PAT_LIST, "PAT memtype list:\n"
		"PAT: [mem 0x000000fea0003000-0x000000fea0003800] write-combining\n"
		"PAT: [mem 0x000000fea0003800-0x000000fea0004000] write-combining\n");
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says("WC is on");

	/* no other witness: it is the plugin's word */
	fake_remove(PAT_LIST);
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says("WC is on because the plugin in testpmd (pid 42) has it from the kernel, it says; the "
		"kernel's list of memory types cannot be read");
}

static void
a_remembered_state_is_not_believed(void **state)
{
	static const char *const lists[] = {
		"PAT memtype list:\n",
		/* half of it; the other half; another page; the same page, another type */
		"PAT memtype list:\n"
		"PAT: [mem 0x000000fea0003000-0x000000fea0003800] write-combining\n",
		"PAT memtype list:\n"
		"PAT: [mem 0x000000fea0003800-0x000000fea0004000] write-combining\n",
		"PAT memtype list:\n"
		"PAT: [mem 0x000000fea0000000-0x000000fea0001000] write-combining\n",
		"PAT memtype list:\n"
		"PAT: [mem 0x000000fea0003000-0x000000fea0004000] uncached-minus\n",
	};
	size_t i;

	(void)state;
	in_use();
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		fake_file(PAT_LIST, lists[i]);
		assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
		says("WC is off because the kernel's list of memory types does not have BAR 4 "
			"[0x3000, 0x4000) as WC; the plugin in testpmd (pid 42) says that it is "
			"on: they disagree");
		says_not("WC is on");
		assert_int_equal(run("--json", NULL), PARTLY_LEARNT);
		says("\"in_kernel_list\": false");
		says("\"agree\": false");
		says("\"wc\": \"off\"");
	}

	/* of two ranges, one is gone */
	fake.ranges = "{\"a\": {\"device\": \"" FAKE_BDF "\", \"bar\": 4, \"offset\": 0, "
		"\"length\": 4096, \"state\": \"on\", \"requested\": \"WC\", \"reason\": \"\"}, "
		"\"b\": {\"device\": \"" FAKE_BDF "\", \"bar\": 4, \"offset\": 12288, "
		"\"length\": 4096, \"state\": \"on\", \"requested\": \"WC\", \"reason\": \"\"}}";
	fake_file(PAT_LIST, lists[3]);
	assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
	says("does not have BAR 4 [0x3000, 0x4000) as WC");
}

/* ---- who pushes, who is in the way ---- */

static void
who_does_not_push_is_said(void **state)
{
	static const struct {
		const char *params, *word;
	} cases[] = {
		{ "[\"x\", \"-a\", \"0000:00:03.0,llq_policy=0\"]", "llq_policy=0" },
		{ "[\"x\", \"-a00:03.0,large_llq_hdr=1,llq_policy=0\"]", "llq_policy=0" },
		{ "[\"x\", \"--allow=00:03.0,enable_llq=0,x=1\"]", "enable_llq=0" },
		{ "[\"x\", \"--allow\", \"pci:0000:00:03.0,llq_policy=0x0\"]", "llq_policy=0x0" },
		{ "[\"x\", \"-a\", \"0000:00:03.0,llq_policy=1\"]", NULL },
		{ "[\"x\", \"-a\", \"0000:00:03.0,llq_policy=\"]", NULL },
		{ "[\"x\", \"-a\", \"0000:00:04.0,llq_policy=0\", \"-a\", \"00:03.0\"]", NULL },
		{ "[\"x\", \"-a\", \"0000:00:03.0,not_llq_policy=0\", 3, \"\"]", NULL },
		{ NULL, NULL },
	};
	char text[128];
	size_t i;

	(void)state;
	in_use();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake.params = cases[i].params;
		assert_int_equal(run(NULL, NULL), ALL_LEARNT);
		says("WC is on");
		if (cases[i].word == NULL) {
			says("whether the PMD pushes there is the PMD's business");
			continue;
		}
		snprintf(text, sizeof(text), "but nobody pushes there: testpmd (pid 42) was "
			"started with %s\n", cases[i].word);
		says(text);
	}
	fake_remove("/proc/42");
	fake_file(PAT_LIST, "PAT memtype list:\n");
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says_not("pushes");
}

static void
who_has_a_bar_mapped_through_sysfs_is_said(void **state)
{
	(void)state;
	in_use();
	fake_file(PAT_LIST, "PAT memtype list:\n"
		"PAT: [mem 0x000000fea0000000-0x000000fea0004000] uncached-minus\n");
	fake.ranges = "{\"a\": {\"device\": \"" FAKE_BDF "\", \"bar\": 4, \"offset\": 12288, "
		"\"length\": 4096, \"state\": \"off\", \"requested\": \"WC\", "
		"\"reason\": \"mmap as WC: a page of it is held with another memory type, "
		"through somebody's cookie, through sysfs or by another driver\"}}";
	assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
	says("or by another driver\n");
	says_not("pcimem");

	fake_file("/proc/77/comm", "pcimem\n");
	fake_file("/proc/77/maps", "7f3a00000000-7f3a00004000 rw-s 00000000 00:16 72 "
		"/sys/devices/pci0000:00/0000:00:03.0/resource4\n");
	run(NULL, NULL);
	says("mapped through sysfs by pcimem (pid 77)");
	says("WC is off because mmap as WC: a page of it is held with another memory type, through "
		"somebody's cookie, through sysfs or by another driver: pcimem (pid 77) has BAR 4 "
		"mapped through sysfs\n");
	run("--json", NULL);
	says("\"sysfs_user\": {");
	says("\"name\": \"pcimem\"");

	/* nobody else has it */
	fake_remove("/proc/42");
	fake_file(PAT_LIST, "PAT memtype list:\n"
		"PAT: [mem 0x000000fea0000000-0x000000fea0004000] write-combining\n");
	run(NULL, NULL);
	says("WC is on because the kernel's list of memory types says so, for pcimem (pid 77), "
		"which has it mapped through sysfs\n");
}

/* Others' words are no reason to lose a device. */
static void
what_others_say_does_not_break_the_json(void **state)
{
	json_t *all, *device;

	(void)state;
	in_use();
	fake_file(PAT_LIST, "PAT memtype list:\n");
	fake.ranges = "{\"a\": {\"device\": \"" FAKE_BDF "\", \"bar\": 4, \"offset\": 12288, "
		"\"length\": 4096, \"state\": \"off\", \"requested\": \"WC\", "
		"\"reason\": \"no mmap cookies, \xc3\xa9\\u001b[2J\"}}";
	assert_int_equal(run("--json", NULL), ALL_LEARNT);
	all = json_loads(printed, 0, NULL);
	device = json_array_get(json_object_get(all, "devices"), 0);
	assert_string_equal(json_string_value(json_object_get(device, "because")),
		"no mmap cookies, ???[2J");
	json_decref(all);
}
/* What a process under vfio-wc-run has in its memory at 0x2000. */
static void
write_record(struct record *record)
{
	static unsigned char memory[0x2000 + sizeof(*record)];

	memcpy(memory + 0x2000, record, sizeof(*record));
	fake_bytes("/proc/42/mem", memory, sizeof(memory));
}

static void
the_launcher_is_listened_to_and_not_believed(void **state)
{
	static const char mappings[] = "00002000-00008000 rw-p 00000000 00:01 1056   "
		"                  /memfd:vfio-wc (deleted)\n"
		"1100804000-1100807000 rw-s 40000000000 00:0f 2071     anon_inode:[vfio-device]\n"
		"%s"
		"7f3a00000000-7f3a00004000 rw-p 00000000 00:00 0\n";
	struct record record = {
		.magic = RECORD_MAGIC, .nb_ranges = 2,
		.range[0] = {
			.device = FAKE_BDF, .bar = 4, .type = RTE_VFIO_WC_TYPE_WC,
			.mode = VFIO_WC_REQUIRED, .on = 1, .offset = 0x3000, .length = 0x1000,
			.fd_offset = 0x40000003000, .va = 0x1100807000,
		},
		.range[1] = {
			.device = "1af4:1041", .bar = 1, .type = RTE_VFIO_WC_TYPE_WC,
			.length = 0x1000, .reason = "the MSI-X\ntable",
		},
	};
	char text[1024];

	(void)state;
	in_use();
	fake.telemetry = false;
	fake.ranges = NULL;
	snprintf(text, sizeof(text), mappings,
		"1100807000-1100808000 rw-s 40000003000 00:0f 2071     anon_inode:[vfio-device]\n");
	fake_file("/proc/42/maps", text);
	write_record(&record);
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says("WC is on because vfio-wc-run in testpmd (pid 42) has it from the kernel\n");
	says("vfio-wc-run: BAR 4 [0x3000, 0x4000) on, asked for as WC: the kernel guarantees it\n");
	says("vfio-wc-run: BAR 1 [0x0, 0x1000) off, asked for as WC: the MSI-X?table\n");
	says_not("plugin");
	assert_int_equal(run("--json", NULL), ALL_LEARNT);
	says("\"by\": \"vfio-wc-run\"");
	says_not("\"by\": \"plugin\"");

	/* both at once: to each its own */
	fake.telemetry = true;
	fake.ranges = "{\"a\": {\"device\": \"" FAKE_BDF "\", \"bar\": 4, \"offset\": 0, "
		"\"length\": 4096, \"state\": \"off\", \"requested\": \"WC\", "
		"\"reason\": \"not now\"}}";
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says("WC is on because vfio-wc-run in testpmd (pid 42) has it from the kernel\n");
	says("  vfio-wc-run: BAR 4 [0x3000, 0x4000) on, asked for as WC: the kernel guar");
	says("  plugin: BAR 4 [0x0, 0x1000) off, asked for as WC: not now\n");
	fake.telemetry = false;

	/* the kernel does not know of it */
	fake_file(PAT_LIST, "PAT memtype list:\n");
	assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
	says("vfio-wc-run in testpmd (pid 42) says that it is on: they disagree");

	/* unmapped since */
	snprintf(text, sizeof(text), mappings, "");
	fake_file("/proc/42/maps", text);
	assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
	says("WC is off because it is not mapped any more");

	/* nothing that this program understands */
	record.nb_ranges = 65;
	write_record(&record);
	run(NULL, NULL);
	says_not("vfio-wc-run");
	record.nb_ranges = 2;
	strcpy(record.magic, "vfio-wc record 2");
	write_record(&record);
	run(NULL, NULL);
	says_not("vfio-wc-run");
}

/* A plugin that cannot be heard is not one that is not there. */
static void
telemetry_that_says_nothing(void **state)
{
	(void)state;
	in_use();
	fake_file(PAT_LIST, "PAT memtype list:\n");
	fake.ranges = NULL;
	assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
	says("plugin: not asked, it runs without the vfio_wc plugin\n");
	fake.ask_err = EAGAIN;
	assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
	says("not asked, its DPDK telemetry does not answer, or nothing that makes sense\n");
	says_not("without the vfio_wc plugin");
	fake.ranges = "7";
	assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
	says("not asked, its DPDK telemetry does not answer, or nothing that makes sense\n");
	says_not("was asked for no range");
}

/* DPDK leaves out of an answer what it has no room for, and does not say so. */
static void
what_does_not_fit_into_an_answer(void **state)
{
	(void)state;
	in_use();
	fake.info = "{\"device\": \"" FAKE_BDF "\", \"bar\": 4, \"offset\": 12288, "
		"\"length\": 4096, \"state\": \"on\", \"requested\": \"WC\", "
		"\"reason\": \"fine\"}";
	fake.ranges = "{\"vfio_wc0/0\": {\"device\": \"0000:00:04.0\", \"bar\": 0}}";
	fake.list = "[\"vfio_wc0/0\", 7, \"vfio_wc0/1\"]";
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says("WC is on because the plugin in testpmd (pid 42) has it from the kernel\n");
	says("plugin: BAR 4 [0x3000, 0x4000) on, asked for as WC: fine\n");
	/* all is there */
	fake.list = "[\"vfio_wc0/0\"]";
	run(NULL, NULL);
	says_not("plugin: BAR 4");
}

/* Nor does it make a range WC that there cannot be. */
static void
a_range_of_nothing_is_not_believed(void **state)
{
	static const char *const wheres[] = {
		"", "\"bar\": 4, ", "\"bar\": 4, \"offset\": 12288, \"length\": 0, ",
		"\"bar\": 4, \"offset\": 16384, \"length\": 4096, ",
		"\"bar\": 4, \"offset\": 12288, \"length\": 8192, ",
		"\"bar\": 4, \"offset\": -4096, \"length\": 4096, ",
		"\"bar\": 7, \"offset\": 12288, \"length\": 4096, ",
		"\"bar\": \"four\", \"offset\": 12288, \"length\": 4096, ",
	};
	static char ranges[512];
	size_t i;

	(void)state;
	in_use();
	/* what is around is WC, whosever that is */
	fake_file(PAT_LIST, "PAT memtype list:\n"
		"PAT: [mem 0x000000fe9fff0000-0x000000fea0010000] write-combining\n");
	fake.ranges = ranges;
	for (i = 0; i < sizeof(wheres) / sizeof(wheres[0]); i++) {
		snprintf(ranges, sizeof(ranges), "{\"a\": {\"device\": \"" FAKE_BDF "\", %s"
			"\"state\": \"on\", \"requested\": \"WC\", \"reason\": \"\"}}",
			wheres[i]);
		assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
		says_not("WC is on");
		says("they disagree");
	}
}

/* What is asked for and not had is not made good by what somebody else has. */
static void
others_wc_is_not_the_plugins(void **state)
{
	(void)state;
	in_use();
	fake.ranges = "{\"a\": {\"device\": \"" FAKE_BDF "\", \"bar\": 4, \"offset\": 12288, "
		"\"length\": 4096, \"state\": \"off\", \"requested\": \"WC\", "
		"\"reason\": \"not now\"}}";
	fake_file(PAT_LIST, "PAT memtype list:\n"
		"PAT: [mem 0x000000fea0000000-0x000000fea0001000] write-combining\n");
	run(NULL, NULL);
	says("WC is off because not now\n");
	says("[0x0, 0x1000) is WC\n");
	/* that very page: whoever maps it plainly has it, too */
	fake_file(PAT_LIST, "PAT memtype list:\n"
		"PAT: [mem 0x000000fea0003000-0x000000fea0004000] write-combining\n");
	run(NULL, NULL);
	says("WC is on because the kernel's list of memory types says so\n");
}

/* A secondary process without the plugin (dpdk-proc-info, say) has the device open, too. */
static void
of_several_users_the_one_that_knows_is_asked(void **state)
{
	(void)state;
	in_use();
	fake_file("/proc/41/comm", "dpdk-proc-info\n");
	fake_link("/proc/41/fd/3", "/dev/vfio/12");
	fake_file("/proc/1043/comm", "dpdk-dumpcap\n");
	fake_link("/proc/1043/fd/3", "/dev/vfio/12");
	assert_int_equal(run(NULL, NULL), ALL_LEARNT);
	says("used by testpmd (pid 42)\n");
	says("WC is on because the plugin in testpmd (pid 42) has it from the kernel\n");

	/* none does: the first, and what is to be said of it */
	fake.telemetry = false;
	assert_int_equal(run(NULL, NULL), PARTLY_LEARNT);
	says("used by dpdk-proc-info (pid 41)\n");
	says("plugin: not asked, it has no DPDK telemetry socket that answers\n");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, fake_root_remove)
	const struct CMUnitTest tests[] = {
		T(nothing_bound_is_said),
		T(no_iommu_is_said),
		T(what_is_missing_is_in_the_json),
		T(a_device_named_that_is_not_bound),
		T(no_iommu_mode_is_said),
		T(an_address_with_arguments),
		T(nothing_is_opened_unless_asked),
		T(a_device_in_use_is_not_opened),
		T(the_kernel_confirms_the_plugin),
		T(a_remembered_state_is_not_believed),
		T(who_does_not_push_is_said),
		T(who_has_a_bar_mapped_through_sysfs_is_said),
		T(what_others_say_does_not_break_the_json),
		T(the_launcher_is_listened_to_and_not_believed),
		T(telemetry_that_says_nothing),
		T(what_does_not_fit_into_an_answer),
		T(a_range_of_nothing_is_not_believed),
		T(others_wc_is_not_the_plugins),
		T(of_several_users_the_one_that_knows_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
