/* SPDX-License-Identifier: MIT */
/*
 * Measures evaluations of SPF against records in memory: what the package costs without the network.
 *
 *	spf [-t SECONDS]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/timeutil.h"
#include "dns_mock/dns_mock.h"
#include "spf/spf.h"

static const char zone[] =
    "ip.example TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"
    "fail.example TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n"
    "mx.example TXT \"v=spf1 a mx -all\"\n"
    "mx.example A 192.0.2.7\n"
    "mx.example MX 10 mail.mx.example\n"
    "mail.mx.example A 192.0.2.1\n"
    "include.example TXT \"v=spf1 include:a.example include:b.example include:ip.example ~all\"\n"
    "a.example TXT \"v=spf1 ip4:203.0.113.0/24 ip4:198.51.100.0/24 ?all\"\n"
    "b.example TXT \"v=spf1 ip6:2001:db8::/32 ip4:203.0.113.7 ?all\"\n"
    "macro.example TXT \"v=spf1 exists:%{ir}.%{l}.%{d2}.list.example -all\"\n"
    "1.2.0.192.user.macro.example.list.example A 127.0.0.2\n";

/* Processor time, so that a busy machine does not matter. */
static int64_t
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * TIME_SEC + ts.tv_nsec / 1000;
}

static void
bench(struct dns_resolver *r, const char *domain, enum spf_status want, double seconds)
{
	struct spf_args args = { .remote_ip = { .family = 4, .a = { 192, 0, 2, 1 } },
		.mailfrom_localpart = S("user"),
		.mailfrom_domain = str_of(domain),
		.helo_domain = str_of(domain),
		.local_hostname = S("mx.example.net") };
	struct arena a = { 0 };
	struct ctx ctx = { 0 };
	int64_t start = cpu_us(), now = start;
	unsigned lookups = dns_mock_lookups(r);
	uint64_t n = 0;

	for (; (double)(now - start) < seconds * 1e6; now = cpu_us(), n++) {
		struct spf_result result;

		spf_evaluate(r, &a, &ctx, &args, &result);
		if (result.status != want) {
			fprintf(stderr, "%s: %s\n", domain, spf_status_text(result.status));
			exit(1);
		}
		arena_reset(&a);
	}
	printf("%-16s %-8s %9.0f/s %8.2f us, %llu look-ups each\n", domain, spf_status_text(want),
	    (double)n * 1e6 / (double)(now - start), (double)(now - start) / (double)n,
	    (unsigned long long)((dns_mock_lookups(r) - lookups) / n));
	arena_done(&a);
}

int
main(int argc, char **argv)
{
	struct dns_mock_opts o = { .zone = zone };
	struct dns_resolver *r = dns_mock_new(&o);
	double seconds = 2;
	int opt;

	while ((opt = getopt(argc, argv, "t:")) != -1) {
		if (opt != 't')
			return 2;
		seconds = strtod(optarg, NULL);
	}
	bench(r, "ip.example", SPF_PASS, seconds);
	bench(r, "fail.example", SPF_FAIL, seconds);
	bench(r, "mx.example", SPF_PASS, seconds);
	bench(r, "include.example", SPF_PASS, seconds);
	bench(r, "macro.example", SPF_PASS, seconds);
	dns_mock_free(&r);
	return 0;
}
