/* SPDX-License-Identifier: MIT */
#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/timeutil.h"
#include "testutil/testutil.h"

/* Collects what is logged; replaces the sink of testutil, which would want every warning announced. */
static struct buf out = BUF_INIT(4 << 20);
static enum log_level last_level;

static void
collect(enum log_level level, struct str line, void *arg)
{
	assert_ptr_equal(arg, &out);
	last_level = level;
	buf_add(&out, line);
}

static void
start(bool logfmt)
{
	log_set_sink(collect, &out);
	log_set_logfmt(logfmt);
	log_set_default(LOG_DEBUG);
	buf_reset(&out);
}

static void
stop(void)
{
	buf_done(&out);
	log_set_sink(NULL, NULL);
	log_set_logfmt(false);
}

#define assert_line(want) do { assert_strz(buf_str(&out), (want)); buf_reset(&out); } while (0)

TEST(log_levels_have_names)
{
	enum log_level level;

	for (int i = LOG_TRACEDATA; i <= LOG_PRINT; i++) {
		assert_ok(log_level_parse(str_of(log_level_name((enum log_level)i)), &level));
		assert_int_equal(level, i);
	}
	assert_string_equal(log_level_name((enum log_level)99), "unknown");
	assert_err(log_level_parse(S("INFO"), &level), ERR_INVALID);
	assert_err(log_level_parse(S(""), &level), ERR_INVALID);
}

TEST(log_logfmt)
{
	struct log_attr user = log_s("user", S("u@x"));
	struct log base = { .pkg = "store", .cid = 0xff }, l = { .pkg = "imapserver", .parent = &base, .attrs = &user, .nattrs = 1 };

	start(true);
	log_info(&l, "message");
	assert_line("l=info m=\"message\" pkg=imapserver pkg=store user=u@x cid=ff\n");
	assert_int_equal(last_level, LOG_INFO);
	l.cid = 0x1a2b;
	log_warn(&l, "say \"hi\"", log_s("k", S("v")), log_err("it broke"), log_s("k2", S("")));
	assert_line("l=warn m=\"say \\\"hi\\\"\" err=\"it broke\" pkg=imapserver pkg=store k=v k2= user=u@x cid=1a2b\n");
	log_error(NULL, "");
	assert_line("l=error m=\"\"\n");
	log_print(&(struct log){ 0 }, "x");
	assert_line("l=print m=\"x\"\n");
	stop();
}

TEST(log_text)
{
	struct log base = { .pkg = "dns" }, l = { .pkg = "check", .parent = &base, .cid = 5 };

	start(false);
	log_info(&l, "say \"hi\"\n", log_s("k", S("a b")), log_err("line\r\nend"));
	assert_line("info: say \"hi\"\\n: line\\r\\nend; pkg=check; pkg=dns; k=\"a b\"; cid=5\n");
	log_debug(NULL, "plain");
	assert_line("debug: plain\n");
	stop();
}

