/* SPDX-License-Identifier: MIT */
/*
 * Measures signing and verifying of a message of 50 KB, with RSA-2048 and Ed25519, relaxed/relaxed.
 *
 *	dkim [-t SECONDS] [-w DIR] [sign | verify]...
 *
 * Each measurement takes SECONDS of processor time (default 2). -w writes what integration/opendkim_bench.c needs to do the same with
 * libopendkim. The key is in memory: no DNS.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fd.h"
#include "base/timeutil.h"
#include "dkim/dkim.h"

#define DOMAIN S("example.org")
#define BODY_SIZE 50000

static double seconds = 2;
static struct str key_record;

static void
die(const char *what, const struct errmsg *e)
{
	fprintf(stderr, "%s: %s\n", what, e->text);
	exit(1);
}

/* A resolver that has the key's record for every name. */
static int
lookup(struct dns_resolver *r unused_, struct arena *a, const struct ctx *ctx unused_, enum dns_type type, struct str name,
    unsigned flags unused_, struct dns_result *r_result, struct errmsg *e unused_)
{
	struct dns_record *v = ARENA_NEW(a, struct dns_record);

	v->type = type;
	v->text = key_record;
	*r_result = (struct dns_result){ .v = v, .n = 1, .canonical = name, .extended_error = -1 };
	return 0;
}

/* Processor time, so that a busy machine does not matter. */
static int64_t
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * TIME_SEC + ts.tv_nsec / 1000;
}

static struct str
make_message(struct arena *a)
{
	struct buf b = BUF_ARENA(a, 1 << 20);

	buf_addz(&b,
	    "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.net>\r\nSubject: A message of the usual kind\r\n"
	    "Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <1234567890@example.org>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	for (unsigned line = 0; b.n < BODY_SIZE; line++)
		buf_addf(&b, "%u The quick brown fox jumps over the lazy dog, and again, and once more.%s\r\n", line,
		    line % 10 == 0 ? "  " : "");
	return buf_str(&b);
}

static void
report(const char *what, const char *kind, uint64_t n, int64_t us)
{
	printf("%-8s %-8s %8.0f/s %8.1f us\n", what, kind, (double)n * 1e6 / (double)us, (double)us / (double)n);
}

static struct str
sign_once(struct arena *a, const struct message_source *src, EVP_PKEY *key)
{
	struct dkim_signer signer = { .selector = S("s"), .key = key, .header_relaxed = true, .body_relaxed = true };
	struct errmsg e = { 0 };
	struct str fields;

	if (dkim_sign(a, src, S("alice"), DOMAIN, &signer, 1, NULL, &fields, &e) < 0)
		die("sign", &e);
	return fields;
}

static void
bench_sign(const char *kind, struct str message, EVP_PKEY *key)
{
	struct message_source src = message_source_mem(message);
	struct arena a = { 0 };
	int64_t start = cpu_us(), now = start;
	uint64_t n = 0;

	for (; (double)(now - start) < seconds * 1e6; now = cpu_us(), n++) {
		sign_once(&a, &src, key);
		arena_reset(&a);
	}
	report("sign", kind, n, now - start);
	arena_done(&a);
}

static void
bench_verify(const char *kind, struct str signed_message)
{
	struct dns_resolver r = { .lookup = lookup };
	struct dkim_verify_args args = { 0 };
	struct message_source src = message_source_mem(signed_message);
	struct arena a = { 0 };
	struct ctx ctx = { 0 };
	int64_t start = cpu_us(), now = start;
	uint64_t count = 0;

	for (; (double)(now - start) < seconds * 1e6; now = cpu_us(), count++) {
		struct dkim_result *v = NULL;
		struct errmsg e = { 0 };
		size_t n = 0;

		if (dkim_verify(&r, &a, &ctx, &src, &args, &v, &n, &e) < 0)
			die("verify", &e);
		if (n != 1 || v[0].status != DKIM_PASS) {
			err_set(&e, ERR_INVALID, STRF, STRA(v[0].problem));
			die("the signature does not verify", &e);
		}
		arena_reset(&a);
	}
	report("verify", kind, count, now - start);
	arena_done(&a);
}

/* For the other program: message, key, and the record with its name before it. */
static void
write_files(struct arena *a, const char *dir, const char *kind, struct str signed_message, EVP_PKEY *key)
{
	struct errmsg e = { 0 };
	struct str pem;
	const struct {
		const char *name;
		struct str content;
	} files[] = {
		{ "eml", signed_message },
		{ "pem", dkim_key_to_pem(a, key, &pem) == 0 ? pem : S("") },
		{ "txt", str_fmt(a, "s._domainkey." STRF " " STRF "\n", STRA(DOMAIN), STRA(key_record)) },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (fd_write_file(str_fmt(a, "%s/%s.%s", dir, kind, files[i].name).p, files[i].content, 0600, &e) < 0)
			die("write", &e);
}

int
main(int argc, char **argv)
{
	const char *dir = NULL;
	bool sign = false, verify = false;
	int opt;

	while ((opt = getopt(argc, argv, "t:w:")) != -1) {
		if (opt == 't')
			seconds = strtod(optarg, NULL);
		else if (opt == 'w')
			dir = optarg;
		else
			return 2;
	}
	for (; optind < argc; optind++) {
		sign |= strcmp(argv[optind], "sign") == 0;
		verify |= strcmp(argv[optind], "verify") == 0;
	}
	for (int ed = 0; ed < 2; ed++) {
		const char *kind = ed ? "ed25519" : "rsa2048";
		struct arena a = { 0 };
		struct errmsg e = { 0 };
		struct str message = make_message(&a), whole;
		struct message_source src = message_source_mem(message);
		struct dkim_record record;
		EVP_PKEY *key;

		if ((ed ? dkim_generate_ed25519(&key) : dkim_generate_rsa(2048, &key)) < 0 ||
		    dkim_record_of(&a, key, &record) < 0)
			die("key", &e);
		key_record = dkim_pack_record(&a, &record);
		whole = str_cat(&a, sign_once(&a, &src, key), message);
		if (dir)
			write_files(&a, dir, kind, whole, key);
		if (sign || !verify)
			bench_sign(kind, message, key);
		if (verify || !sign)
			bench_verify(kind, whole);
		EVP_PKEY_free(key);
		arena_done(&a);
	}
	return 0;
}
