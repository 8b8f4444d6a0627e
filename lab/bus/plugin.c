/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A QEMU TCG plugin that sees what reaches the bus: every access of the guest to the BARs of the
 * device under test, the memory type that the guest's page tables give it, and everything that
 * drains write-combining buffers. It counts in windows that a client of its socket opens and closes
 * (host/witness.py; the guest's word in that is the witness's verb "bus").
 *
 *   -plugin file=bus.so,socket=PATH[,buffers=10][,payload=128][,kernel=on]
 *
 * Without kernel=on, only user mode's accesses are seen and only its instructions counted: DPDK's
 * drivers live there, and a guest boots three times as fast. What drains buffers is seen anywhere.
 *
 * The socket, lines of text:
 *   pat T0 T1 ... T7              the PAT, as types' names; until then: what Linux programs
 *   start CPUS PA LENGTH ...      count from zero, on the virtual CPUs of that mask, accesses to
 *                                 these physical ranges
 *   stop                          what was counted: lines of core_report(), then "end"
 *   pace PS UC WC                 from now on an instruction takes so many ps, a PCIe write as long
 *                                 as so many thousandths of one, uncached or from a WC buffer, on
 *                                 the CPUs and as long as a window is open; 0 0 0: nothing is held
 *
 * Threads: each virtual CPU has a thread and a struct cpu of its own; the socket has a thread. What
 * both touch is under the struct's lock, which nobody contends for while a window is open.
 */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "count.h"
#include "qemu_api.h"

#define MAX_CPUS 64
#define MAX_RANGES 16
#define PAGE 4096

struct cpu {
	pthread_mutex_t lock;
	struct core core;
	struct qemu_plugin_register *cr3, *cr4, *efer, *rip;
	GByteArray *scratch;
	uint64_t begin;		/* instructions when the window opened */
};

static struct {
	qemu_plugin_u64 instructions;
	unsigned int n_cpus;
	struct cpu *cpus[MAX_CPUS];
	unsigned int buffers, payload;
	bool kernel;
	int listener;
	/* Of the window: written while it is closed. */
	atomic_ulong active;	/* mask of CPUs; 0: no window is open */
	struct {
		uint64_t start, end;
	} ranges[MAX_RANGES];
	unsigned int n_ranges;
	struct pace pace;
	enum memtype pat[8];
} bus = {
	.buffers = WC_BUFFERS_DEFAULT,
	.payload = PAYLOAD_DEFAULT,
	.pat = {
		TYPE_WB, TYPE_WC, TYPE_UC_MINUS, TYPE_UC,
		TYPE_WB, TYPE_WP, TYPE_UC_MINUS, TYPE_WT,
	},
};

PLUGIN_EXPORT extern int qemu_plugin_version;
int qemu_plugin_version = PLUGIN_API;

PLUGIN_EXPORT int
qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

/* Kind and address (or offset) of an instruction, in the one word that a callback can carry. */
#define SITE_BITS 57 /* of an address, with 5-level paging */

static void *
pack(enum insn_kind kind, uint64_t address)
{
	return (void *)((uintptr_t)kind << SITE_BITS | (address & ((1ULL << SITE_BITS) - 1)));
}

static enum insn_kind
packed_kind(const void *word)
{
	return (uintptr_t)word >> SITE_BITS;
}

static uint64_t
packed_address(const void *word)
{
	/* Addresses are canonical: their upper bits repeat. */
	return (int64_t)((uintptr_t)word << (64 - SITE_BITS)) >> (64 - SITE_BITS);
}

/* The upper half of the address space is the kernel's. */
static bool
in_kernel(uint64_t va)
{
	return va >> 63 != 0;
}

static bool
counting(unsigned int vcpu)
{
	return atomic_load_explicit(&bus.active, memory_order_acquire) >> vcpu & 1;
}