TEST(log_values)
{
	static const struct { struct log_attr attr; const char *want; } rows[] = {
		{ { "k", LOG_A_STR, { .s = { "", 0 } } }, "k=" },
		{ { "k", LOG_A_STR, { .s = { "plain-./:@", 10 } } }, "k=plain-./:@" },
		{ { "k", LOG_A_STR, { .s = { "a b", 3 } } }, "k=\"a b\"" },
		{ { "k", LOG_A_STR, { .s = { "a=b", 3 } } }, "k=\"a=b\"" },
		{ { "k", LOG_A_STR, { .s = { "\"", 1 } } }, "k=\"\\\"\"" },
		{ { "k", LOG_A_STR, { .s = { "\\", 1 } } }, "k=\"\\\\\"" },
		{ { "k", LOG_A_STR, { .s = { "\t\r\n\0\x1b\x7f", 6 } } }, "k=\"\\t\\r\\n\\x00\\x1b\\x7f\"" },
		{ { "k", LOG_A_STR, { .s = { "\xc3\xa4", 2 } } }, "k=\"\xc3\xa4\"" },
		{ { "k", LOG_A_STR, { .s = { "\xc3", 1 } } }, "k=\"\\xc3\"" },
		/* C1 controls, directions, separators, byte order mark: they would disturb whoever reads the log. */
		{ { "k", LOG_A_STR, { .s = { "\xc2\x9b", 2 } } }, "k=\"\\u009b\"" },
		{ { "k", LOG_A_STR, { .s = { "\xe2\x80\xae", 3 } } }, "k=\"\\u202e\"" },
		{ { "k", LOG_A_STR, { .s = { "\xe2\x80\xa8", 3 } } }, "k=\"\\u2028\"" },
		{ { "k", LOG_A_STR, { .s = { "\xe2\x81\xa6", 3 } } }, "k=\"\\u2066\"" },
		{ { "k", LOG_A_STR, { .s = { "\xe2\x80\x8e", 3 } } }, "k=\"\\u200e\"" },
		{ { "k", LOG_A_STR, { .s = { "\xe2\x80\x8f", 3 } } }, "k=\"\\u200f\"" },
		{ { "k", LOG_A_STR, { .s = { "\xd8\x9c", 2 } } }, "k=\"\\u061c\"" },
		{ { "k", LOG_A_STR, { .s = { "\xef\xbb\xbf", 3 } } }, "k=\"\\ufeff\"" },
		{ { "k", LOG_A_STR, { .s = { "\xe2\x80\x90\xe2\x81\xaa\xc2\xa0\xef\xbf\xbd", 11 } } }, "k=\"\xe2\x80\x90\xe2\x81\xaa\xc2\xa0\xef\xbf\xbd\"" },
		{ { "k", LOG_A_INT, { .i = INT64_MIN } }, "k=-9223372036854775808" },
		{ { "k", LOG_A_UINT, { .u = UINT64_MAX } }, "k=18446744073709551615" },
		{ { "k", LOG_A_HEX, { .u = UINT64_MAX } }, "k=ffffffffffffffff" },
		{ { "k", LOG_A_BOOL, { .u = 1 } }, "k=true" },
		{ { "k", LOG_A_BOOL, { .u = 0 } }, "k=false" },
		{ { "k", LOG_A_TIME, { .i = 0 } }, "k=1970-01-01T00:00:00Z" },
		{ { "k", LOG_A_DURATION, { .i = 90 * TIME_SEC } }, "k=1m30s" },
		{ { "k", LOG_A_DURATION, { .i = 5 } }, "k=\"5\xc2\xb5s\"" },
		{ { "k", LOG_A_DOUBLE, { .d = 0.25 } }, "k=0.25" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		start(true);
		log_event(LOG_INFO, NULL, "m", &rows[i].attr, 1);
		assert_line(str_fmt(test_arena(), "l=info m=\"m\" %s\n", rows[i].want).p);
	}
	log_info(NULL, "m", log_z("a", NULL), log_z("b", "x"), log_i("c", -1), log_u("d", 1), log_x("e", 255), log_b("f", true),
	    log_time("g", 0), log_dur("h", TIME_SEC));
	assert_line("l=info m=\"m\" a= b=x c=-1 d=1 e=ff f=true g=1970-01-01T00:00:00Z h=1s\n");
	/* Another kind with the key err is an attribute like any other. */
	log_info(NULL, "m", log_i("err", 5));
	assert_line("l=info m=\"m\" err=5\n");
	stop();
}

TEST(log_values_are_bounded)
{
	static char huge[100 * 1000];
	struct log_attr many[30];
	struct str line;

	memset(huge, 'x', sizeof(huge));
	start(true);
	log_info(NULL, "m", log_s("k", str_n(huge, sizeof(huge))), log_i("after", 1));
	line = buf_str(&out);
	assert_int_equal(line.n, strlen("l=info m=\"m\" k=... after=1\n") + 64 * 1024);
	/* What is quoted shows where it was cut. */
	buf_reset(&out);
	huge[0] = ' ';
	log_info(NULL, "m", log_s("k", str_n(huge, sizeof(huge))));
	assert_true(str_ends(buf_str(&out), S("xx...\"\n")));
	/* The line as a whole has a limit, too, and still ends with LF. */
	buf_reset(&out);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = log_s("k", str_n(huge, sizeof(huge)));
	log_event(LOG_INFO, NULL, "m", many, ARRAY_LEN(many));
	assert_true(out.n <= 1024 * 1024 + 1);
	assert_true(str_ends(buf_str(&out), S("\n")));
	stop();
}

TEST(log_level_selection)
{
	struct log base = { .pkg = "lower" }, l = { .pkg = "upper", .parent = &base }, no_pkg = { .parent = &l };

	start(true);
	log_set_default(LOG_WARN);
	assert_int_equal(log_get_default(), LOG_WARN);
	assert_false(log_enabled(LOG_INFO, &l));
	assert_true(log_enabled(LOG_WARN, &l));
	assert_true(log_enabled(LOG_FATAL, &l));
	log_info(&l, "not wanted");
	log_debug(&l, "not wanted");
	assert_line("");
	/* fatal and print are always written. */
	log_set_default(LOG_PRINT);
	assert_true(log_enabled(LOG_FATAL, NULL));
	log_set_default(LOG_WARN);

	log_set_package(S("lower"), LOG_DEBUG);
	assert_true(log_enabled(LOG_DEBUG, &l));        /* an earlier package has a level, the last has none */
	assert_true(log_enabled(LOG_DEBUG, &no_pkg));
	log_set_package(S("upper"), LOG_ERROR);
	assert_false(log_enabled(LOG_WARN, &l));        /* the last one's counts */
	assert_true(log_enabled(LOG_DEBUG, &base));
	assert_false(log_enabled(LOG_INFO, &(struct log){ .pkg = "other" }));
	assert_false(log_enabled(LOG_INFO, NULL));
	assert_strz(log_levels(test_arena()), ": warn\nlower: debug\nupper: error\n");
	log_set_package(S("upper"), LOG_TRACE);
	assert_true(log_enabled(LOG_TRACE, &l));
	log_unset_package(S("upper"));
	assert_false(log_enabled(LOG_TRACE, &l));
	log_unset_package(S("lower"));
	log_unset_package(S("never set"));
	assert_false(log_enabled(LOG_INFO, &l));
	assert_strz(log_levels(test_arena()), ": warn\n");
	stop();
}

TEST(log_traces)
{
	static const struct { enum log_level enabled, line; const char *want; } rows[] = {
		{ LOG_DEBUG, LOG_TRACE, "" },
		{ LOG_DEBUG, LOG_TRACEDATA, "" },
		{ LOG_TRACE, LOG_TRACE, "l=trace m=\"C: a b\\r\\n\" pkg=p size=5 cid=1\n" },
		{ LOG_TRACE, LOG_TRACEAUTH, "l=traceauth m=\"C: ***\" pkg=p cid=1\n" },
		{ LOG_TRACE, LOG_TRACEDATA, "l=tracedata m=\"C: ...\" pkg=p size=5 cid=1\n" },
		{ LOG_TRACEAUTH, LOG_TRACE, "l=trace m=\"C: a b\\r\\n\" pkg=p size=5 cid=1\n" },
		{ LOG_TRACEAUTH, LOG_TRACEAUTH, "l=traceauth m=\"C: a b\\r\\n\" pkg=p size=5 cid=1\n" },
		{ LOG_TRACEAUTH, LOG_TRACEDATA, "l=tracedata m=\"C: ...\" pkg=p size=5 cid=1\n" },
		{ LOG_TRACEDATA, LOG_TRACEAUTH, "l=traceauth m=\"C: a b\\r\\n\" pkg=p size=5 cid=1\n" },
		{ LOG_TRACEDATA, LOG_TRACEDATA, "l=tracedata m=\"C: a b\\r\\n\" pkg=p size=5 cid=1\n" },
	};
	struct log l = { .pkg = "p", .cid = 1 };

	start(true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		log_set_default(rows[i].enabled);
		assert_int_equal(log_tracing(&l), rows[i].enabled <= LOG_TRACE);
		log_trace(rows[i].line, &l, "C: ", S("a b\r\n"));
		assert_line(rows[i].want);
	}
	log_set_logfmt(false);
	log_trace(LOG_TRACE, &l, "S: ", S("x \"y\""));
	assert_line("trace: \"S: x \\\"y\\\"\"; pkg=p; size=5; cid=1\n");
	stop();
}

TEST(log_counts)
{
	uint64_t info = log_count(LOG_INFO), warn = log_count(LOG_WARN), error = log_count(LOG_ERROR);

	start(true);
	log_info(NULL, "x");
	log_warn(NULL, "x");
	log_warn(NULL, "x");
	log_error(NULL, "x");
	log_error(NULL, "x");
	log_error(NULL, "x");
	log_debug(NULL, "x");
	log_print(NULL, "x");
	assert_int_equal(log_count(LOG_INFO), info + 1);
	assert_int_equal(log_count(LOG_WARN), warn + 2);
	assert_int_equal(log_count(LOG_ERROR), error + 3);
	assert_int_equal(log_count(LOG_DEBUG), 0);
	assert_int_equal(log_count(LOG_PRINT), 0);
	stop();
}

TEST(log_keeps_errno)
{
	start(true);
	errno = ENOTTY;
	log_info(NULL, "x", log_time("t", 0));
	assert_int_equal(errno, ENOTTY);
	stop();
}

static void
log_to_stderr(void *arg unused_)
{
	log_info(NULL, "to stderr");
	log_fatal(NULL, "the end", log_z("k", "v"));
	fputs("not reached", stderr);
}

TEST(log_fatal_ends_the_process)
{
	struct str err;
	int status = test_child(log_to_stderr, NULL, &err);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_str(err, S("info: to stderr\nfatal: the end; k=v\n"));
}

/* A pipe that is full: the write waits, a signal interrupts it, and it goes on until there is no reader any more. */
static int pipe_fds[2];

static void
interrupt(int sig unused_)
{
	static int count;

	if (++count == 3)
		close(pipe_fds[0]);
}

static void
log_to_full_pipe(void *arg unused_)
{
	struct sigaction sa = { .sa_handler = interrupt };
	struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } }, off = { 0 };
	char p[4096] = { 0 };

	log_info(NULL, "somebody reads");
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(pipe_fds, O_NONBLOCK) < 0)
		_exit(2);
	while (write(pipe_fds[1], p, sizeof(p)) > 0)
		;
	fd_nonblock(pipe_fds[1], false);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every_ms, NULL);
	if (dup2(pipe_fds[1], STDERR_FILENO) < 0)
		_exit(2);
	log_info(NULL, "nobody reads");
	setitimer(ITIMER_REAL, &off, NULL);
}

