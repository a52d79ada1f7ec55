/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. Each window has one hash table: key is a network and its class, open addressing with linear probing; a key
 * whose count falls to 0 is removed by shifting its followers back, so there are no marks of removed keys. Nothing is kept per class or
 * address elsewhere: whatever is not in the table counts 0.
 */
#include "ratelimit/ratelimit.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/mem.h"

#define MIN_SLOTS ((size_t)64)
#define CLASSES 3
#define SAMPLE 16       /* keys looked at to find one to forget */

struct slot {
	struct ip net;          /* masked; family 0: free slot */
	uint8_t class;
	uint32_t count;         /* at least 1 */
};

struct window {
	struct ratelimit_window conf;
	int64_t number;
	struct slot *slots;     /* NULL until first used */
	uint64_t wander;        /* see forget_one */
	size_t cap, used;       /* cap is a power of two; at most three quarters are used */
};

struct ratelimit {
	struct lock lock;
	const struct clock *clock;
	size_t max_keys;
	size_t nwindows;
	struct window windows[RATELIMIT_MAX_WINDOWS];
};

struct ratelimit *
ratelimit_new(const struct ratelimit_opts *o)
{
	struct ratelimit *r = mem_alloc(sizeof(*r));

	lock_init(&r->lock, LOCK_LIMITER, "ratelimit");
	r->clock = o->clock;
	r->max_keys = o->max_keys ? o->max_keys : LIMIT_RATELIMIT_KEYS;
	bug_if(r->max_keys < CLASSES);
	for (size_t i = 0; i < RATELIMIT_MAX_WINDOWS && o->windows[i].limits[0] > 0; i++)
		r->windows[r->nwindows++].conf = o->windows[i];
	return r;
}

void
ratelimit_free(struct ratelimit *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->nwindows; i++)
		free(r->windows[i].slots);
	lock_done(&r->lock);
	free(r);
}

static size_t
home(const struct window *w, const struct ip *net, unsigned class)
{
	struct { struct ip net; uint8_t class; } key = { *net, (uint8_t)class };

	return hash_str(str_n((const char *)&key, sizeof(key))) & (w->cap - 1);
}

/* The slot of the key, or the free one where it would go. */
static struct slot *
find(const struct window *w, const struct ip *net, unsigned class)
{
	size_t i = home(w, net, class);

	while (w->slots[i].net.family != 0 && (w->slots[i].class != class || !ip_equal(&w->slots[i].net, net)))
		i = (i + 1) & (w->cap - 1);
	return &w->slots[i];
}

static uint32_t
count_of(const struct window *w, const struct ip *net, unsigned class)
{
	return w->cap > 0 ? find(w, net, class)->count : 0;
}

static void
resize(struct window *w, size_t cap)
{
	struct slot *old = w->slots;
	size_t old_cap = w->cap;

	w->slots = mem_allocn(cap, sizeof(*w->slots));
	w->cap = cap;
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].net.family != 0)
			*find(w, &old[i].net, old[i].class) = old[i];
	free(old);
}

/* Frees a slot, and moves back those behind it that could not stand where they belong because of it. */
static void
drop(struct window *w, struct slot *s)
{
	size_t mask = w->cap - 1, hole = (size_t)(s - w->slots);

	for (size_t i = (hole + 1) & mask; w->slots[i].net.family != 0; i = (i + 1) & mask) {
		size_t from_home = (i - home(w, &w->slots[i].net, w->slots[i].class)) & mask;

		if (from_home >= ((i - hole) & mask)) {
			w->slots[hole] = w->slots[i];
			hole = i;
		}
	}
	w->slots[hole] = (struct slot){ 0 };
	w->used--;
}

/* Whether a is farther from its limit than b, in proportion. */
static bool
is_farther(const struct window *w, const struct slot *a, const struct slot *b)
{
	return (uint64_t)a->count * w->conf.limits[b->class] < (uint64_t)b->count * w->conf.limits[a->class];
}