static uint64_t
now(unsigned int vcpu)
{
	return qemu_plugin_u64_get(bus.instructions, vcpu);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Hold the CPU; a host whose processors are few has time for others meanwhile. */
static void
wait_until(int64_t ns)
{
	const struct timespec t = { ns / 1000000000, ns % 1000000000 };

	while (ns > now_ns() && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static bool
ours(uint64_t pa)
{
	unsigned int i;

	for (i = 0; i < bus.n_ranges; i++)
		if (pa >= bus.ranges[i].start && pa < bus.ranges[i].end)
			return true;
	return false;
}

static uint64_t
read_register(struct cpu *cpu, struct qemu_plugin_register *handle)
{
	uint64_t value = 0;

	g_byte_array_set_size(cpu->scratch, 0);
	if (qemu_plugin_read_register(handle, cpu->scratch))
		memcpy(&value, cpu->scratch->data, cpu->scratch->len < 8 ? cpu->scratch->len : 8);
	return value;
}

static bool
read_memory(void *ctx, uint64_t pa, uint64_t *value)
{
	struct cpu *cpu = ctx;

	if (qemu_plugin_read_memory_hwaddr(pa, cpu->scratch, sizeof(*value)) != 0)
		return false;
	memcpy(value, cpu->scratch->data, sizeof(*value));
	return true;
}

/* Physical address and memory type, by the guest's page tables. */
static bool
translate(struct cpu *cpu, uint64_t va, uint64_t *pa, enum memtype *type)
{
	struct walk_regs regs = {
		.cr3 = read_register(cpu, cpu->cr3),
		.cr4 = read_register(cpu, cpu->cr4),
		.efer = read_register(cpu, cpu->efer),
	};
	struct walk_leaf leaf;

	if (!walk(&regs, va, read_memory, cpu, &leaf))
		return false;
	*pa = leaf.pa;
	*type = bus.pat[leaf.pat];
	return true;
}

/*
 * Where the instruction is now. QEMU translates code once for all addresses at which it is mapped,
 * so what is known from then is its place relative to the page in which its block begins; that page
 * is where RIP, which QEMU keeps up block by block, points.
 */
static uint64_t
site_now(struct cpu *cpu, const void *word)
{
	return (read_register(cpu, cpu->rip) & -(uint64_t)PAGE) + packed_address(word);
}

/* The part of an access that lies in one page. */
static void
access_page(struct cpu *cpu, unsigned int vcpu, uint64_t va, const uint8_t *value,
	unsigned int length, bool store, const void *word, bool rest)
{
	enum memtype type;
	uint64_t pa;

	if (!translate(cpu, va, &pa, &type))
		return;
	if (!ours(pa)) {
		/* Another device: it matters only that it is uncached. */
		if (type == TYPE_UC || type == TYPE_UC_MINUS)
			core_uncached(&cpu->core, now(vcpu));
		return;
	}
	/* The load half of a locked access is no load of its own. */
	if (store)
		core_store(&cpu->core, type, pa, value, length, packed_kind(word), now(vcpu),
			site_now(cpu, word), rest);
	else if (packed_kind(word) != INSN_LOCKED)
		core_load(&cpu->core, type, pa, length, now(vcpu));
}

static void
on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t va, void *word)
{
	struct cpu *cpu;
	struct qemu_plugin_hwaddr *address;
	qemu_plugin_mem_value value;
	unsigned int length, room;
	int64_t goes_on = 0;
	uint64_t pa;
	bool store;

	if (!counting(vcpu))
		return;
	address = qemu_plugin_get_hwaddr(info, va);
	if (address == NULL)
		return;
	cpu = bus.cpus[vcpu];
	pa = qemu_plugin_hwaddr_phys_addr(address);
	length = 1u << qemu_plugin_mem_size_shift(info);
	room = PAGE - va % PAGE;
	/* Nearly all accesses end here. */
	if (!ours(pa) && length <= room &&
			(cpu->core.wc.used == 0 || !qemu_plugin_hwaddr_is_io(address)))
		return;
	store = qemu_plugin_mem_is_store(info);
	value = qemu_plugin_mem_get_value(info);
	pthread_mutex_lock(&cpu->lock);
	if (counting(vcpu)) {
		access_page(cpu, vcpu, va, value.data.bytes, length < room ? length : room, store,
			word, false);
		if (length > room)
			access_page(cpu, vcpu, va + room, value.data.bytes + room, length - room,
				store, word, true);
		if (store && bus.pace.ps != 0 && ours(pa))
			goes_on = core_goes_on(&cpu->core, &bus.pace, now(vcpu) - cpu->begin,
				now_ns());
	}
	pthread_mutex_unlock(&cpu->lock);
	wait_until(goes_on);
}

static void
on_insn(unsigned int vcpu, void *word)
{
	struct cpu *cpu;

	if (!counting(vcpu))
		return;
	cpu = bus.cpus[vcpu];
	pthread_mutex_lock(&cpu->lock);
	if (counting(vcpu))
		core_insn(&cpu->core, packed_kind(word), now(vcpu), packed_address(word));
	pthread_mutex_unlock(&cpu->lock);
}

static void
on_discontinuity(unsigned int vcpu, enum qemu_plugin_discon_type type, uint64_t from, uint64_t to,
	void *userdata)
{
	struct cpu *cpu;

	(void)type, (void)from, (void)to, (void)userdata;
	if (!counting(vcpu))
		return;
	cpu = bus.cpus[vcpu];
	pthread_mutex_lock(&cpu->lock);
	if (counting(vcpu))
		core_interrupt(&cpu->core, now(vcpu));
	pthread_mutex_unlock(&cpu->lock);
}

static void
on_translate(struct qemu_plugin_tb *tb, void *userdata)
{
	size_t i, length, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn;
	enum insn_kind kind;
	uint8_t code[16];
	uint64_t site, page = 0;

	(void)userdata;
	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		length = qemu_plugin_insn_data(insn, code, sizeof(code));
		kind = decode(code, length);
		site = qemu_plugin_insn_vaddr(insn);
		if (i == 0)
			page = site & -(uint64_t)PAGE;
		if (kind != INSN_PLAIN && kind != INSN_VEX)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn,
				QEMU_PLUGIN_CB_NO_REGS, pack(kind, site));
		if (in_kernel(site) && !bus.kernel)
			continue;
		/*
		 * Instruction by instruction, not block by block: QEMU leaves a block in its
		 * middle at an access to a device, and translates the rest anew.
		 */
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn,
			QEMU_PLUGIN_INLINE_ADD_U64, bus.instructions, 1);
		qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_R_REGS,
			QEMU_PLUGIN_MEM_RW, pack(kind, site - page));
	}
}

