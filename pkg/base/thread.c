/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

#define TRIM_KEEP 4096                  /* below the caller: the frames of the calls that do it */

int
thread_start(pthread_t *r_thread, const char *name, size_t stack, void *(*fn)(void *arg), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t t;
	int en;

	pthread_attr_init(&attr);
	if (stack > 0)
		bug_if(pthread_attr_setstacksize(&attr, stack) != 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	/* The new thread inherits the mask: there is no moment in which it has none. */
	en = pthread_create(&t, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (en != 0)
		return err_from_errno(en);
	bug_if(pthread_setname_np(t, name) == ERANGE);
	*r_thread = t;
	return 0;
}

void
thread_trim_stack(void)
{
	pthread_attr_t attr;
	void *low;
	size_t size, page = (size_t)sysconf(_SC_PAGESIZE);

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	pthread_attr_getstack(&attr, &low, &size);
	pthread_attr_destroy(&attr);
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - TRIM_KEEP) & ~(uintptr_t)(page - 1);
	if (end > (uintptr_t)low)
		ignore_result(madvise(low, end - (uintptr_t)low, MADV_DONTNEED));
}
