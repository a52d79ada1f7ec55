/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. A test runs in three steps: setup (arena, log sink, counts of descriptors and threads), the test itself with
 * the checks behind it, and teardown, which cmocka calls also when the test failed: it prints what helps to understand the
 * failure and releases everything.
 */
#include "testutil/testutil.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "log/log.h"
#include "testutil/testutil_internal.h"

struct line {
	struct line *next;
	enum log_level level;
	char *text;
};

struct expected {
	struct expected *next;
	const char *text;
};

struct block {
	struct block *next;
	void *p;
};

static struct testutil_test *tests, **tests_end = &tests;

/* State of the running test. */
static struct {
	struct arena arena;
	char dir[64];
	char row[256];
	struct expected *expected;
	struct block *blocks;
	int fds, threads;
	int64_t now_us;
	bool passed;
} cur;

/* The log's sink is called from any thread. */
static pthread_mutex_t lines_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct line *lines, **lines_end = &lines;

void
testutil_register(const char *name, const char *file, void (*fn)(void **))
{
	struct testutil_test *t = mem_alloc(sizeof(*t));

	*t = (struct testutil_test){ .name = name, .file = file, .fn = fn };
	*tests_end = t;
	tests_end = &t->next;
}

const struct testutil_test *
testutil_tests(void)
{
	return tests;
}

static void
sink(enum log_level level, struct str text, void *arg unused_)
{
	struct line *l = mem_alloc(sizeof(*l));

	l->level = level;
	l->text = mem_str(text);
	pthread_mutex_lock(&lines_mutex);
	*lines_end = l;
	lines_end = &l->next;
	pthread_mutex_unlock(&lines_mutex);
}

static int
count_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	bug_if(d == NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

int
testutil_setup(void **state unused_)
{
	cur.passed = false;
	cur.now_us = 1700000000 * TIME_SEC;
	log_set_default(LOG_DEBUG);
	log_set_sink(sink, NULL);
	cur.threads = count_threads();
	cur.fds = fd_count_open();
	return 0;
}

static void
print_descriptors(void)
{
	char path[64], target[256];

	for (int fd = 0; fd < 1024; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0)
			print_error("  descriptor %d: %.*s\n", fd, (int)n, target);
	}
}

/* A joined or detached thread may still be on its way out of the kernel's table: give it a moment. */
static int
settled_threads(void)
{
	int64_t deadline = time_mono_us() + 2 * TIME_SEC;
	int n;

	while ((n = count_threads()) > cur.threads && time_mono_us() < deadline)
		usleep(1000);   /* lint: sleep the kernel tells of nothing that could be waited for */
	return n;
}

static void
check_log(void)
{
	pthread_mutex_lock(&lines_mutex);
	for (const struct line *l = lines; l; l = l->next) {
		bool announced = l->level < LOG_WARN || l->level == LOG_PRINT;

		for (const struct expected *e = cur.expected; e && !announced; e = e->next)
			announced = strstr(l->text, e->text) != NULL;
		if (!announced) {
			pthread_mutex_unlock(&lines_mutex);
			fail_msg("logged without expect_log: %s", l->text);
		}
	}
	for (const struct expected *e = cur.expected; e; e = e->next) {
		bool came = false;

		for (const struct line *l = lines; l && !came; l = l->next)
			came = l->level >= LOG_WARN && strstr(l->text, e->text) != NULL;
		if (!came) {
			pthread_mutex_unlock(&lines_mutex);
			fail_msg("announced with expect_log but not logged: %s", e->text);
		}
	}
	pthread_mutex_unlock(&lines_mutex);
}

void
testutil_run(void **state)
{
	const struct testutil_test *t = *state;
	void *none = NULL;
	int fds, threads;

	t->fn(&none);
	cur.row[0] = '\0';
	fd_ops_set(NULL);
	threads = settled_threads();
	fds = fd_count_open();
	if (fds != cur.fds) {
		print_descriptors();
		fail_msg("%d descriptors open, %d before the test", fds, cur.fds);
	}
	if (threads > cur.threads)
		fail_msg("%d threads left", threads - cur.threads);
	check_log();
	cur.passed = true;
}

static void
print_context(const struct testutil_test *t)
{
	print_error("in test %s of %s\n", t->name, t->file);
	if (cur.row[0] != '\0')
		print_error("at row %s\n", cur.row);
	pthread_mutex_lock(&lines_mutex);
	for (const struct line *l = lines; l; l = l->next)
		print_error("  log: %s", l->text);
	pthread_mutex_unlock(&lines_mutex);
}

int
testutil_teardown(void **state)
{
	struct errmsg e = { 0 };
	int r = 0;

	log_set_sink(NULL, NULL);
	fd_ops_set(NULL);
	if (!cur.passed)
		print_context(*state);
	pthread_mutex_lock(&lines_mutex);
	while (lines) {
		struct line *next = lines->next;

		free(lines->text);
		free(lines);
		lines = next;
	}
	lines_end = &lines;
	pthread_mutex_unlock(&lines_mutex);
	while (cur.blocks) {
		struct block *next = cur.blocks->next;

		free(cur.blocks->p);
		free(cur.blocks);
		cur.blocks = next;
	}
	cur.expected = NULL;            /* in the arena */
	arena_done(&cur.arena);
	if (cur.dir[0] != '\0' && fd_remove_tree(cur.dir, &e) < 0) {
		print_error("remove %s: %s\n", cur.dir, e.text);
		r = -1;
	}
	cur.dir[0] = '\0';
	cur.row[0] = '\0';
	return r;
}

