/* SPDX-License-Identifier: MIT */
/*
 * Measures the store alone: no protocol, no network.
 *
 *	store [-d DIR] [-n MESSAGES] [-s BYTES] [deliver THREADS ACCOUNTS | read | flags | memory]...
 *
 * Without a command all run with the usual numbers. DIR must be on the file system that matters (default: the working directory); what is made
 * there is removed at the end.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "store/changes.h"
#include "store/messages.h"
#include "store/store.h"

static const char *base_dir = ".";
static int messages = 4000, body_size = 23000;

static void
die(const char *what, int err, const struct errmsg *e)
{
	fprintf(stderr, "%s: %s%s%s\n", what, err_text(err), e && e->text[0] ? ": " : "", e ? e->text : "");
	exit(1);
}

static int
config_of(void *arg unused_, struct arena *a unused_, struct str name unused_, struct store_account_config *r_c)
{
	*r_c = (struct store_account_config){ 0 };
	return 0;
}

struct usage {
	int64_t wall_us, cpu_us;
};

static struct usage
now(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (struct usage){ time_mono_us(), (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * TIME_SEC + r.ru_utime.tv_usec + r.ru_stime.tv_usec };
}

static void
show(const char *what, struct usage t0, int64_t n)
{
	struct usage t1 = now();
	double wall = (double)(t1.wall_us - t0.wall_us), cpu = (double)(t1.cpu_us - t0.cpu_us);
	printf("%-44s %9.0f/s  %8.4f ms CPU each\n", what, (double)n / wall * 1e6, cpu / 1e3 / (double)n);
}

static struct store *
open_store(char dir[PATH_MAX])
{
	struct store_opts o = { .data_dir = dir, .account_config = config_of };
	struct store *s;
	struct errmsg e = { 0 };
	snprintf(dir, PATH_MAX, "%s/store-bench-%d", base_dir, (int)getpid());
	int err = store_open(&o, &s, &e);
	if (err < 0)
		die(dir, err, &e);
	return s;
}

static void
close_store(struct store **s, const char *dir)
{
	struct errmsg e = { 0 };
	store_close(s);
	int err = fd_remove_tree(dir, &e);
	if (err < 0)
		die(dir, err, &e);
}

static struct store_account *
open_account(struct store *s, int number)
{
	char name[32];
	struct store_account *a = NULL;
	struct errmsg e = { 0 };
	snprintf(name, sizeof(name), "account%d", number);
	int err = store_account_open(s, str_of(name), false, &a, &e);
	if (err < 0)
		die("open account", err, &e);
	return a;
}

/* message_text: a usual message of about body_size bytes, two parts, one of them base64. */
static struct str
message_text(struct arena *a, unsigned number)
{
	struct buf b = BUF_ARENA(a, (size_t)body_size * 2 + 4096);
	buf_addf(&b, "From: Alice Example <alice@example.org>\r\nTo: Bob <bob@example.com>\r\nSubject: Message number %u of the benchmark\r\n"
	    "Date: Tue, 24 Nov 2026 14:00:00 +0000\r\nMessage-ID: <bench.%u.%d@example.org>\r\nReferences: <thread.%u@example.org>\r\n"
	    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=-bound\"\r\n\r\n--=-bound\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
	    number, number, (int)getpid(), number % 100);
	for (int i = 0; i < 40; i++)
		buf_addz(&b, "The quick brown fox jumps over the lazy dog, and then some more of it.\r\n");
	buf_addz(&b, "\r\n--=-bound\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"data.bin\"\r\n\r\n");
	size_t left = (size_t)body_size > b.n ? ((size_t)body_size - b.n) * 3 / 4 : 0;
	char *p = arena_bytes(a, left + 1);
	for (size_t i = 0; i < left; i++)
		p[i] = (char)(i * 7 + number);
	enc_base64_lines(&b, str_n(p, left));
	buf_addz(&b, "\r\n--=-bound--\r\n");
	return buf_str(&b);
}

/* --- deliver --- */

struct deliverer {
	struct store *store;
	pthread_t thread;
	int number, naccounts, count;
};

