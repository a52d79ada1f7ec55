/* SPDX-License-Identifier: MIT */
/* The metrics that every Prometheus client has (process_*), read from /proc, and the counts of log lines. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/timeutil.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "metrics/metrics_internal.h"

static double start_time;

/*
 * Field n (from 1) of /proc/self/stat, 0 if unreadable. The command name, field 2, stands in parentheses and may hold spaces.
 */
static uint64_t
stat_field(unsigned n)
{
	struct arena a = { 0 };
	struct str s;
	uint64_t v = 0;

	if (fd_read_file(&a, "/proc/self/stat", 4096, &s, NULL) == 0) {        /* GCOVR_EXCL_BR_LINE: is always there in tests */
		s = str_from(s, (size_t)(str_rfind(s, ')') + 2));
		for (unsigned i = 3; i < n; i++)
			str_split(&s, ' ');
		ignore_result(str_u64(str_split(&s, ' '), &v));
	}
	arena_done(&a);
	return v;
}

static double
cpu_seconds(void *arg unused_)
{
	struct rusage ru = { 0 };

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) + (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static double
open_fds(void *arg unused_)
{
	return fd_count_open();
}

static double
max_fds(void *arg unused_)
{
	struct rlimit rl = { 0 };

	getrlimit(RLIMIT_NOFILE, &rl);
	return (double)rl.rlim_cur;
}

static double
virtual_memory(void *arg unused_)
{
	return (double)stat_field(23);
}

static double
resident_memory(void *arg unused_)
{
	return (double)stat_field(24) * (double)sysconf(_SC_PAGESIZE);
}

static double
threads(void *arg unused_)
{
	return (double)stat_field(20);
}

static double
started(void *arg unused_)
{
	return start_time;
}

static double
log_lines(void *arg)
{
	const enum log_level *level = arg;

	return (double)log_count(*level);
}

static void
register_process(void)
{
	static enum log_level levels[] = { LOG_INFO, LOG_WARN, LOG_ERROR };
	double since_boot = (double)stat_field(22) / (double)sysconf(_SC_CLK_TCK);
	struct timespec boot = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &boot);
	start_time = (double)time_now_us() / 1e6 - ((double)boot.tv_sec + (double)boot.tv_nsec / 1e9) + since_boot;

	metrics_func("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", METRICS_COUNTER, cpu_seconds, NULL);
	metrics_func("process_max_fds", "Maximum number of open file descriptors.", METRICS_GAUGE, max_fds, NULL);
	metrics_func("process_open_fds", "Number of open file descriptors.", METRICS_GAUGE, open_fds, NULL);
	metrics_func("process_resident_memory_bytes", "Resident memory size in bytes.", METRICS_GAUGE, resident_memory, NULL);
	metrics_func("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", METRICS_GAUGE, started, NULL);
	metrics_func("process_threads", "Number of threads.", METRICS_GAUGE, threads, NULL);
	metrics_func("process_virtual_memory_bytes", "Virtual memory size in bytes.", METRICS_GAUGE, virtual_memory, NULL);
	metrics_func("mox_logging_level_info_total", "Total number of logging events at level info.", METRICS_COUNTER, log_lines, &levels[0]);
	metrics_func("mox_logging_level_warn_total", "Total number of logging events at level warn.", METRICS_COUNTER, log_lines, &levels[1]);
	metrics_func("mox_logging_level_error_total", "Total number of logging events at level error.", METRICS_COUNTER, log_lines, &levels[2]);
}

void
metrics_register_process(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_process);
}
