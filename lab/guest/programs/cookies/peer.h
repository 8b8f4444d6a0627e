/* SPDX-License-Identifier: GPL-2.0-only */
/* Those who do something at the same time: processes that take turns, threads that do not. */
#ifndef COOKIES_PEER_H
#define COOKIES_PEER_H

#include "device.h"

/* Another process that takes turns with this one */
struct peer {
	pid_t pid;
	int turn;
};

static void pass_turn(struct peer *peer)
{
	if (write(peer->turn, "", 1) != 1)
		_exit(KSFT_FAIL);
}

/* Without a peer there is nothing to wait for: the test has failed already */
static void take_turn(struct peer *peer)
{
	char c;

	if (read(peer->turn, &c, 1) != 1)
		_exit(KSFT_FAIL);
}

/* As fork(): 0 in the child */
static pid_t spawn(struct peer *peer)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return -1;
	peer->pid = fork();
	peer->turn = sv[!peer->pid];
	close(sv[!!peer->pid]);
	return peer->pid;
}

/* Exit status of the child, or minus the signal that ended it */
static int reap(struct peer *peer)
{
	int status;

	close(peer->turn);
	if (waitpid(peer->pid, &status, 0) != peer->pid)
		return -1;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Stress: threads that do one thing each until told to stop */
struct worker {
	pthread_t thread;
	volatile long rounds;
	long errors;
};

static bool stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void run_workers(struct __test_metadata *_metadata, void *(*const fn[])(void *), int n)
{
	struct worker w[8] = {};
	double deadline;

	stop = false;
	for (int i = 0; i < n; i++)
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, fn[i], &w[i]));
	sleep(STRESS_SECONDS);
	deadline = now() + 20;
	for (int i = 0; i < n; i++)
		while (w[i].rounds < STRESS_ROUNDS && now() < deadline)
			usleep(10000);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		EXPECT_LE(STRESS_ROUNDS, w[i].rounds)
			TH_LOG("worker %d did too little", i);
		EXPECT_EQ(0, w[i].errors)
			TH_LOG("worker %d: %ld of %ld rounds", i, w[i].errors, w[i].rounds);
	}
}

#endif
