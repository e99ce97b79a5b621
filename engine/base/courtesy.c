// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/courtesy.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>

static atomic_bool asked;

void courtesy_ask(void)
{
	atomic_store(&asked, true);
}

void courtesy_give(void)
{
	// On Linux the priority is the thread's own. Longer turns instead (sched_setattr) let others in sooner too, but where the machine is
	// busy with other programs they make the whole process wait for longer.
	static const int lower = 5;
	if (atomic_load(&asked))
		setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + lower);
}
