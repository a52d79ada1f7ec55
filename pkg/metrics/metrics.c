/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. The series of a metric are a list that only grows, so finding one takes no lock; adding one does. Values are
 * doubles in atomics, added to by compare and swap. Exposition reads while others write: a histogram's count is derived from its
 * buckets, so that count and buckets always agree.
 */
#include "metrics/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/mem.h"
#include "metrics/metrics_internal.h"

struct metrics_series {
	struct metrics_series *next;            /* constant once published */
	uint64_t hash;                          /* of the label values */
	const char *values[METRICS_MAX_LABELS];
	_Atomic double value;                   /* histogram: sum */
	_Atomic uint64_t buckets[];             /* histogram: observations per bucket, not cumulated; the last is +Inf */
};

struct func {
	struct func *next;
	const char *name, *help;
	enum metrics_kind kind;
	double (*fn)(void *arg);
	void *arg;
};

const double metrics_buckets_a[10] = { .001, .005, .01, .05, .1, .5, 1, 5, 10, 20 };
const double metrics_buckets_a30[11] = { .001, .005, .01, .05, .1, .5, 1, 5, 10, 20, 30 };
const double metrics_buckets_a120[13] = { .001, .005, .01, .05, .1, .5, 1, 5, 10, 20, 30, 60, 120 };

static struct lock lock = LOCK_INIT(LOCK_METRICS, "metrics");
/* Under the lock: */
static struct metric *metrics;
static struct func *funcs;

static void
check_unique(const char *name)
{
	for (const struct metric *m = metrics; m; m = m->next)
		if (strcmp(m->name, name) == 0)
			bug("two metrics named %s", name);
	for (const struct func *f = funcs; f; f = f->next)
		if (strcmp(f->name, name) == 0)
			bug("two metrics named %s", name);
}

static unsigned
label_count(const struct metric *m)
{
	unsigned n = 0;

	while (n < METRICS_MAX_LABELS && m->labels[n])
		n++;
	return n;
}

static struct metrics_series *
find(struct metric *m, const char *const *values, unsigned n, uint64_t hash)
{
	struct metrics_series *s = atomic_load_explicit(&m->series, memory_order_acquire);

	for (; s; s = s->next) {
		unsigned i = 0;

		if (s->hash != hash)
			continue;
		while (i < n && strcmp(s->values[i], values[i]) == 0)   /* GCOVR_EXCL_BR_LINE: differ if hashes collide */
			i++;
		if (i == n)                                             /* GCOVR_EXCL_BR_LINE: as above */
			return s;
	}
	return NULL;
}

static uint64_t
hash_values(const char *const *values, unsigned n)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < n; i++)
		h = h * 31 + hash_str(str_of(values[i]));
	return h;
}

/* Finds or makes the series; beyond the maximum, the one for all others. */
static struct metrics_series *
add_series(struct metric *m, const char *const *values, unsigned n, uint64_t hash)
{
	static const char *const other[METRICS_MAX_LABELS] = { "(other)", "(other)", "(other)", "(other)", "(other)" };
	struct metrics_series *s;
	LOCKED(&lock);

	if (!m->registered) {
		check_unique(m->name);
		m->next = metrics;
		metrics = m;
		m->registered = 1;
	}
	s = find(m, values, n, hash);
	if (s == NULL && m->nseries >= METRICS_MAX_SERIES - 1) {      /* GCOVR_EXCL_BR_LINE: depends on a race */
		values = other;
		hash = hash_values(values, n);
		s = find(m, values, n, hash);
	}
	if (s)
		return s;
	s = mem_alloc(sizeof(*s) + (m->kind == METRICS_HISTOGRAM ? (m->nbuckets + 1) * sizeof(s->buckets[0]) : 0));
	s->hash = hash;
	for (unsigned i = 0; i < n; i++)
		s->values[i] = mem_strdup(values[i]);
	s->next = atomic_load_explicit(&m->series, memory_order_relaxed);
	m->nseries++;
	atomic_store_explicit(&m->series, s, memory_order_release);
	return s;
}

