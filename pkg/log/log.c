/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. Deciding whether a line is wanted takes no lock: the default level is an atomic, and the levels of
 * packages stand in a list that only grows (a package without a level of its own any more keeps its node, marked UNSET).
 * A line is built by its thread in a buffer of its own; only writing it happens under the lock.
 */
#include "log/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "base/utf8.h"

#define MAX_VALUE ((size_t)64 * 1024)   /* of one value, before escaping; more is cut */
#define MAX_LINE ((size_t)1024 * 1024)
#define UNSET (-1)

struct pkg_level {
	const char *name;
	atomic_int level;
	struct pkg_level *next;         /* constant once the node is published */
};

static struct lock lock = LOCK_INIT(LOCK_LOG, "log");
static atomic_int default_level = LOG_INFO;
static _Atomic(struct pkg_level *) pkg_levels;
static atomic_bool logfmt;
static void (*sink)(enum log_level, struct str, void *);
static void *sink_arg;
static atomic_ullong counts[3];         /* info, warn, error */

static const char level_names[][10] = {
	"tracedata", "traceauth", "trace", "debug", "info", "warn", "error", "fatal", "print",
};

const char *
log_level_name(enum log_level level)
{
	return (size_t)level < ARRAY_LEN(level_names) ? level_names[level] : "unknown";
}

int
log_level_parse(struct str s, enum log_level *r_level)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (str_is(s, str_of(level_names[i]))) {
			*r_level = (enum log_level)i;
			return 0;
		}
	}
	return ERR_INVALID;
}

static struct pkg_level *
find_pkg(struct str name)
{
	struct pkg_level *p = atomic_load_explicit(&pkg_levels, memory_order_acquire);

	while (p && !str_is(name, str_of(p->name)))
		p = p->next;
	return p;
}

void
log_set_default(enum log_level level)
{
	atomic_store_explicit(&default_level, (int)level, memory_order_relaxed);
}

enum log_level
log_get_default(void)
{
	return (enum log_level)atomic_load_explicit(&default_level, memory_order_relaxed);
}

void
log_set_package(struct str pkg, enum log_level level)
{
	struct pkg_level *p;
	LOCKED(&lock);

	p = find_pkg(pkg);
	if (p == NULL) {
		p = mem_alloc(sizeof(*p));
		p->name = mem_str(pkg);
		p->next = atomic_load_explicit(&pkg_levels, memory_order_relaxed);
		atomic_init(&p->level, (int)level);
		atomic_store_explicit(&pkg_levels, p, memory_order_release);
	}
	atomic_store_explicit(&p->level, (int)level, memory_order_relaxed);
}

void
log_unset_package(struct str pkg)
{
	struct pkg_level *p = find_pkg(pkg);

	if (p)
		atomic_store_explicit(&p->level, UNSET, memory_order_relaxed);
}

struct str
log_levels(struct arena *a)
{
	struct strlist lines = { 0 };
	struct pkg_level *p;

	for (p = atomic_load_explicit(&pkg_levels, memory_order_acquire); p; p = p->next) {
		int level = atomic_load_explicit(&p->level, memory_order_relaxed);

		if (level != UNSET)
			strlist_add(a, &lines, str_fmt(a, "%s: %s\n", p->name, level_names[level]));
	}
	strlist_sort(&lines);
	return str_cat(a, str_fmt(a, ": %s\n", level_names[log_get_default()]), strlist_join(a, &lines, S("")));
}

void
log_set_logfmt(bool on)
{
	atomic_store_explicit(&logfmt, on, memory_order_relaxed);
}

void
log_set_sink(void (*fn)(enum log_level level, struct str line, void *arg), void *arg)
{
	LOCKED(&lock);

	sink = fn;
	sink_arg = arg;
}

uint64_t
log_count(enum log_level level)
{
	return level >= LOG_INFO && level <= LOG_ERROR ? atomic_load_explicit(&counts[level - LOG_INFO], memory_order_relaxed) : 0;
}

