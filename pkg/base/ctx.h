/* SPDX-License-Identifier: MIT */
/*
 * ctx.h - deadline and cancellation of an operation that may take long.
 *
 * A ctx is made on the stack by whoever starts the operation and passed down to DNS, outgoing SMTP, HTTP and long scans. It is
 * read-only for them. ctx_check stands in every loop over messages; code that polls adds ctx->stop_fd to its poll set.
 */
#ifndef BASE_CTX_H
#define BASE_CTX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

struct ctx {
	int64_t deadline_us;          /* monotonic (time_mono_us); 0 = none */
	const atomic_bool *stop;      /* NULL or a flag that turns true when work must end */
	int stop_fd;                  /* an eventfd that becomes readable with stop and is never read; 0 or -1 = none */
	uint64_t cid;                 /* connection id for logs, 0 = none */
};

/* ctx_check: 0, ERR_CANCELED or ERR_TIMEOUT. Cheap. */
int ctx_check(const struct ctx *c) must_use_;
/* ctx_left_ms: milliseconds to the deadline, at least 0, at most max_ms; fit for poll(2). */
int ctx_left_ms(const struct ctx *c, int max_ms);
/* ctx_within returns a copy whose deadline is at most us microseconds from now. */
struct ctx ctx_within(const struct ctx *c, int64_t us);
/* ctx_poll waits for events on fd; 1 ready, or the error of ctx_check, or ERR_IO. */
int ctx_poll(const struct ctx *c, int fd, short events) must_use_;

#endif
