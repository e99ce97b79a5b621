// SPDX-License-Identifier: GPL-3.0-or-later
// Linux's scheduler (EEVDF) lets a thread that wakes interrupt another one before its turn is over only if its own turns are shorter
// (kernel/sched/fair.c, PREEMPT_SHORT). Turns are 3 ms or so unless a thread says otherwise, and 100 ms at most.
#include "engine/base/courtesy.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__linux__) && defined(SYS_sched_setattr)

// As of Linux 3.14; the C library has no name for it yet.
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period; // nanoseconds; of an ordinary thread the first is the length of a turn
};

void thread_gives_way(void)
{
	static const uint64_t turn = 5000000;
	struct attributes a = {.size = sizeof a, .policy = SCHED_OTHER, .nice = getpriority(PRIO_PROCESS, 0), .runtime = turn};
	if (sched_getscheduler(0) == SCHED_OTHER) // who chose another way knows what they want
		syscall(SYS_sched_setattr, 0, &a, 0u);
}

#else

void thread_gives_way(void)
{
}

#endif