TEST(log_that_cannot_be_written_does_not_stop_the_program)
{
	int status = test_child(log_to_full_pipe, NULL, NULL);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define THREADS 4
#define LINES 500

static void *
log_much(void *arg)
{
	const int *id = arg;
	struct log l = { .pkg = "thread", .cid = (uint64_t)*id + 1 };

	for (int i = 0; i < LINES; i++) {
		log_info(&l, "line", log_i("n", i));
		log_set_package(S("thread"), i % 2 ? LOG_DEBUG : LOG_INFO);
		log_set_default(i % 3 ? LOG_DEBUG : LOG_INFO);
		if (log_enabled(LOG_DEBUG, &l))
			log_unset_package(S("thread"));
	}
	return NULL;
}

TEST(log_from_threads_writes_whole_lines)
{
	int ids[THREADS], next[THREADS] = { 0 };
	pthread_t t[THREADS];
	struct str rest;

	start(true);
	for (int i = 0; i < THREADS; i++) {
		ids[i] = i;
		assert_int_equal(pthread_create(&t[i], NULL, log_much, &ids[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	for (rest = buf_str(&out); rest.n > 0;) {
		struct str line = str_split(&rest, '\n');
		int id = line.p[line.n - 1] - '1';

		assert_in_range(id, 0, THREADS - 1);
		assert_str(line, str_fmt(test_arena(), "l=info m=\"line\" pkg=thread n=%d cid=%d", next[id]++, id + 1));
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(next[i], LINES);
	log_unset_package(S("thread"));
	stop();
}
