/* SPDX-License-Identifier: MIT */
/*
 * ratelimit - limits on how often an address, and the networks around it, may do something.
 *
 * A limiter has one or more windows, each with three limits: for the address itself and for two wider networks (the classes of ip.h), so that
 * neighbours share a limit. Windows are fixed: number floor(time / length); a new number clears all counts. A window of infinite
 * length counts what is open now: add 1 at the start, -1 at the end.
 *
 * Memory is bounded: beyond max_keys counted addresses and networks of a window, one that is far from its limit is forgotten for each new
 * one (so a flood from many addresses cannot wash away the count of a busy one); a window of infinite length forgets nothing and refuses
 * instead.
 *
 * All functions are for any thread.
 */
#ifndef RATELIMIT_RATELIMIT_H
#define RATELIMIT_RATELIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/timeutil.h"

struct ratelimit;

#define RATELIMIT_OPEN 0                /* length of a window that never ends */
#define RATELIMIT_MAX_WINDOWS 4

struct ratelimit_window {
	int64_t length_us;              /* or RATELIMIT_OPEN */
	uint32_t limits[3];             /* narrow, middle, wide; what is counted may reach but not pass them */
};

struct ratelimit_opts {
	struct ratelimit_window windows[RATELIMIT_MAX_WINDOWS];  /* the first with a narrow limit of 0 ends the list */
	const struct clock *clock;      /* NULL: the system's; must outlive the limiter */
	size_t max_keys;                /* per window; 0: LIMIT_RATELIMIT_KEYS */
};

struct ratelimit *ratelimit_new(const struct ratelimit_opts *o);
void ratelimit_free(struct ratelimit *r);

/*
 * ratelimit_add counts n for the address and its networks in all windows, and returns true; if any count would pass its limit, it
 * counts nothing and returns false. A negative n takes back and always succeeds; counts do not fall below 0.
 * An address of family 0 (none) is not limited.
 */
bool ratelimit_add(struct ratelimit *r, const struct ip *ip, int32_t n);
/* ratelimit_can_add tells what ratelimit_add would return, without counting. */
bool ratelimit_can_add(struct ratelimit *r, const struct ip *ip, int32_t n);
/* ratelimit_reset forgets the address: its count is subtracted from its networks' too, in all current windows (after a successful login). */
void ratelimit_reset(struct ratelimit *r, const struct ip *ip);

#endif