static void
on_vcpu(unsigned int vcpu, void *userdata)
{
	GArray *registers = qemu_plugin_get_registers();
	const qemu_plugin_reg_descriptor *r = (const void *)registers->data;
	struct cpu *cpu = bus.cpus[vcpu];
	unsigned int i;

	(void)userdata;
	for (i = 0; i < registers->len; i++)
		if (strcmp(r[i].name, "cr3") == 0)
			cpu->cr3 = r[i].handle;
		else if (strcmp(r[i].name, "cr4") == 0)
			cpu->cr4 = r[i].handle;
		else if (strcmp(r[i].name, "efer") == 0)
			cpu->efer = r[i].handle;
		else if (strcmp(r[i].name, "rip") == 0)
			cpu->rip = r[i].handle;
	g_array_free(registers, true);
	cpu->scratch = g_byte_array_new();
	/* This thread is the CPU: it wakes up when it is to. */
	prctl(PR_SET_TIMERSLACK, 1UL);
}

/* --- The socket ------------------------------------------------------------------------------- */

/* Close the window. A CPU may be in the middle of an access: its lock says when it is not. */
static void
close_window(unsigned long mask)
{
	unsigned int i;

	atomic_store_explicit(&bus.active, 0, memory_order_release);
	for (i = 0; i < bus.n_cpus; i++) {
		pthread_mutex_lock(&bus.cpus[i]->lock);
		if (mask >> i & 1) {
			struct core *core = &bus.cpus[i]->core;

			wcbuf_drain(&core->wc, WC_END, now(i));
			core->c.instructions = now(i) - bus.cpus[i]->begin;
		}
		pthread_mutex_unlock(&bus.cpus[i]->lock);
	}
}

static const char *
do_start(char **save)
{
	const char *word = strtok_r(NULL, " ", save), *length;
	unsigned long mask;
	unsigned int i, n = 0;

	if (word == NULL)
		return "start: no CPUs";
	mask = strtoul(word, NULL, 0);
	if (mask == 0 || mask >> bus.n_cpus != 0)
		return "start: no such CPUs";
	close_window(0);
	while ((word = strtok_r(NULL, " ", save)) != NULL) {
		length = strtok_r(NULL, " ", save);
		if (length == NULL || n == MAX_RANGES)
			return "start: ranges";
		bus.ranges[n].start = strtoull(word, NULL, 0);
		bus.ranges[n].end = bus.ranges[n].start + strtoull(length, NULL, 0);
		n++;
	}
	bus.n_ranges = n;
	for (i = 0; i < bus.n_cpus; i++) {
		core_reset(&bus.cpus[i]->core);
		bus.cpus[i]->begin = now(i);
	}
	atomic_store_explicit(&bus.active, mask, memory_order_release);
	return NULL;
}

static const char *
do_stop(FILE *to)
{
	const unsigned long mask = bus.active;
	struct core *sum;
	unsigned int i;

	if (mask == 0)
		return "stop: nothing was started";
	close_window(mask);
	sum = malloc(sizeof(*sum));
	if (sum == NULL)
		return "out of memory";
	core_init(sum, bus.buffers, bus.payload);
	for (i = 0; i < bus.n_cpus; i++)
		if (mask >> i & 1)
			core_add(sum, &bus.cpus[i]->core);
	core_report(sum, to);
	if (bus.pace.ps != 0)
		fprintf(to, "pace_ps %" PRIu64 "\npace_uc %" PRIu64 "\npace_wc %" PRIu64 "\n",
			bus.pace.ps, bus.pace.uc, bus.pace.wc);
	free(sum);
	return NULL;
}

