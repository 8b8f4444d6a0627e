// SPDX-License-Identifier: GPL-2.0-only
/* Two types at once, by whoever comes first: never both */
static int holders[2];

static void claim(struct worker *w, __u32 attr)
{
	for (; !stopped(); w->rounds++) {
		void *p = map_attr(dev.fd, attr, 1, 2);

		if (p == MAP_FAILED) {
			w->errors += errno != EBUSY;
			continue;
		}
		__atomic_add_fetch(&holders[attr], 1, __ATOMIC_SEQ_CST);
		w->errors += __atomic_load_n(&holders[!attr], __ATOMIC_SEQ_CST) != 0;
		w->errors += !touch_pages(p, 2);
		__atomic_sub_fetch(&holders[attr], 1, __ATOMIC_SEQ_CST);
		munmap(p, at(2));
	}
}

static void *claim_wc(void *arg)
{
	claim(arg, WC);
	return NULL;
}

static void *claim_nc(void *arg)
{
	claim(arg, NC);
	return NULL;
}

TEST_F(wc4, conflict_race)
{
	void *(*const workers[])(void *) = { claim_wc, claim_nc, claim_wc, claim_nc };

	run_workers(_metadata, workers, ARRAY_SIZE(workers));
}

/* Everything at once. Accesses may fault: memory comes and goes, too. */
static void *random_slices(void *arg)
{
	unsigned int seed = (uintptr_t)&seed;
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		long page = rand_r(&seed) % 3, n = 1 + rand_r(&seed) % (4 - page);
		void *p = map_attr(dev.fd, WC, page, n);
		long i;

		if (p == MAP_FAILED) {
			w->errors++;
			continue;
		}
		touch_pages(p, n);
		/* In pieces; each once, for what is free others may map */
		i = rand_r(&seed) % n;
		munmap(p + at(i), page_size);
		if (i > 0)
			munmap(p, at(i));
		if (i < n - 1)
			munmap(p + at(i + 1), at(n - i - 1));
	}
	return NULL;
}

static void *touch_plain(void *arg)
{
	void *p = map_plain(dev.fd, 0, 4);
	struct worker *w = arg;

	for (; !stopped(); w->rounds++)
		for (int i = 0; i < 4; i++)
			touch(p + at(i));
	munmap(p, at(4));
	return NULL;
}

static void *read_any(void *arg)
{
	struct worker *w = arg;
	__u64 value;

	for (; !stopped(); w->rounds++)
		if (pread(dev.fd, &value, 4, bar()->offset + at(w->rounds % 4)) != 4 &&
		    errno != EIO)
			w->errors++;
	return NULL;
}

static void *toggle_memory(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		if (is_virtfn())
			continue;
		w->errors += !!memory_enable(false);
		sched_yield();
		w->errors += !!memory_enable(true);
		usleep(1000);
	}
	return NULL;
}

static void *forker(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		int status = -1;
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (waitpid(pid, &status, 0) != pid || status)
			w->errors++;
	}
	return NULL;
}

TEST_F(wc4, stress)
{
	void *(*const workers[])(void *) = {
		random_slices, random_slices, touch_plain, read_any, toggle_memory, forker,
	};
	char *before, *after;
	void *p;

	before = snapshot();
	run_workers(_metadata, workers, ARRAY_SIZE(workers));
	EXPECT_RELEASED();
	after = snapshot();
	EXPECT_STREQ(before, after);
	p = map_attr(dev.fd, WC, 1, 2);
	ASSERT_MAPPED(p);
	EXPECT_TYPE("WC", p, 1, 2);
	munmap(p, at(2));
}