/* Takes the label values from ap, which must be as many as the metric has labels. */
static struct metrics_series *
series_of(struct metric *m, va_list ap, bool create)
{
	const char *values[METRICS_MAX_LABELS] = { 0 };
	unsigned n = label_count(m), i = 0;
	struct metrics_series *s;
	uint64_t hash;

	for (const char *v; (v = va_arg(ap, const char *)) != NULL; i++)
		if (i < METRICS_MAX_LABELS)
			values[i] = v;
	if (i != n)
		bug("metric %s has %u labels, not %u", m->name, n, i);
	hash = hash_values(values, n);
	s = find(m, values, n, hash);
	return s || !create ? s : add_series(m, values, n, hash);
}

static void
add_double(_Atomic double *p, double v)
{
	double old = atomic_load_explicit(p, memory_order_relaxed);

	while (!atomic_compare_exchange_weak(p, &old, old + v))         /* GCOVR_EXCL_BR_LINE: depends on a race */
		;
}

void
metrics_add(struct metric *m, double v, ...)
{
	va_list ap;

	bug_if(m->kind == METRICS_HISTOGRAM || (m->kind == METRICS_COUNTER && !(v >= 0)));
	va_start(ap, v);
	add_double(&series_of(m, ap, true)->value, v);
	va_end(ap);
}

void
metrics_set(struct metric *m, double v, ...)
{
	va_list ap;

	bug_if(m->kind != METRICS_GAUGE);
	va_start(ap, v);
	atomic_store_explicit(&series_of(m, ap, true)->value, v, memory_order_relaxed);
	va_end(ap);
}

void
metrics_observe(struct metric *m, double v, ...)
{
	struct metrics_series *s;
	unsigned i = 0;
	va_list ap;

	bug_if(m->kind != METRICS_HISTOGRAM);
	va_start(ap, v);
	s = series_of(m, ap, true);
	va_end(ap);
	while (i < m->nbuckets && v > m->buckets[i])
		i++;
	atomic_fetch_add_explicit(&s->buckets[i], 1, memory_order_relaxed);
	add_double(&s->value, v);
}

double
metrics_get(struct metric *m, ...)
{
	struct metrics_series *s;
	double v = 0;
	va_list ap;

	va_start(ap, m);
	s = series_of(m, ap, false);
	va_end(ap);
	if (s == NULL)
		return 0;
	if (m->kind != METRICS_HISTOGRAM)
		return atomic_load_explicit(&s->value, memory_order_relaxed);
	for (unsigned i = 0; i <= m->nbuckets; i++)
		v += (double)atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
	return v;
}

void
metrics_func(const char *name, const char *help, enum metrics_kind kind, double (*fn)(void *), void *arg)
{
	struct func *f = mem_alloc(sizeof(*f));
	LOCKED(&lock);

	check_unique(name);
	*f = (struct func){ funcs, name, help, kind, fn, arg };
	funcs = f;
}

