/* SPDX-License-Identifier: MIT */
/*
 * The measurements of pkg/dkim/dkim_bench.c with libopendkim, on the files that it wrote with -w. A program of its own,
 * as names of both libraries clash.
 *
 *	opendkim DIR [SECONDS]
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include <opendkim/dkim.h>

#define MAX_FILE (1 << 20)

static DKIM_LIB *lib;
static double seconds = 2;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static double
cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static unsigned char *
slurp(const char *dir, const char *kind, const char *ext, size_t *r_n)
{
	static unsigned char data[3][MAX_FILE];
	static int used;
	unsigned char *p = data[used++ % 3];
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.%s", dir, kind, ext);
	f = fopen(path, "rb");
	if (!f)
		die(path, "cannot be read");
	*r_n = fread(p, 1, MAX_FILE - 1, f);
	p[*r_n] = '\0';
	fclose(f);
	return p;
}

/* Passes a message on, header field by header field; without its first field if asked for. */
static DKIM_STAT
feed(DKIM *d, unsigned char *message, size_t n, bool skip_first)
{
	unsigned char *p = message, *end = (unsigned char *)strstr((char *)message, "\r\n\r\n");
	DKIM_STAT st = DKIM_STAT_OK;
	bool unused = false;

	while (p < end + 2 && st == DKIM_STAT_OK) {
		unsigned char *q = p;

		do {
			q = (unsigned char *)strstr((char *)q, "\r\n") + 2;
		} while (*q == ' ' || *q == '\t');
		if (!skip_first)
			st = dkim_header(d, p, (size_t)(q - p) - 2);
		skip_first = false;
		p = q;
	}
	if (st == DKIM_STAT_OK)
		st = dkim_eoh(d);
	if (st == DKIM_STAT_OK)
		st = dkim_body(d, end + 4, n - (size_t)(end + 4 - message));
	return st == DKIM_STAT_OK ? dkim_eom(d, &unused) : st;
}

static void
bench(const char *kind, bool sign, unsigned char *message, size_t n, unsigned char *key, dkim_alg_t alg)
{
	double start = cpu(), now = start;
	unsigned long count = 0;
	DKIM_STAT st;
	unsigned char *field;
	size_t field_n;

	for (; now - start < seconds; now = cpu(), count++) {
		DKIM *d;

		if (sign)
			d = dkim_sign(lib, (const unsigned char *)"j", NULL, key, (const unsigned char *)"s",
			    (const unsigned char *)"example.org", DKIM_CANON_RELAXED, DKIM_CANON_RELAXED, alg, -1, &st);
		else
			d = dkim_verify(lib, (const unsigned char *)"j", NULL, &st);
		if (!d)
			die(kind, dkim_getresultstr(st));
		st = feed(d, message, n, sign);
		if (st == DKIM_STAT_OK && sign)
			st = dkim_getsighdr_d(d, 16, &field, &field_n);
		if (st != DKIM_STAT_OK)
			die(kind, dkim_getresultstr(st));
		dkim_free(d);
	}
	printf("%-8s %-8s %8.0f/s %8.1f us   (libopendkim)\n", sign ? "sign" : "verify", kind,
	    (double)count / (now - start), (now - start) * 1e6 / (double)count);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *kind;
		dkim_alg_t alg;
	} kinds[] = { { "rsa2048", DKIM_SIGN_RSASHA256 }, { "ed25519", DKIM_SIGN_ED25519SHA256 } };
	dkim_query_t method = DKIM_QUERY_FILE;
	char path[4096];

	if (argc < 2)
		return 2;
	if (argc > 2)
		seconds = strtod(argv[2], NULL);
	for (int i = 0; i < 2; i++) {
		size_t n, key_n;
		unsigned char *message = slurp(argv[1], kinds[i].kind, "eml", &n);
		unsigned char *key = slurp(argv[1], kinds[i].kind, "pem", &key_n);

		lib = dkim_init(NULL, NULL);
		snprintf(path, sizeof(path), "%s/%s.txt", argv[1], kinds[i].kind);
		if (!lib || dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYMETHOD, &method, sizeof(method)) != DKIM_STAT_OK ||
		    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYINFO, path, strlen(path)) != DKIM_STAT_OK)
			die("libopendkim", "options");
		bench(kinds[i].kind, true, message, n, key, kinds[i].alg);
		bench(kinds[i].kind, false, message, n, NULL, kinds[i].alg);
		dkim_close(lib);
	}
	return 0;
}