static const char *
do_pat(char **save)
{
	enum memtype pat[8];
	unsigned int i;
	char *word;

	for (i = 0; i < 8; i++) {
		word = strtok_r(NULL, " ", save);
		pat[i] = word != NULL ? memtype_by_name(word) : N_MEMTYPES;
		if (pat[i] == N_MEMTYPES)
			return "pat: eight types are needed";
	}
	memcpy(bus.pat, pat, sizeof(pat));
	return NULL;
}

static const char *
do_pace(const char *words)
{
	struct pace pace;

	if (bus.active != 0)
		return "pace: a window is open";
	if (sscanf(words, "%" SCNu64 " %" SCNu64 " %" SCNu64, &pace.ps, &pace.uc, &pace.wc) != 3)
		return "pace: three numbers are needed";
	bus.pace = pace;
	return NULL;
}

static void
serve(FILE *from, FILE *to)
{
	char line[1024], *verb, *save;
	const char *error;

	while (fgets(line, sizeof(line), from) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		verb = strtok_r(line, " ", &save);
		error = verb == NULL ? "what?" :
			strcmp(verb, "start") == 0 ? do_start(&save) :
			strcmp(verb, "stop") == 0 ? do_stop(to) :
			strcmp(verb, "pace") == 0 ? do_pace(save) :
			strcmp(verb, "pat") == 0 ? do_pat(&save) : "no such request";
		if (error != NULL)
			fprintf(to, "error %s\n", error);
		else
			fputs("end\n", to);
		fflush(to);
	}
}

static void *
control(void *arg)
{
	FILE *from, *to;
	int fd;

	(void)arg;
	for (;;) {
		fd = accept(bus.listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		from = fdopen(fd, "r");
		to = fdopen(dup(fd), "w");
		if (from != NULL && to != NULL)
			serve(from, to);
		if (from != NULL)
			fclose(from);
		if (to != NULL)
			fclose(to);
	}
}

static int
listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pthread_t thread;

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	bus.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bus.listener < 0 ||
			bind(bus.listener, (const struct sockaddr *)&address,
				sizeof(address)) < 0 ||
			listen(bus.listener, 1) < 0)
		return -1;
	return pthread_create(&thread, NULL, control, NULL) == 0 ? 0 : -1;
}

int
qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	const char *path = NULL;
	unsigned int i;

	for (i = 0; i < (unsigned int)argc; i++)
		if (strncmp(argv[i], "socket=", 7) == 0) {
			path = argv[i] + 7;
		} else if (sscanf(argv[i], "buffers=%u", &bus.buffers) != 1 &&
				sscanf(argv[i], "payload=%u", &bus.payload) != 1 &&
				!(bus.kernel = strcmp(argv[i], "kernel=on") == 0)) {
			fprintf(stderr, "bus: what is %s?\n", argv[i]);
			return -1;
		}
	if (strcmp(info->target_name, "x86_64") != 0 || !info->system_emulation ||
			info->system.max_vcpus > MAX_CPUS || bus.buffers == 0 ||
			bus.buffers > WC_BUFFERS_MAX || bus.payload < WC_LINE) {
		fprintf(stderr,
			"bus: not for this machine, or buffers= or payload= is out of range\n");
		return -1;
	}
	bus.n_cpus = info->system.max_vcpus;
	bus.instructions.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	for (i = 0; i < bus.n_cpus; i++) {
		bus.cpus[i] = calloc(1, sizeof(struct cpu));
		if (bus.cpus[i] == NULL)
			return -1;
		pthread_mutex_init(&bus.cpus[i]->lock, NULL);
		core_init(&bus.cpus[i]->core, bus.buffers, bus.payload);
	}
	if (path == NULL || listen_at(path) < 0) {
		fprintf(stderr, "bus: cannot listen at %s\n", path != NULL ? path : "(no socket=)");
		return -1;
	}
	qemu_plugin_register_vcpu_init_cb(id, on_vcpu, NULL);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate, NULL);
	qemu_plugin_register_vcpu_discon_cb(id,
		QEMU_PLUGIN_DISCON_INTERRUPT | QEMU_PLUGIN_DISCON_EXCEPTION, on_discontinuity,
		NULL);
	return 0;
}
