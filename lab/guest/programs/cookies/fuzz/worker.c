// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes that take the steps. Each waits at a pipe for its turn, does
 * what stands in the shared memory, says there what came of it, and then that
 * it is done. What they have open has the same numbers in all of them.
 */
#include <poll.h>
#include <sys/wait.h>

#include "device.h"
#include "witness.h"

#include "fuzz.h"

enum {
	FD_MACHINE = 200,
	FD_MAIL = 201,		/* two: what goes into the one comes out of the other */
	FD_TURN = 210,		/* two a process: where it waits, and what it is woken by */
	FD_DONE = 230,		/* likewise, for who waits for it */
	FD_EVENT = 250,
	FD_GROUP = 260,
	FD_CONTAINER = 270,
	FD_DEVICE = 280,
};

#define TAKE	's'		/* what a process is woken with: take the step, */
#define RECEIVE	'r'		/* receive what another sends, */
#define LOOK	'l'		/* have the witness look at the page tables */

static struct machine *machine;

static void *place(long page)
{
	return (void *)(ARENA + page * PAGE);
}

/* Descriptors in other processes' way have other numbers, and stay over exec */
static void renumber(int fd, int number)
{
	VFIO_ASSERT(fd >= 0 && dup2(fd, number) == number, "cannot open");
	close(fd);
}

static void renumber_pair(int pair[2], int number)
{
	renumber(pair[0], number);
	renumber(pair[1], number + 1);
}

/* A process: what it does in its turn */

static int ask_cookie(struct result *r, int file, int bar, int attr, __u64 start, __u64 size)
{
	r->ask = get_cookie(FD_DEVICE + file, bar, attr, start, size, &r->offset);
	return r->ask;
}

static int map_at(long at, long n, int prot, int flags, int file, __u64 offset)
{
	void *p = mmap(place(at), n * PAGE, prot, MAP_FIXED | flags, FD_DEVICE + file, offset);

	return p == MAP_FAILED ? errno : 0;
}

static int take_map(int d, const long long *a, struct result *r)
{
	const struct bar_facts *bar = &machine->device[d].bar[a[2]];
	__u64 offset = bar->offset + a[6] * PAGE;

	if (a[3] != PLAIN) {
		if (ask_cookie(r, a[1], a[2], a[3], a[4] * PAGE, a[5] * PAGE))
			return 0;
		offset = r->offset + (a[6] - a[4]) * PAGE;
	}
	return map_at(a[8], a[7], a[9] & (PROT_READ | PROT_WRITE),
		      a[9] & HOW_PRIVATE ? MAP_PRIVATE : MAP_SHARED, a[1], offset);
}

static int take_rw(bool write, int d, const long long *a, struct result *r)
{
	const struct bar_facts *bar = &machine->device[d].bar[a[2]];
	__u64 start = a[4] * PAGE, offset = bar->offset + start;
	ssize_t n;

	if (a[3] != PLAIN) {
		if (ask_cookie(r, a[1], a[2], a[3], start, PAGE))
			return 0;
		offset = r->offset;
	}
	r->value[0] = a[5];
	n = write ? pwrite(FD_DEVICE + a[1], &r->value[0], 4, offset) :
		    pread(FD_DEVICE + a[1], &r->value[0], 4, offset);
	return n == 4 ? 0 : n < 0 ? errno : ENODATA;
}

static void take_touch(long at, long n, struct result *r)
{
	for (r->done = 0; r->done < n; r->done++) {
		__u32 *p = place(at + r->done);

		if (!touch(p))
			break;
		if (r->done < MAX_TOUCH)
			r->value[r->done] = *(volatile __u32 *)p;
	}
}

