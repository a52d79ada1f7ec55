/* SPDX-License-Identifier: MIT */
/*
 * metrics - counters, gauges and histograms, exposed in the Prometheus text format 0.0.4.
 *
 * A metric is a static object with a name, help text and label names; it registers itself when first used. Label values come
 * from small fixed sets, never from peers: at most METRICS_MAX_SERIES series per metric, further ones are counted in one series whose
 * values are "(other)". Updates are atomic and need no lock once a series exists.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define METRICS_MAX_LABELS 5
#define METRICS_MAX_SERIES 1000

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

struct metrics_series;
struct metric {
	const char *name;                       /* "mox_..." ; counters end in _total */
	const char *help;
	enum metrics_kind kind;
	const char *labels[METRICS_MAX_LABELS]; /* NULL-terminated unless full */
	const double *buckets;                  /* histograms: rising upper bounds, without +Inf */
	unsigned nbuckets;
	/* private: */
	_Atomic(struct metrics_series *) series;
	_Atomic unsigned nseries;
	_Atomic unsigned registered;
	struct metric *next;
};

#define METRICS_COUNTER_INIT(n, h, ...) { .name = (n), .help = (h), .kind = METRICS_COUNTER, .labels = { __VA_ARGS__ } }
#define METRICS_GAUGE_INIT(n, h, ...) { .name = (n), .help = (h), .kind = METRICS_GAUGE, .labels = { __VA_ARGS__ } }
#define METRICS_HISTOGRAM_INIT(n, h, b, ...) \
	{ .name = (n), .help = (h), .kind = METRICS_HISTOGRAM, .buckets = (b), .nbuckets = sizeof(b) / sizeof((b)[0]), .labels = { __VA_ARGS__ } }

/* Bucket sets used by many, in seconds. */
extern const double metrics_buckets_a[10];      /* .001 .005 .01 .05 .1 .5 1 5 10 20 */
extern const double metrics_buckets_a30[11];
extern const double metrics_buckets_a120[13];

/* The values are C strings, one per label, NULL-terminated list: metrics_add(&m, 1, "smtp", "ok", NULL). */
void metrics_add(struct metric *m, double v, ...) __attribute__((sentinel));      /* counter or gauge */
void metrics_set(struct metric *m, double v, ...) __attribute__((sentinel));      /* gauge */
void metrics_observe(struct metric *m, double v, ...) __attribute__((sentinel));  /* histogram, seconds */
double metrics_get(struct metric *m, ...) __attribute__((sentinel));              /* current value, or observations; 0 if absent */

/* A value computed at exposition (process memory, open descriptors). fn must be thread-safe. */
void metrics_func(const char *name, const char *help, enum metrics_kind kind, double (*fn)(void *arg), void *arg);

/* metrics_expose writes all metrics, sorted by name. Registers the standard process_* metrics at first use. */
void metrics_expose(struct buf *out);
/* metrics_reset_all zeroes every series. For tests. */
void metrics_reset_all(void);

#endif
