/* SPDX-License-Identifier: ISC */
/* On Linux a nice value belongs to a thread; elsewhere it would slow the whole process down. */
#include "io/thread.h"

#include <pthread.h>
#ifdef __linux__
#include <sys/resource.h>
#endif

#define NICER 5 /* each step is a factor of 1.25 */

void thread_begin(const char *name, enum thread_patience patience)
{
	pthread_setname_np(pthread_self(), name);
#ifdef __linux__
	if (patience == THREAD_PATIENT)
		(void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICER);
#else
	(void)patience;
#endif
}