static void *
deliver(void *arg)
{
	struct deliverer *d = arg;
	struct arena a = { 0 };
	for (int i = 0; i < d->count; i++) {
		struct store_account *acct = open_account(d->store, (d->number * 7919 + i) % d->naccounts);
		struct blob *b;
		struct store_added added;
		struct errmsg e = { 0 };
		struct str text = message_text(&a, (unsigned)(d->number * d->count + i));
		struct store_delivery_info info = { .remote_ip = S("192.0.2.1"), .ehlo_domain = S("mail.example.org"), .mailfrom = S("alice@example.org"),
			.mailfrom_localpart = S("alice"), .mailfrom_domain = S("example.org"), .msgfrom_localpart = S("alice"), .msgfrom_domain = S("example.org"),
			.msgfrom_orgdomain = S("example.org"), .rcptto_localpart = S("bob"), .rcptto_domain = S("example.com") };
		int err = blob_new(store_tmp_dir(d->store), &b);
		if (err == 0)
			err = blob_write(b, text);
		struct store_add add = { .blob = b, .delivery = &info,
			.prefix = S("Return-Path: <alice@example.org>\r\nReceived: from mail.example.org (192.0.2.1) by mx.example.com with ESMTPS; "
			    "Tue, 24 Nov 2026 14:00:01 +0000\r\n") };
		if (err == 0)
			err = store_deliver(acct, S("Inbox"), &add, &added, &e);
		if (err < 0)
			die("deliver", err, &e);
		blob_free(&b);
		store_account_close(&acct);
		arena_reset(&a);
	}
	arena_done(&a);
	return NULL;
}

static void
bench_deliver(int nthreads, int naccounts)
{
	char dir[PATH_MAX], what[100];
	struct store *s = open_store(dir);
	struct deliverer d[256];
	nthreads = MIN(nthreads, (int)ARRAY_LEN(d));
	int count = messages / nthreads;
	for (int i = 0; i < naccounts; i++) {           /* new accounts are not what is measured */
		struct store_account *a = open_account(s, i);
		store_account_close(&a);
	}
	sync();
	struct usage t = now();
	for (int i = 0; i < nthreads; i++) {
		d[i] = (struct deliverer){ .store = s, .number = i, .naccounts = naccounts, .count = count };
		if (pthread_create(&d[i].thread, NULL, deliver, &d[i]) != 0)
			die("pthread_create", ERR_LIMIT, NULL);
	}
	for (int i = 0; i < nthreads; i++)
		pthread_join(d[i].thread, NULL);
	snprintf(what, sizeof(what), "deliver: %d threads, %d accounts, %d bytes", nthreads, naccounts, body_size);
	show(what, t, (int64_t)nthreads * count);
	close_store(&s, dir);
}

/* --- read, flags --- */

static struct store_account *
filled(struct store *s, int n)
{
	struct store_account *a = open_account(s, 0);
	struct arena mem = { 0 };
	for (int done = 0; done < n;) {
		struct store_tx tx;
		struct store_mailbox mb;
		int err = store_write(a, &tx);
		if (err == 0)
			err = store_mailbox_ensure(&tx, S("Inbox"), &mb);
		for (int i = 0; err >= 0 && i < 500 && done < n; i++, done++) {
			struct blob *b;
			struct store_added added;
			err = blob_new(store_tmp_dir(s), &b);
			if (err == 0)
				err = blob_write(b, message_text(&mem, (unsigned)done));
			if (err == 0)
				err = store_add_message(&tx, &mb, &(struct store_add){ .blob = b }, &added, NULL);
			blob_free(&b);
			arena_reset(&mem);
		}
		if (err >= 0)
			err = store_tx_commit(&tx, NULL);
		if (err < 0)
			die("fill", err, NULL);
	}
	arena_done(&mem);
	return a;
}