struct arena *
test_arena(void)
{
	return &cur.arena;
}

const char *
test_dir(void)
{
	if (cur.dir[0] == '\0') {
		snprintf(cur.dir, sizeof(cur.dir), "/tmp/mox-test-XXXXXX");
		bug_if(mkdtemp(cur.dir) == NULL);
	}
	return cur.dir;
}

const char *
test_data(const char *rel)
{
	const char *root = getenv("MOX_TESTDATA");

	return str_fmt(&cur.arena, "%s/%s", root ? root : "testdata", rel).p;
}

struct str
test_read(const char *path)
{
	struct errmsg e = { 0 };
	struct str s = { 0 };

	if (fd_read_file(&cur.arena, path, 1 << 30, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

struct str
test_exact(struct str s)
{
	struct block *b = mem_alloc(sizeof(*b));

	b->p = malloc(s.n);
	bug_if(b->p == NULL && s.n > 0);
	if (s.n > 0)
		memcpy(b->p, s.p, s.n);
	b->next = cur.blocks;
	cur.blocks = b;
	return str_n(b->p, s.n);
}

static int64_t
standing_clock(void *arg unused_)
{
	return __atomic_load_n(&cur.now_us, __ATOMIC_RELAXED);
}

const struct clock *
test_clock(void)
{
	static const struct clock c = { .now_us = standing_clock };

	return &c;
}

void
test_clock_set(int64_t us)
{
	__atomic_store_n(&cur.now_us, us, __ATOMIC_RELAXED);
}

void
test_clock_add(int64_t us)
{
	__atomic_fetch_add(&cur.now_us, us, __ATOMIC_RELAXED);
}

/* The counts of a process that ends without exit would be lost. */
#ifdef MOX_COV
#include <gcov.h>
#define SAVE_COVERAGE __gcov_dump
#else
#define SAVE_COVERAGE NULL
#endif

static noreturn_ void
run_child(void (*fn)(void *), void *arg, int err)
{
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGABRT, SIG_DFL);
	dup2(err, STDERR_FILENO);
	log_set_sink(NULL, NULL);
	err_bug_hook = SAVE_COVERAGE;
	fn(arg);
	if (err_bug_hook)       /* GCOVR_EXCL_BR_LINE: the hook saves the counts */
		err_bug_hook();
	_exit(0);               /* GCOVR_EXCL_LINE: as above */
}

int
test_child(void (*fn)(void *), void *arg, struct str *r_stderr)
{
	cleanup_(fd_close) int err = memfd_create("stderr", MFD_CLOEXEC);
	int status;
	off_t size;
	pid_t pid = -1;
	char *p;

	fflush(NULL);
	if (err < 0 || (pid = fork()) < 0)      /* GCOVR_EXCL_BR_LINE: tested where no counts can be saved */
		fail_msg("fork: %s", err_strerror(errno));      /* GCOVR_EXCL_LINE */
	if (pid == 0)
		run_child(fn, arg, err);
	while (waitpid(pid, &status, 0) < 0)    /* GCOVR_EXCL_BR_LINE: only after a signal */
		bug_if(errno != EINTR);         /* GCOVR_EXCL_LINE */
	size = lseek(err, 0, SEEK_END);
	p = arena_bytes(&cur.arena, (size_t)size);
	bug_if(fd_pread_full(err, p, (size_t)size, 0) < 0);
	if (r_stderr)
		*r_stderr = str_n(p, (size_t)size);
	return status;
}

void
testutil_bug(void (*fn)(void *), void *arg, const char *text, const char *file, int line)
{
	struct str err;
	int status = test_child(fn, arg, &err);

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && str_starts(err, S("bug at ")) && str_search(err, str_of(text)) >= 0)
		return;
	print_error("no bug with \"%s\": wait status %#x, stderr:\n" STRF "\n", text, (unsigned)status, STRA(err));
	_fail(file, line);
}

void
expect_log(const char *text)
{
	struct expected *e = ARENA_NEW(&cur.arena, struct expected);

	e->text = arena_strdup(&cur.arena, text);
	e->next = cur.expected;
	cur.expected = e;
}

size_t
test_logged(const char *text)
{
	size_t n = 0;

	pthread_mutex_lock(&lines_mutex);
	for (const struct line *l = lines; l; l = l->next)
		n += strstr(l->text, text) != NULL;
	pthread_mutex_unlock(&lines_mutex);
	return n;
}

void
test_row(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cur.row, sizeof(cur.row), fmt, ap);
	va_end(ap);
}

void
testutil_assert_str(struct str got, struct str want, const char *expr, const char *file, int line)
{
	if (str_is(got, want))
		return;
	print_error("%s is\n  \"" STRF "\", not\n  \"" STRF "\"\n", expr, STRA(str_log(&cur.arena, got, 4000)),
	    STRA(str_log(&cur.arena, want, 4000)));
	_fail(file, line);
}

void
testutil_assert_code(int got, int want, const char *expr, const char *file, int line)
{
	if (got == want)
		return;
	print_error("%s is %d (%s), not %d (%s)\n", expr, got, err_text(got), want, err_text(want));
	_fail(file, line);
}
