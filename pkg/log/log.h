/* SPDX-License-Identifier: MIT */
/*
 * log - structured logging: one line per event on stderr, levels per package, secrets and bulk hidden.
 *
 * Levels, low to high: tracedata, traceauth, trace, debug, info, warn, error, fatal, print. A logger carries a package name and
 * attributes (connection id, ...) that every line gets. Format "logfmt" (serve): l=info m="message" err="..." pkg=smtpserver k=v cid=1a2b.
 * Format "text" (command-line tools): "info: message: error; pkg=x; k=v". Values are quoted where needed; bytes from peers are escaped
 * here, so callers pass them raw.
 *
 * Protocol traces: any trace level configured for the package enables them all; a line at tracedata shows "..." in place of the
 * data unless the level is tracedata; a line at traceauth shows "***" unless it is traceauth or tracedata.
 *
 * Services log; library packages (layers 0 to 4) log at debug at most. Lines are written whole, under the log lock.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/str.h"

enum log_level {
	LOG_TRACEDATA, LOG_TRACEAUTH, LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL, LOG_PRINT
};

enum log_kind { LOG_A_STR, LOG_A_INT, LOG_A_UINT, LOG_A_HEX, LOG_A_BOOL, LOG_A_TIME, LOG_A_DURATION, LOG_A_DOUBLE };

/* One attribute of a line; make them with the functions below. */
struct log_attr {
	const char *key;
	enum log_kind kind;
	union { struct str s; int64_t i; uint64_t u; double d; } v;
};
static inline struct log_attr log_s(const char *key, struct str v) { return (struct log_attr){ key, LOG_A_STR, { .s = v } }; }
static inline struct log_attr log_z(const char *key, const char *v) { return log_s(key, str_of(v)); }
static inline struct log_attr log_i(const char *key, int64_t v) { return (struct log_attr){ key, LOG_A_INT, { .i = v } }; }
static inline struct log_attr log_u(const char *key, uint64_t v) { return (struct log_attr){ key, LOG_A_UINT, { .u = v } }; }
static inline struct log_attr log_x(const char *key, uint64_t v) { return (struct log_attr){ key, LOG_A_HEX, { .u = v } }; }
static inline struct log_attr log_b(const char *key, bool v) { return (struct log_attr){ key, LOG_A_BOOL, { .u = v } }; }
static inline struct log_attr log_time(const char *key, int64_t us) { return (struct log_attr){ key, LOG_A_TIME, { .i = us } }; }
static inline struct log_attr log_dur(const char *key, int64_t us) { return (struct log_attr){ key, LOG_A_DURATION, { .i = us } }; }
/* The error attribute: key "err", printed right behind the message. */
static inline struct log_attr log_err(const char *text) { return log_s("err", str_of(text)); }

/* A logger: by value or embedded; copies share nothing mutable. pkg points to a constant. */
struct log {
	const char *pkg;
	const struct log *parent;       /* further packages and attributes, printed after; may be NULL; must outlive this one */
	uint64_t cid;                   /* 0 = none: the parent's */
	const struct log_attr *attrs;   /* attributes of every line, printed behind those of the event; must outlive this one */
	size_t nattrs;
};

/*
 * log_event writes one line if the level is enabled for l's package. LOG_(DEBUG, l, "message", log_s("k", v), ...) is the usual form.
 * LOG_FATAL exits with status 1 after writing. errno is kept. l may be NULL. Values beyond 64 KiB are cut.
 */
void log_event(enum log_level level, const struct log *l, const char *msg, const struct log_attr *attrs, size_t n);
#define LOG_(level, l, msg, ...) \
	log_event((level), (l), (msg), (const struct log_attr[]){ { 0 }, ##__VA_ARGS__ } + 1, \
	    sizeof((const struct log_attr[]){ { 0 }, ##__VA_ARGS__ }) / sizeof(struct log_attr) - 1)
#define log_debug(l, msg, ...) do { if (log_enabled(LOG_DEBUG, (l))) LOG_(LOG_DEBUG, l, msg, ##__VA_ARGS__); } while (0)
#define log_info(l, msg, ...) LOG_(LOG_INFO, l, msg, ##__VA_ARGS__)
#define log_warn(l, msg, ...) LOG_(LOG_WARN, l, msg, ##__VA_ARGS__)
#define log_error(l, msg, ...) LOG_(LOG_ERROR, l, msg, ##__VA_ARGS__)
#define log_fatal(l, msg, ...) LOG_(LOG_FATAL, l, msg, ##__VA_ARGS__)
#define log_print(l, msg, ...) LOG_(LOG_PRINT, l, msg, ##__VA_ARGS__)

bool log_enabled(enum log_level level, const struct log *l);

/* log_trace writes one protocol trace line: level is LOG_TRACE, LOG_TRACEAUTH or LOG_TRACEDATA, prefix e.g. "C: ". */
void log_trace(enum log_level level, const struct log *l, const char *prefix, struct str data);
/* log_tracing tells whether any trace level is enabled for l: test it before preparing trace data. */
bool log_tracing(const struct log *l);

/* Configuration; safe at any time from any thread. */
int log_level_parse(struct str s, enum log_level *r_level) must_use_;
const char *log_level_name(enum log_level level);
void log_set_default(enum log_level level);
void log_set_package(struct str pkg, enum log_level level);
void log_unset_package(struct str pkg);
enum log_level log_get_default(void);
/* log_levels lists packages with a level of their own, "pkg: level" lines, default first with an empty name. */
struct str log_levels(struct arena *a);
void log_set_logfmt(bool on);                               /* default: text */
/* Where lines go; NULL = stderr. The function gets a whole line with LF and is called under the log lock, so it must
 * not log. For tests and tools. */
void log_set_sink(void (*fn)(enum log_level level, struct str line, void *arg), void *arg);
/* Lines written so far at info, warn, error (metrics mox_logging_level_*_total). */
uint64_t log_count(enum log_level level);

#endif