/* The level that holds for l: that of the package added last, else of an earlier one, else the default. */
static enum log_level
effective_level(const struct log *l)
{
	if (atomic_load_explicit(&pkg_levels, memory_order_relaxed) == NULL)
		return log_get_default();
	for (; l; l = l->parent) {
		struct pkg_level *p = l->pkg ? find_pkg(str_of(l->pkg)) : NULL;
		int level = p ? atomic_load_explicit(&p->level, memory_order_relaxed) : UNSET;

		if (level != UNSET)
			return (enum log_level)level;
	}
	return log_get_default();
}

bool
log_enabled(enum log_level level, const struct log *l)
{
	return level >= LOG_FATAL || level >= effective_level(l);
}

bool
log_tracing(const struct log *l)
{
	return effective_level(l) <= LOG_TRACE;
}

/* Characters beyond ASCII that would let a peer disturb the reading of a log: C1 controls, line separators, bidirectional controls. */
static bool
is_disturbing(uint32_t cp)
{
	return (cp >= 0x80 && cp <= 0x9f) || cp == 0x200e || cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069) || cp == 0x61c || cp == 0xfeff;
}

/* Adds s with C-like escapes; a double quote is escaped only within quotes. */
static void
add_escaped(struct buf *b, struct str s, bool quoted)
{
	bool cut = s.n > MAX_VALUE;

	s = utf8_cut(s, MAX_VALUE);
	while (s.n > 0) {
		uint32_t cp = 0;
		int n = utf8_next(s, &cp);

		if (n < 0)
			buf_addf(b, "\\x%02x", (unsigned char)s.p[0]);
		else if (cp == '\\' || (quoted && cp == '"'))
			buf_add(b, str_n((char[]){ '\\', (char)cp }, 2));
		else if (cp == '\n')
			buf_add(b, S("\\n"));
		else if (cp == '\r')
			buf_add(b, S("\\r"));
		else if (cp == '\t')
			buf_add(b, S("\\t"));
		else if (cp < 0x20 || cp == 0x7f)
			buf_addf(b, "\\x%02x", cp);
		else if (is_disturbing(cp))
			buf_addf(b, "\\u%04x", cp);
		else
			buf_add(b, str_upto(s, (size_t)n));
		s = str_from(s, n > 0 ? (size_t)n : 1);
	}
	if (cut)
		buf_add(b, S("..."));
}

static void
add_quoted(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	add_escaped(b, s, true);
	buf_addc(b, '"');
}

/* Adds a value, in quotes if it holds anything but harmless ASCII. */
static void
add_value(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c >= 0x7f) {
			add_quoted(b, s);
			return;
		}
	}
	if (s.n > MAX_VALUE)
		add_escaped(b, s, false);
	else
		buf_add(b, s);
}

static void
add_attr_value(struct buf *b, const struct log_attr *at)
{
	struct arena a = { .block_size = 128 };

	switch (at->kind) {     /* GCOVR_EXCL_BR_LINE: there are no others */
	case LOG_A_STR: add_value(b, at->v.s); break;
	case LOG_A_INT: buf_addi(b, at->v.i); break;
	case LOG_A_UINT: buf_addu(b, at->v.u); break;
	case LOG_A_HEX: buf_addf(b, "%llx", (unsigned long long)at->v.u); break;
	case LOG_A_BOOL: buf_add(b, at->v.u ? S("true") : S("false")); break;
	case LOG_A_DOUBLE: buf_addf(b, "%g", at->v.d); break;
	case LOG_A_TIME: add_value(b, time_rfc3339(&a, at->v.i)); break;
	case LOG_A_DURATION: add_value(b, time_duration(&a, at->v.i)); break;
	}
	arena_done(&a);
}

static void
add_attrs(struct buf *b, const char *sep, const struct log_attr *attrs, size_t n, const struct log_attr *skip)
{
	for (size_t i = 0; i < n; i++) {
		if (&attrs[i] == skip)
			continue;
		buf_addf(b, "%s%s=", sep, attrs[i].key);
		add_attr_value(b, &attrs[i]);
	}
}