/*
 * Forgets the key farthest from its limit among some that stand together, at a place that wanders through the table. (Near the new key would
 * not do: runs of slots in use would grow at the cost of those behind them.)
 */
static void
forget_one(struct window *w)
{
	struct slot *victim = NULL;
	unsigned seen = 0;

	w->wander = w->wander * UINT64_C(6364136223846793005) + 1442695040888963407;
	for (size_t i = w->wander >> 32 & (w->cap - 1); seen < SAMPLE && seen < w->used; i = (i + 1) & (w->cap - 1)) {
		if (w->slots[i].net.family == 0)
			continue;
		seen++;
		if (victim == NULL || is_farther(w, &w->slots[i], victim))
			victim = &w->slots[i];
	}
	drop(w, victim);
}

static void
change(const struct ratelimit *r, struct window *w, const struct ip *net, unsigned class, int64_t n)
{
	struct slot *s;

	if (w->cap == 0)
		resize(w, MIN_SLOTS);
	s = find(w, net, class);
	if (s->net.family != 0) {
		if (s->count + n > 0)
			s->count = (uint32_t)(s->count + n);
		else
			drop(w, s);
		return;
	}
	if (n <= 0)
		return;
	if (w->used >= r->max_keys)
		forget_one(w);
	else if (w->used >= w->cap / 4 * 3)
		resize(w, w->cap * 2);
	s = find(w, net, class);
	*s = (struct slot){ *net, (uint8_t)class, (uint32_t)n };
	w->used++;
}

/* Clears the counts of windows that are over. */
static void
advance(struct ratelimit *r)
{
	int64_t now = clock_now_us(r->clock);

	for (struct window *w = r->windows; w < r->windows + r->nwindows; w++) {
		int64_t number = w->conf.length_us == RATELIMIT_OPEN ? 0 : now / w->conf.length_us;

		if (number == w->number)
			continue;
		w->number = number;
		free(w->slots);
		w->slots = NULL;
		w->cap = w->used = 0;
	}
}

static bool
fits(const struct ratelimit *r, const struct window *w, const struct ip *ip, int32_t n)
{
	if (w->conf.length_us == RATELIMIT_OPEN && w->used + CLASSES > r->max_keys)
		return false;
	for (unsigned class = 0; class < CLASSES; class++) {
		struct ip net = ip_class(ip, (int)class);

		if ((int64_t)count_of(w, &net, class) + n > w->conf.limits[class])
			return false;
	}
	return true;
}

static bool
can_add(struct ratelimit *r, const struct ip *ip, int32_t n)
{
	advance(r);
	if (n <= 0)
		return true;
	for (size_t i = 0; i < r->nwindows; i++)
		if (!fits(r, &r->windows[i], ip, n))
			return false;
	return true;
}

bool
ratelimit_can_add(struct ratelimit *r, const struct ip *ip, int32_t n)
{
	LOCKED(&r->lock);

	return ip->family == 0 || can_add(r, ip, n);
}

bool
ratelimit_add(struct ratelimit *r, const struct ip *ip, int32_t n)
{
	LOCKED(&r->lock);

	if (ip->family == 0)
		return true;
	if (!can_add(r, ip, n))
		return false;
	for (size_t i = 0; i < r->nwindows; i++) {
		/* Wide first: when keys must be forgotten, the address just counted is not the one. */
		for (int class = CLASSES - 1; class >= 0; class--) {
			struct ip net = ip_class(ip, class);

			change(r, &r->windows[i], &net, (unsigned)class, n);
		}
	}
	return true;
}

void
ratelimit_reset(struct ratelimit *r, const struct ip *ip)
{
	LOCKED(&r->lock);

	if (ip->family == 0)
		return;
	advance(r);
	for (size_t i = 0; i < r->nwindows; i++) {
		struct window *w = &r->windows[i];
		struct ip narrow = ip_class(ip, 0);
		int64_t count = count_of(w, &narrow, 0);

		for (int class = 0; class < CLASSES && count > 0; class++) {
			struct ip net = ip_class(ip, class);

			change(r, w, &net, (unsigned)class, -count);
		}
	}
}