/* The shortest decimal form that reads back as v. */
static void
add_number(struct buf *b, double v)
{
	char t[40];

	if (isnan(v) || isinf(v)) {
		buf_addz(b, isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (int digits = 15;; digits++) {
		snprintf(t, sizeof(t), "%.*g", digits, v);
		if (digits == 17 || strtod(t, NULL) == v)
			break;
	}
	buf_addz(b, t);
}

/* In help text and label values; quotes only in the latter. */
static void
add_escaped(struct buf *b, const char *s, bool quoted)
{
	for (; *s; s++) {
		if (*s == '\n')
			buf_add(b, S("\\n"));
		else if (*s == '\\' || (quoted && *s == '"'))
			buf_add(b, str_n((char[]){ '\\', *s }, 2));
		else
			buf_addc(b, *s);
	}
}

static void
add_header(struct buf *b, const char *name, const char *help, enum metrics_kind kind)
{
	static const char kinds[][10] = { "counter", "gauge", "histogram" };

	buf_addf(b, "# HELP %s ", name);
	add_escaped(b, help, false);
	buf_addf(b, "\n# TYPE %s %s\n", name, kinds[kind]);
}

/* One sample line up to its value. bound is NULL or the value of the label "le". */
static void
add_sample(struct buf *b, const struct metric *m, const struct metrics_series *s, const char *suffix, const double *bound)
{
	unsigned n = label_count(m);

	buf_addf(b, "%s%s", m->name, suffix);
	if (n > 0 || bound)
		buf_addc(b, '{');
	for (unsigned i = 0; i < n; i++) {
		buf_addf(b, "%s%s=\"", i > 0 ? "," : "", m->labels[i]);
		add_escaped(b, s->values[i], true);
		buf_addc(b, '"');
	}
	if (bound) {
		buf_addf(b, "%sle=\"", n > 0 ? "," : "");
		add_number(b, *bound);
		buf_addc(b, '"');
	}
	buf_addz(b, n > 0 || bound ? "} " : " ");
}

static void
add_histogram(struct buf *b, const struct metric *m, struct metrics_series *s)
{
	uint64_t count = 0;

	for (unsigned i = 0; i <= m->nbuckets; i++) {
		double bound = i < m->nbuckets ? m->buckets[i] : HUGE_VAL;

		count += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
		add_sample(b, m, s, "_bucket", &bound);
		buf_addf(b, "%" PRIu64 "\n", count);
	}
	add_sample(b, m, s, "_sum", NULL);
	add_number(b, atomic_load_explicit(&s->value, memory_order_relaxed));
	buf_addc(b, '\n');
	add_sample(b, m, s, "_count", NULL);
	buf_addf(b, "%" PRIu64 "\n", count);
}

/* A metric or a function, for sorting. */
struct entry {
	const char *name;
	struct metric *m;
	struct func *f;
};

static int
by_name(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;

	return strcmp(a->name, b->name);
}

static int
by_values(const void *x, const void *y)
{
	struct metrics_series *const *a = x, *const *b = y;

	unsigned i = 0;
	int r;

	/* No two series of a metric have the same values. */
	while ((r = strcmp((*a)->values[i], (*b)->values[i])) == 0)
		i++;
	return r;
}

static void
expose_metric(struct arena *a, struct buf *out, struct metric *m)
{
	struct metrics_series *first = atomic_load_explicit(&m->series, memory_order_acquire), **all;
	size_t n = 0;

	for (struct metrics_series *s = first; s; s = s->next)
		n++;
	all = ARENA_NEWN(a, n, struct metrics_series *);
	n = 0;
	for (struct metrics_series *s = first; s; s = s->next)
		all[n++] = s;
	qsort(all, n, sizeof(all[0]), by_values);
	add_header(out, m->name, m->help, m->kind);
	for (size_t i = 0; i < n; i++) {
		if (m->kind == METRICS_HISTOGRAM) {
			add_histogram(out, m, all[i]);
			continue;
		}
		add_sample(out, m, all[i], "", NULL);
		add_number(out, atomic_load_explicit(&all[i]->value, memory_order_relaxed));
		buf_addc(out, '\n');
	}
}

/* A snapshot of what is registered: functions are called without the lock. */
static struct entry *
entries(struct arena *a, size_t *r_n)
{
	struct entry *e;
	size_t n = 0;
	LOCKED(&lock);

	for (const struct metric *m = metrics; m; m = m->next)
		n++;
	for (const struct func *f = funcs; f; f = f->next)
		n++;
	e = ARENA_NEWN(a, n, struct entry);
	n = 0;
	for (struct metric *m = metrics; m; m = m->next)
		e[n++] = (struct entry){ m->name, m, NULL };
	for (struct func *f = funcs; f; f = f->next)
		e[n++] = (struct entry){ f->name, NULL, f };
	*r_n = n;
	return e;
}

void
metrics_expose(struct buf *out)
{
	struct arena a = { 0 };
	struct entry *e;
	size_t n;

	metrics_register_process();
	e = entries(&a, &n);
	qsort(e, n, sizeof(e[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		if (e[i].m) {
			expose_metric(&a, out, e[i].m);
			continue;
		}
		add_header(out, e[i].name, e[i].f->help, e[i].f->kind);
		buf_addf(out, "%s ", e[i].name);
		add_number(out, e[i].f->fn(e[i].f->arg));
		buf_addc(out, '\n');
	}
	arena_done(&a);
}

void
metrics_reset_all(void)
{
	LOCKED(&lock);

	for (struct metric *m = metrics; m; m = m->next) {
		for (struct metrics_series *s = m->series; s; s = s->next) {
			atomic_store_explicit(&s->value, 0, memory_order_relaxed);
			for (unsigned i = 0; m->kind == METRICS_HISTOGRAM && i <= m->nbuckets; i++)
				atomic_store_explicit(&s->buckets[i], 0, memory_order_relaxed);
		}
	}
}