static void
bench_read(void)
{
	char dir[PATH_MAX], what[100];
	struct arena mem = { 0 };
	body_size = 2000;
	struct store *s = open_store(dir);
	struct store_account *a = filled(s, messages);
	struct usage t = now();
	enum { SELECTS = 100 };
	struct store_mailbox mb;
	for (int i = 0; i < SELECTS; i++) {
		struct store_tx tx;
		struct store_uidset uids;
		uint32_t unseen;
		if (store_read(a, &tx) < 0 || store_mailbox_find(&tx, S("Inbox"), &mb) != 1 || store_uids(&tx, &mem, mb.id, &uids, &unseen) < 0)
			die("select", ERR_IO, NULL);
		store_tx_rollback(&tx);
		arena_reset(&mem);
	}
	snprintf(what, sizeof(what), "select of %d messages", messages);
	show(what, t, SELECTS);
	for (int body = 0; body < 2; body++) {
		struct store_tx tx;
		struct store_message m;
		struct store_body b;
		int got, n = 0;
		t = now();
		if (store_read(a, &tx) < 0)
			die("read", ERR_IO, NULL);
		struct store_scan scan = { .tx = &tx, .mailbox_id = mb.id, .with_body = body };
		while ((got = store_scan_next(&scan, &mem, &m, &b)) == 1) {
			n++;
			arena_reset(&mem);
		}
		store_scan_done(&scan);
		store_tx_rollback(&tx);
		show(body ? "scan, messages with body rows" : "scan, messages", t, n);
	}
	arena_done(&mem);
	store_account_close(&a);
	close_store(&s, dir);
}

static void
bench_flags(void)
{
	char dir[PATH_MAX];
	body_size = 2000;
	struct store *s = open_store(dir);
	struct store_account *a = filled(s, messages);
	struct usage t = now();
	for (int each = 0; each < 2; each++) {          /* all in one transaction, then one transaction for each */
		int n = each ? MIN(messages, 2000) : messages;
		struct store_tx tx = { 0 };
		t = now();
		for (int i = 1; i <= n; i++) {
			struct store_mailbox mb;
			struct store_message m;
			int err = tx.acct ? 0 : store_write(a, &tx);
			if (err == 0)
				err = store_mailbox_find(&tx, S("Inbox"), &mb) == 1 ? 0 : ERR_NOTFOUND;
			if (err == 0)
				err = store_message_by_uid(&tx, mb.id, (uint32_t)i, &m) == 1 ? 0 : ERR_NOTFOUND;
			if (err == 0)
				err = store_message_flags(&tx, &mb, &m, each ? STORE_FLAG_REMOVE : STORE_FLAG_ADD, STORE_SEEN, S(""));
			if (err >= 0 && (each || i == n))
				err = store_tx_commit(&tx, NULL);
			if (err < 0)
				die("flags", err, NULL);
		}
		show(each ? "flag change, each a transaction" : "flag change, one transaction", t, n);
	}
	store_account_close(&a);
	close_store(&s, dir);
}

/* memory of accounts that only parked sessions refer to */
static void
bench_memory(void)
{
	enum { ACCOUNTS = 50, SESSIONS = 1000 };
	char dir[PATH_MAX];
	struct store *s = open_store(dir);
	struct store_account *a[ACCOUNTS];
	struct rusage r0, r1;
	for (int i = 0; i < ACCOUNTS; i++)
		a[i] = open_account(s, i);
	getrusage(RUSAGE_SELF, &r0);
	getrusage(RUSAGE_SELF, &r1);
	printf("resident at most: %ld KiB with %d accounts open\n", r1.ru_maxrss, ACCOUNTS);
	for (int i = 0; i < ACCOUNTS; i++)
		store_account_close(&a[i]);
	close_store(&s, dir);
}

int
main(int argc, char **argv)
{
	int opt;
	setlinebuf(stdout);
	while ((opt = getopt(argc, argv, "d:n:s:")) != -1) {
		if (opt == 'd')
			base_dir = optarg;
		else if (opt == 'n')
			messages = (int)strtol(optarg, NULL, 10);
		else if (opt == 's')
			body_size = (int)strtol(optarg, NULL, 10);
		else
			return 2;
	}
	if (optind == argc) {
		bench_deliver(1, 1);
		bench_deliver(16, 1);
		bench_deliver(1, 50);
		bench_deliver(16, 50);
		bench_read();
		bench_flags();
		bench_memory();
	}
	for (int i = optind; i < argc; i++) {
		if (strcmp(argv[i], "deliver") == 0 && i + 2 < argc) {
			bench_deliver((int)strtol(argv[i + 1], NULL, 10), (int)strtol(argv[i + 2], NULL, 10));
			i += 2;
		} else if (strcmp(argv[i], "read") == 0) {
			bench_read();
		} else if (strcmp(argv[i], "flags") == 0) {
			bench_flags();
		} else if (strcmp(argv[i], "memory") == 0) {
			bench_memory();
		} else {
			return 2;
		}
	}
	return 0;
}