/* Everything behind the message and the error: packages, attributes of the event, of the logger, and its connection id. */
static void
add_rest(struct buf *b, const char *sep, const struct log *l, const struct log_attr *attrs, size_t n, const struct log_attr *err)
{
	uint64_t cid = 0;

	for (const struct log *i = l; i; i = i->parent)
		if (i->pkg)
			buf_addf(b, "%spkg=%s", sep, i->pkg);
	add_attrs(b, sep, attrs, n, err);
	for (const struct log *i = l; i; i = i->parent) {
		add_attrs(b, sep, i->attrs, i->nattrs, NULL);
		if (cid == 0)
			cid = i->cid;
	}
	if (cid != 0)
		buf_addf(b, "%scid=%llx", sep, (unsigned long long)cid);
}

static void
format_line(struct buf *b, enum log_level level, const struct log *l, struct str msg, const struct log_attr *attrs, size_t n)
{
	const struct log_attr *err = NULL;

	for (size_t i = 0; i < n && err == NULL; i++)
		if (attrs[i].kind == LOG_A_STR && strcmp(attrs[i].key, "err") == 0)
			err = &attrs[i];
	if (atomic_load_explicit(&logfmt, memory_order_relaxed)) {
		buf_addf(b, "l=%s m=", level_names[level]);
		add_quoted(b, msg);
		if (err)
			add_attrs(b, " ", err, 1, NULL);
		add_rest(b, " ", l, attrs, n, err);
	} else {
		buf_addf(b, "%s: ", level_names[level]);
		if (level <= LOG_TRACE)
			add_quoted(b, msg);
		else
			add_escaped(b, msg, false);
		if (err) {
			buf_add(b, S(": "));
			add_escaped(b, err->v.s, false);
		}
		add_rest(b, "; ", l, attrs, n, err);
	}
	b->failed = false;      /* what did not fit was left out */
}

static void
write_line(enum log_level level, struct str line)
{
	LOCKED(&lock);

	if (level >= LOG_INFO && level <= LOG_ERROR)
		atomic_fetch_add_explicit(&counts[level - LOG_INFO], 1, memory_order_relaxed);
	if (sink) {
		sink(level, line, sink_arg);
		return;
	}
	/* Nothing can be done about a log that cannot be written. */
	while (write(STDERR_FILENO, line.p, line.n) < 0 && errno == EINTR)
		;
}

static void
emit(enum log_level level, const struct log *l, struct str msg, const struct log_attr *attrs, size_t n)
{
	int saved_errno = errno;
	cleanup_(buf_done) struct buf b = BUF_INIT(MAX_LINE);

	format_line(&b, level, l, msg, attrs, n);
	b.max++;        /* the end of the line always fits */
	buf_addc(&b, '\n');
	write_line(level, buf_str(&b));
	errno = saved_errno;
}

void
log_event(enum log_level level, const struct log *l, const char *msg, const struct log_attr *attrs, size_t n)
{
	if (!log_enabled(level, l))
		return;
	emit(level, l, str_of(msg), attrs, n);
	/* GCOVR_EXCL_START: tested in a child process whose counts are lost */
	if (level == LOG_FATAL) {
		fflush(stdout);
		/* Not exit: its handlers would tear down libraries that other threads are using. */
		_exit(1);
	}
	/* GCOVR_EXCL_STOP */
}

void
log_trace(enum log_level level, const struct log *l, const char *prefix, struct str data)
{
	enum log_level enabled = effective_level(l);
	struct log_attr size = log_u("size", data.n);
	cleanup_(buf_done) struct buf b = BUF_INIT(2 * MAX_VALUE);
	bool hidden = level == LOG_TRACEAUTH && enabled > LOG_TRACEAUTH;

	if (enabled > LOG_TRACE)
		return;
	buf_addz(&b, prefix);
	if (hidden)
		buf_add(&b, S("***"));
	else if (level == LOG_TRACEDATA && enabled > LOG_TRACEDATA)
		buf_add(&b, S("..."));
	else
		buf_add(&b, str_upto(data, MAX_VALUE));
	emit(level, l, buf_str(&b), &size, hidden ? 0 : 1);
}
