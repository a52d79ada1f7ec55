/* SPDX-License-Identifier: MIT */
/*
 * thread.h - starting threads.
 *
 * Signals are for the main thread, which takes them from a descriptor: a thread that left one unblocked would be ended by it, and with it the process. So
 * every thread is started here, with all signals blocked.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

#include "base/macros.h"

/* thread_start: name shows in ps and debuggers (at most 15 characters); stack in octets, 0 for the system's default. Negative when there is no thread to be had. */
int thread_start(pthread_t *r_thread, const char *name, size_t stack, void *(*fn)(void *arg), void *arg) must_use_;
/* thread_trim_stack gives back the memory of this thread's stack below its caller: what deeper calls used once. For a thread that is about to wait long. */
void thread_trim_stack(void);

#endif