/* What a device reaches is taken back at once: type1 keeps nothing of the mapping */
static int dma(int d, void *p, size_t size, bool write)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | (write ? VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = (uintptr_t)p,
		.iova = 1 << 30,
		.size = size,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = map.iova,
		.size = map.size,
	};

	if (ioctl(FD_CONTAINER + d, VFIO_IOMMU_MAP_DMA, &map) ||
	    ioctl(FD_CONTAINER + d, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return errno;
	return unmap.size == size ? 0 : EIO;
}

static int send_file(int fd)
{
	char space[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec iov = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(FD_MAIL, &msg, 0) == 1 ? 0 : errno;
}

static int receive_file(int number)
{
	char space[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	int fd;

	if (recvmsg(FD_MAIL + 1, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return EIO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	renumber(fd, number);
	return 0;
}

static void wake(int process, char what)
{
	VFIO_ASSERT(write(FD_TURN + 2 * process + 1, &what, 1) == 1, "a process is not woken");
}

static void done(int process)
{
	VFIO_ASSERT(write(FD_DONE + 2 * process + 1, "", 1) == 1, "nobody waits");
}

/* The child is not this one's, who may end before it does */
static int fork_worker(int process)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		pid = fork();
		if (!pid)
			_exit(worker_main(process));
		machine->turn[process].pid = pid;
		_exit(pid < 0);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status ? EAGAIN : 0;
}

static void take_cookie(const long long *a, struct result *r)
{
	struct vfio_device_feature_mmap_cookie c = {
		.region = a[2],
		.attr = a[3],
		.start = a[4],
		.size = a[5],
		.flags = a[6],
		.__reserved = a[7],
	};

	r->ask = feature(FD_DEVICE + a[1],
			 VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MMAP_COOKIE, &c, sizeof(c),
			 a[8]);
	r->offset = c.offset;
}

static int take(int process, const long long *a, enum op op, struct result *r)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
	};
	struct turn *turn = &machine->turn[process];
	int fd = FD_DEVICE + a[1], d = a[1] >= 0 && a[1] < FILES ? turn->device[a[1]] : 0;
	eventfd_t count;
	char number[8];
	void *p;

	dev.fd = fd;
	switch (op) {
	case OPEN:
		d = a[2];
		renumber(ioctl(FD_GROUP + d, VFIO_GROUP_GET_DEVICE_FD, machine->device[d].bdf), fd);
		if (a[3])
			fcntl(fd, F_SETFD, FD_CLOEXEC);
		turn->device[a[1]] = d;
		return 0;
	case CLOSE:
		return close(fd) ? errno : 0;
	case SEND:
		return send_file(FD_DEVICE + a[2]);
	case FORK:
		memcpy(machine->turn[a[1]].device, turn->device, sizeof(turn->device));
		return fork_worker(a[1]);
	case EXEC:
		snprintf(number, sizeof(number), "%d", process);
		execl("/proc/self/exe", "vfio-cookie-fuzz", "--process", number, NULL);
		return errno;
	case EXIT:
		_exit(0);
	case COOKIE:
		take_cookie(a, r);
		return 0;
	case MAP:
		return take_map(d, a, r);
	case WHOLE:
		return map_at(a[3], machine->device[d].bar[a[2]].size / PAGE, PROT_READ, MAP_SHARED,
			      a[1], machine->device[d].bar[a[2]].offset);
	case FOREIGN:
		if (ask_cookie(r, a[2], a[3], a[4],
			       a[5] * PAGE, a[6] * PAGE))
			return 0;
		return map_at(a[7], a[6], PROT_READ, MAP_SHARED, a[1], r->offset);
	case UNMAP:
		return munmap(place(a[1]), a[2] * PAGE) ? errno : 0;
	case MOVE:
		p = mremap(place(a[1]), a[2] * PAGE, a[2] * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   place(a[3]));
		return p == MAP_FAILED ? errno : 0;
	case RESIZE:
		p = mremap(place(a[1]), a[2] * PAGE, a[3] * PAGE, 0);
		return p == MAP_FAILED ? errno : 0;
	case PROTECT:
		return mprotect(place(a[1]), a[2] * PAGE, a[3]) ? errno : 0;
	case ADVISE:
		return madvise(place(a[1]), a[2] * PAGE, advice[a[3]]) ? errno : 0;
	case TOUCH:
		take_touch(a[1], a[2], r);
		return 0;
	case STORE:
		r->done = store(place(a[1]), a[2]);
		return 0;
	case READ:
	case WRITE:
		return take_rw(op == WRITE, d, a, r);
	case IOEVENT:
		return ioeventfd(machine->device[d].bar[a[2]].offset +
				 a[3] * PAGE, event_value(a),
				 4, a[5] ? FD_EVENT + a[4] : -1);
	case SIGNAL:
		/* What nobody waits for is not left for who comes later */
		if (eventfd_write(FD_EVENT + a[1], 1))
			return errno;
		eventfd_read(FD_EVENT + a[1], &count);
		return 0;
	case DMA:
		return dma(a[1], place(a[2]), a[3] * PAGE, a[4]);
	case MEMORY:
		return memory_enable(a[2]);
	case RESET:
		return ioctl(fd, VFIO_DEVICE_RESET) ? errno : 0;
	default:
		return ENOSYS;
	}
}

static void look(struct turn *turn)
{
	static struct leaf leaf[MAX_LEAVES];
	int n = walk_mmio(leaf, MAX_LEAVES);

	turn->entries = n;
	for (int i = 0; i < n; i++) {
		struct entry *e = &turn->entry[i];

		*e = (struct entry){
			.va = leaf[i].va,
			.pa = leaf[i].pa,
			.size = leaf[i].size,
			.writable = leaf[i].pte & 2,
		};
		memcpy(e->type, leaf[i].type, sizeof(e->type));
	}
}

static void share_machine(void)
{
	machine = mmap(NULL, sizeof(*machine), PROT_READ | PROT_WRITE, MAP_SHARED, FD_MACHINE, 0);
	VFIO_ASSERT(machine != MAP_FAILED, "no shared memory");
}

int worker_main(int process)
{
	struct sigaction fault = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	struct turn *turn;
	char what;
	int file;

	page_size = sysconf(_SC_PAGESIZE);
	pte_witness = env("WC_WITNESS");
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	if (!machine)
		share_machine();
	turn = &machine->turn[process];
	done(process);
	while (read(FD_TURN + 2 * process, &what, 1) == 1) {
		const struct step *step = &turn->step;

		memset(&turn->result, 0, sizeof(turn->result));
		switch (what) {
		case TAKE:
			turn->result.err = take(process, step->arg, step->op, &turn->result);
			break;
		case RECEIVE:
			file = step->arg[2];
			turn->result.err = receive_file(FD_DEVICE + file);
			turn->device[file] = machine->turn[step->arg[0]].device[file];
			break;
		case LOOK:
			look(turn);
		}
		done(process);
	}
	return 0;
}

/* Whoever hands out the turns */

static const char *dead(int process, int status)
{
	static char text[80];

	machine->turn[process].pid = 0;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "process %d died of signal %d", process,
			 WTERMSIG(status));
	else
		snprintf(text, sizeof(text), "process %d ended with %d", process,
			 WEXITSTATUS(status));
	return text;
}

static const char *await(int process)
{
	struct pollfd done = { .fd = FD_DONE + 2 * process, .events = POLLIN };
	double deadline = now() + 120;
	int status, ret;
	char byte;

	while ((ret = poll(&done, 1, 100)) <= 0 && now() < deadline)
		if (waitpid(machine->turn[process].pid, &status, WNOHANG) > 0)
			return dead(process, status);
	if (ret <= 0)
		return "a step takes two minutes";
	return read(done.fd, &byte, 1) == 1 ? NULL : "a pipe is broken";
}

static const char *go(int process, char what)
{
	wake(process, what);
	return await(process);
}

static const char *reap(int process)
{
	struct turn *turn = &machine->turn[process];
	int status;

	if (waitpid(turn->pid, &status, 0) != turn->pid)
		return "a process cannot be waited for";
	turn->pid = 0;
	return NULL;
}

const char *workers_take(struct machine *m, const struct step *step)
{
	int process = step->arg[0], to = step->arg[1];
	struct turn *turn = &m->turn[process];
	const char *why;
	pid_t pid;

	turn->step = *step;
	switch (step->op) {
	case SPAWN:
		fflush(stdout);
		memset(&turn->result, 0, sizeof(turn->result));
		pid = fork();
		if (!pid)
			_exit(worker_main(process));
		turn->pid = pid;
		return await(process);
	case FORK:
		why = go(process, TAKE);
		return why || turn->result.err ? why : await(to);
	case SEND:
		why = go(process, TAKE);
		if (why || turn->result.err)
			return why;
		m->turn[to].step = *step;
		why = go(to, RECEIVE);
		turn->result.err = m->turn[to].result.err;
		return why;
	case EXIT:
		if (step->arg[1])
			kill(turn->pid, SIGKILL);
		else
			wake(process, TAKE);
		memset(&turn->result, 0, sizeof(turn->result));
		return reap(process);
	default:
		return go(process, TAKE);
	}
}

const char *workers_look(struct machine *m, int process)
{
	const char *why = pte_witness ? go(process, LOOK) : NULL;

	return why ?: m->turn[process].entries < 0 ? "no answer from the witness" : NULL;
}

int workers_memtypes(const struct machine *m, int device, int bar, bool *wc)
{
	static struct memtype types[NR_MEMTYPES];
	long n = bar_window(m, device, bar);
	__u64 pa = m->device[device].bar[bar].pa;
	int found = memtypes(pa, pa + m->device[device].bar[bar].size, types, NR_MEMTYPES);

	for (long i = 0; wc && i < n; i++) {
		wc[i] = false;
		for (int j = 0; j < found; j++)
			wc[i] |= !strcmp(types[j].type, "WC") && types[j].start <= pa + i * PAGE &&
				 pa + i * PAGE < types[j].end;
	}
	return found;
}

void workers_end(struct machine *m)
{
	for (int i = 0; i < PROCS; i++) {
		if (!m->turn[i].pid)
			continue;
		kill(m->turn[i].pid, SIGKILL);
		reap(i);
	}
}

static void learn(int d, const char *bdf)
{
	struct device_facts *f = &machine->device[d];
	const char *why;

	memset(&dev, 0, sizeof(dev));
	dev.bdf = bdf;
	why = need_wc(false);
	if (why)
		ksft_exit_skip("%s: %s\n", bdf, why);
	snprintf(f->bdf, sizeof(f->bdf), "%s", bdf);
	f->virtfn = is_virtfn();
	f->resets = dev.info.flags & VFIO_DEVICE_FLAGS_RESET;
	for (int i = 0; i < BARS; i++) {
		const struct bar *b = &dev.bar[i];

		f->bar[i] = (struct bar_facts){
			.pa = b->pa,
			.size = b->size,
			.offset = b->offset,
			.cookies = !b->io && b->size >= page_size,
			.ram = dev.ram && i == dev.nr,
		};
		if (i == dev.msix_bar) {
			f->bar[i].msix = dev.msix_start / page_size;
			f->bar[i].msix_end = dev.msix_end / page_size;
		}
	}
	close(dev.fd);
	renumber(dev.vfio->group_fd, FD_GROUP + d);
	renumber(dev.vfio->iommu->container_fd, FD_CONTAINER + d);
}

/* BDF, or BDF=RAM-BAR */
struct machine *workers_open(int devices, char *bdf[])
{
	int pair[2];
	char *ram;

	page_size = sysconf(_SC_PAGESIZE);
	pte_witness = env("WC_WITNESS");
	renumber(memfd_create("machine", 0), FD_MACHINE);
	VFIO_ASSERT(!ftruncate(FD_MACHINE, sizeof(*machine)), "no shared memory");
	share_machine();
	machine->devices = devices;
	for (int i = 0; i < PROCS; i++) {
		VFIO_ASSERT(!pipe(pair), "no pipe");
		renumber_pair(pair, FD_TURN + 2 * i);
		VFIO_ASSERT(!pipe(pair), "no pipe");
		renumber_pair(pair, FD_DONE + 2 * i);
	}
	VFIO_ASSERT(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "no socket");
	renumber_pair(pair, FD_MAIL);
	for (int i = 0; i < EVENTS; i++)
		renumber(eventfd(0, EFD_NONBLOCK), FD_EVENT + i);
	for (int i = 0; i < devices; i++) {
		ram = strchr(bdf[i], '=');
		setenv("VFIO_SELFTESTS_RAM_BAR", ram ? ram + 1 : "", 1);
		if (ram)
			*ram = 0;
		learn(i, bdf[i]);
	}
	return machine;
}
