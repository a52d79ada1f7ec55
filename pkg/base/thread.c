/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <errno.h>
#include <signal.h>

#include "base/err.h"

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
