/* SPDX-License-Identifier: MIT */
#include "metrics/metrics.h"

#include <math.h>
#include <pthread.h>
#include <sys/resource.h>

#include "log/log.h"
#include "testutil/testutil.h"

/* The part of the exposition about the metric of this name. */
static struct str
exposed(const char *name)
{
	struct buf b = BUF_ARENA(test_arena(), 10 << 20);
	struct str all, from;
	ssize_t at, end;

	metrics_expose(&b);
	all = buf_str(&b);
	at = str_search(all, str_fmt(test_arena(), "# HELP %s ", name));
	if (at < 0)
		return S("");
	from = str_from(all, (size_t)at);
	end = str_search(str_from(from, 1), S("\n# HELP "));
	return end < 0 ? from : str_upto(from, (size_t)end + 2);
}

TEST(metrics_counter)
{
	static struct metric m = METRICS_COUNTER_INIT("test_counter_total", "Counts \\ things\nand more.", "result", "kind");

	assert_str(exposed("test_counter_total"), S(""));       /* unknown until first used */
	assert_true(metrics_get(&m, "ok", "a", NULL) == 0);
	metrics_add(&m, 1, "ok", "b", NULL);
	metrics_add(&m, 2.5, "ok", "b", NULL);
	metrics_add(&m, 0, "ok", "a", NULL);
	metrics_add(&m, 3, "failed", "say \"x\"\\\n", NULL);
	assert_true(metrics_get(&m, "ok", "b", NULL) == 3.5);
	assert_true(metrics_get(&m, "b", "ok", NULL) == 0);
	assert_strz(exposed("test_counter_total"),
	    "# HELP test_counter_total Counts \\\\ things\\nand more.\n"
	    "# TYPE test_counter_total counter\n"
	    "test_counter_total{result=\"failed\",kind=\"say \\\"x\\\"\\\\\\n\"} 3\n"
	    "test_counter_total{result=\"ok\",kind=\"a\"} 0\n"
	    "test_counter_total{result=\"ok\",kind=\"b\"} 3.5\n");
	metrics_reset_all();
	assert_true(metrics_get(&m, "ok", "b", NULL) == 0);
}

TEST(metrics_gauge_and_numbers)
{
	static struct metric m = METRICS_GAUGE_INIT("test_gauge", "A gauge.");
	static const struct { double v; const char *text; } rows[] = {
		{ 0, "0" }, { 1, "1" }, { -1.5, "-1.5" }, { 0.1, "0.1" }, { 1e15, "1e+15" }, { 123456789012, "123456789012" },
		{ 1.0 / 3, "0.3333333333333333" }, { 0.1 + 0.2, "0.30000000000000004" }, { INFINITY, "+Inf" }, { -INFINITY, "-Inf" },
		{ NAN, "NaN" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		metrics_set(&m, rows[i].v, NULL);
		assert_strz(exposed("test_gauge"),
		    str_fmt(test_arena(), "# HELP test_gauge A gauge.\n# TYPE test_gauge gauge\ntest_gauge %s\n", rows[i].text).p);
	}
	metrics_set(&m, 5, NULL);
	metrics_add(&m, -2, NULL);
	assert_true(metrics_get(&m, NULL) == 3);
}

TEST(metrics_histogram)
{
	static const double buckets[] = { .5, 1, 10 };
	static struct metric m = METRICS_HISTOGRAM_INIT("test_seconds", "Time.", buckets, "cmd");
	static struct metric plain = METRICS_HISTOGRAM_INIT("test_plain_seconds", "Time.", metrics_buckets_a);
	static const double seen[] = { .25, .5, .75, 1, 5, 100 };

	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		metrics_observe(&m, seen[i], "noop", NULL);
	assert_true(metrics_get(&m, "noop", NULL) == 6);
	assert_true(metrics_get(&m, "other", NULL) == 0);
	assert_strz(exposed("test_seconds"),
	    "# HELP test_seconds Time.\n"
	    "# TYPE test_seconds histogram\n"
	    "test_seconds_bucket{cmd=\"noop\",le=\"0.5\"} 2\n"
	    "test_seconds_bucket{cmd=\"noop\",le=\"1\"} 4\n"
	    "test_seconds_bucket{cmd=\"noop\",le=\"10\"} 5\n"
	    "test_seconds_bucket{cmd=\"noop\",le=\"+Inf\"} 6\n"
	    "test_seconds_sum{cmd=\"noop\"} 107.5\n"
	    "test_seconds_count{cmd=\"noop\"} 6\n");
	metrics_observe(&plain, 0.002, NULL);
	assert_true(str_search(exposed("test_plain_seconds"), S("test_plain_seconds_bucket{le=\"0.005\"} 1\n")) > 0);
	assert_true(str_search(exposed("test_plain_seconds"), S("test_plain_seconds_sum 0.002\n")) > 0);
	metrics_reset_all();
	assert_true(metrics_get(&m, "noop", NULL) == 0);
	assert_true(str_search(exposed("test_seconds"), S("test_seconds_sum{cmd=\"noop\"} 0\n")) > 0);
}

TEST(metrics_series_are_bounded)
{
	static struct metric m = METRICS_COUNTER_INIT("test_many_total", "Many.", "a", "b");
	struct str text, line;
	size_t n = 0;

	for (int i = 0; i < 1500; i++)
		metrics_add(&m, 1, str_fmt(test_arena(), "%d", i).p, "x", NULL);
	for (text = exposed("test_many_total"); text.n > 0;) {
		line = str_split(&text, '\n');
		n += str_starts(line, S("test_many_total{"));
	}
	assert_int_equal(n, METRICS_MAX_SERIES);
	assert_true(metrics_get(&m, "(other)", "(other)", NULL) == 1500 - (METRICS_MAX_SERIES - 1));
	assert_true(metrics_get(&m, "5", "x", NULL) == 1);
	assert_true(metrics_get(&m, "1400", "x", NULL) == 0);
}

static double
answer(void *arg)
{
	const double *v = arg;

	return *v;
}

TEST(metrics_functions)
{
	static double v = 42;

	metrics_func("test_func", "Computed.", METRICS_GAUGE, answer, &v);
	assert_strz(exposed("test_func"), "# HELP test_func Computed.\n# TYPE test_func gauge\ntest_func 42\n");
	v = 43;
	assert_true(str_ends(exposed("test_func"), S("\ntest_func 43\n")));
}

static double
value_of(const char *name)
{
	struct str text = exposed(name);
	ssize_t at = str_search(text, str_fmt(test_arena(), "\n%s ", name));
	char *z;

	assert_true(at >= 0);
	z = str_z(test_arena(), str_from(text, (size_t)at + 2 + strlen(name)));
	return strtod(z, NULL);
}

TEST(metrics_of_the_process)
{
	double lines = value_of("mox_logging_level_info_total"), now = (double)time_now_us() / 1e6;
	struct rusage ru;

	assert_true(value_of("process_cpu_seconds_total") > 0);
	assert_true(value_of("process_cpu_seconds_total") < 1000);
	assert_true(value_of("process_open_fds") >= 3);
	assert_true(value_of("process_max_fds") >= value_of("process_open_fds"));
	assert_true(value_of("process_threads") >= 1);
	assert_int_equal(getrusage(RUSAGE_SELF, &ru), 0);
	assert_true(value_of("process_resident_memory_bytes") > 100 * 1024);
	assert_true(value_of("process_virtual_memory_bytes") > value_of("process_resident_memory_bytes"));
	assert_true(value_of("process_start_time_seconds") <= now + 1);
	assert_true(value_of("process_start_time_seconds") > now - 3600);
	log_info(NULL, "one more line");
	assert_true(value_of("mox_logging_level_info_total") == lines + 1);
	assert_true(value_of("mox_logging_level_warn_total") >= 0);
	assert_true(value_of("mox_logging_level_error_total") >= 0);
}

TEST(metrics_are_sorted_by_name)
{
	struct buf b = BUF_ARENA(test_arena(), 10 << 20);
	struct str text, last = S("");

	metrics_expose(&b);
	for (text = buf_str(&b); text.n > 0;) {
		struct str line = str_split(&text, '\n'), name;

		if (!str_starts(line, S("# HELP ")))
			continue;
		line = str_from(line, strlen("# HELP "));
		name = str_split(&line, ' ');
		assert_true(str_cmp(last, name) < 0);
		last = name;
	}
}

static struct metric misuse_counter = METRICS_COUNTER_INIT("test_misuse_total", "x", "label");
static struct metric misuse_histogram = METRICS_HISTOGRAM_INIT("test_misuse_seconds", "x", metrics_buckets_a30);
static struct metric five = METRICS_COUNTER_INIT("test_five_total", "x", "a", "b", "c", "d", "e");

static void
too_few_labels(void *arg unused_)
{
	metrics_add(&misuse_counter, 1, NULL);
}

static void
too_many_labels(void *arg unused_)
{
	metrics_add(&five, 1, "1", "2", "3", "4", "5", "6", NULL);
}

static void
falling_counter(void *arg unused_)
{
	metrics_add(&misuse_counter, -1, "x", NULL);
}

static void
nan_counter(void *arg unused_)
{
	metrics_add(&misuse_counter, NAN, "x", NULL);
}

static void
add_to_histogram(void *arg unused_)
{
	metrics_add(&misuse_histogram, 1, NULL);
}

static void
set_counter(void *arg unused_)
{
	metrics_set(&misuse_counter, 1, "x", NULL);
}

static void
observe_counter(void *arg unused_)
{
	metrics_observe(&misuse_counter, 1, "x", NULL);
}

static void
same_name(void *arg unused_)
{
	static struct metric twin = METRICS_COUNTER_INIT("test_misuse_total", "y", "label");

	metrics_add(&misuse_counter, 1, "x", NULL);
	metrics_add(&twin, 1, "x", NULL);
}

static void
same_name_as_function(void *arg unused_)
{
	metrics_func("test_misuse_total", "y", METRICS_COUNTER, answer, NULL);
	metrics_add(&misuse_counter, 1, "x", NULL);
}

TEST(metrics_misuse_is_a_bug)
{
	metrics_add(&five, 1, "1", "2", "3", "4", "5", NULL);
	assert_true(metrics_get(&five, "1", "2", "3", "4", "5", NULL) == 1);
	test_bug(too_few_labels, NULL, "test_misuse_total has 1 labels, not 0");
	test_bug(too_many_labels, NULL, "test_five_total has 5 labels, not 6");
	test_bug(falling_counter, NULL, "v >= 0");
	test_bug(nan_counter, NULL, "v >= 0");
	test_bug(add_to_histogram, NULL, "METRICS_HISTOGRAM");
	test_bug(set_counter, NULL, "METRICS_GAUGE");
	test_bug(observe_counter, NULL, "METRICS_HISTOGRAM");
	test_bug(same_name, NULL, "two metrics named test_misuse_total");
	test_bug(same_name_as_function, NULL, "two metrics named test_misuse_total");
}

#define THREADS 4
#define ROUNDS 5000

static struct metric shared_counter = METRICS_COUNTER_INIT("test_shared_total", "Shared.", "series");
static struct metric shared_histogram = METRICS_HISTOGRAM_INIT("test_shared_seconds", "Shared.", metrics_buckets_a120);

static void *
count_up(void *arg)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g" };

	for (int i = 0; i < ROUNDS; i++) {
		metrics_add(&shared_counter, .5, names[i % (int)ARRAY_LEN(names)], NULL);
		metrics_observe(&shared_histogram, .125, NULL);
	}
	return arg;
}

TEST(metrics_from_threads)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(10 << 20);
	pthread_t t[THREADS];
	double sum = 0;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count_up, NULL), 0);
	for (int i = 0; i < 10; i++) {
		buf_reset(&b);
		metrics_expose(&b);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	for (char c = 'a'; c <= 'g'; c++)
		sum += metrics_get(&shared_counter, (char[]){ c, '\0' }, NULL);
	assert_true(sum == THREADS * ROUNDS * .5);
	assert_true(metrics_get(&shared_histogram, NULL) == THREADS * ROUNDS);
	assert_true(str_search(exposed("test_shared_seconds"), S("test_shared_seconds_sum 2500\n")) > 0);
}
