/* SPDX-License-Identifier: MIT */
#include "queue/rig_test.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/fd.h"
#include "dns_mock/dns_mock.h"
#include "store/messages.h"

static const char static_conf[] =
    "DataDir: data\nLogLevel: error\nUser: 0\nHostname: mox.example\n"
    "Postmaster:\n\tAccount: mjl\n\tMailbox: Postmaster\n"
    "Listeners:\n\tlocal:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n"
    "Transports:\n"
    "\tfail4:\n\t\tFail:\n\t\t\tSMTPCode: 450\n\t\t\tSMTPMessage: not now\n"
    "\tfail5:\n\t\tFail:\n\t\t\tSMTPMessage: never\n"
    "\tsubmit:\n\t\tSubmission:\n\t\t\tHost: relay.example\n\t\t\tNoSTARTTLS: true\n\t\t\tAuth:\n\t\t\t\tUsername: user\n\t\t\t\tPassword: secret\n"
    "\t\t\t\tMechanisms:\n\t\t\t\t\t- PLAIN\n"
    "\ttlssubmit:\n\t\tSubmission:\n\t\t\tHost: relay.example\n";

static const char dynamic_conf[] =
    "Domains:\n\tmox.example: nil\n\tdisabled.example:\n\t\tDisabled: true\n"
    "Accounts:\n"
    "\tmjl:\n\t\tDomain: mox.example\n\t\tKeepRetiredMessagePeriod: 72h0m0s\n\t\tKeepRetiredWebhookPeriod: 72h0m0s\n"
    "\t\tOutgoingWebhook:\n\t\t\tURL: http://localhost/hook\n\t\t\tAuthorization: Basic x\n"
    "\t\tDestinations:\n\t\t\tmjl@mox.example: nil\n\t\t\tmjl@disabled.example: nil\n"
    "\tother:\n\t\tDomain: mox.example\n\t\tDestinations:\n\t\t\tother@mox.example: nil\n"
    "Routes:\n\t-\n\t\tToDomain:\n\t\t\t- routed.example\n\t\tTransport: fail5\n"
    "\t-\n\t\tToDomain:\n\t\t\t- later.example\n\t\tMinimumAttempts: 1\n\t\tTransport: fail5\n";

static struct config *
current_config(void *arg)
{
	struct rig *r = arg;

	return config_ref(r->cfg);
}

static int
account_config(void *arg, struct arena *a unused_, struct str name, struct store_account_config *r_c)
{
	struct rig *r = arg;

	if (config_account(r->cfg, name) == NULL)
		return ERR_NOTFOUND;
	*r_c = (struct store_account_config){ 0 };
	return 0;
}

/* --- servers --- */

struct conn {
	struct rig *r;
	struct rig_host *h;
	int fd;
	SSL *ssl;
	struct buf in;
};

static void
say(struct conn *c, struct str s)
{
	if (c->ssl) {
		ignore_result(SSL_write(c->ssl, s.p, (int)s.n) <= 0);
		ERR_clear_error();
	} else {
		ignore_result(send(c->fd, s.p, s.n, MSG_NOSIGNAL) < 0);
	}
}

static bool
fill(struct conn *c)
{
	if (!buf_reserve(&c->in, 16384))
		return false;
	ssize_t n = c->ssl ? SSL_read(c->ssl, buf_tail(&c->in), 16384) : recv(c->fd, buf_tail(&c->in), 16384, 0);
	ERR_clear_error();
	if (n <= 0)
		return false;
	buf_wrote(&c->in, (size_t)n);
	return true;
}

static bool
get_line(struct conn *c, struct arena *a, struct str *r_line)
{
	ssize_t lf;

	while ((lf = str_find(buf_str(&c->in), '\n')) < 0)
		if (!fill(c))
			return false;
	*r_line = str_trim(str_dup(a, str_upto(buf_str(&c->in), (size_t)lf)));
	buf_drop(&c->in, (size_t)lf + 1);
	return true;
}

static void
hello(struct conn *c, struct arena *a)
{
	struct buf b = BUF_ARENA(a, 10000);
	struct str rest = str_of(c->h->ehlo);

	buf_addz(&b, "250-mx\r\n");
	while (rest.n > 0) {
		struct str ext = str_split(&rest, '\n');
		if (!(c->ssl && str_is(ext, S("STARTTLS"))))
			buf_addf(&b, "250-" STRF "\r\n", STRA(ext));
	}
	buf_addz(&b, "250 HELP\r\n");
	say(c, buf_str(&b));
}

static bool
starttls(struct conn *c)
{
	if (c->h->tls == NULL) {
		say(c, S("502 5.5.1 what\r\n"));
		return true;
	}
	say(c, S("220 go\r\n"));
	if (c->h->tls_broken) {
		ignore_result(!fill(c));
		say(c, S("this is not TLS at all, is it\r\n"));
		return false;
	}
	c->ssl = tls_ctx_session(c->h->tls, c->fd, true);
	bool ok = SSL_accept(c->ssl) == 1;
	ERR_clear_error();
	return ok;
}

static int
rcpt_code(struct str line)
{
	ssize_t lt = str_find(line, '<');
	uint32_t code;

	return lt >= 0 && str_u32(str_upto(str_from(line, (size_t)lt + 1), 3), &code) == 0 ? (int)code : 250;
}

static bool
take_message(struct conn *c, struct arena *a, const struct strlist *rcpts)
{
	ssize_t end;

	while ((end = str_search(buf_str(&c->in), S("\r\n.\r\n"))) < 0)
		if (!fill(c))
			return false;
	lock_take(&c->r->lock);
	c->h->messages++;
	c->h->tls_messages += c->ssl != NULL;
	c->h->rcpts += (unsigned)rcpts->n;
	c->h->last_rcpts = str_dup(&c->r->mem, strlist_join(a, rcpts, S(" ")));
	buf_reset(&c->h->last);
	buf_add(&c->h->last, str_upto(buf_str(&c->in), (size_t)end + 2));
	lock_drop(&c->r->lock);
	buf_drop(&c->in, (size_t)end + 5);
	return true;
}

static void
serve(struct conn *c, struct arena *a)
{
	struct strlist rcpts = { 0 };
	struct str line;

	say(c, S("220 mx ESMTP\r\n"));
	while (get_line(c, a, &line)) {
		lock_take(&c->r->lock);
		buf_add(&c->h->dialogue, line);
		buf_addc(&c->h->dialogue, '\n');
		lock_drop(&c->r->lock);
		if (str_starts(line, S("EHLO"))) {
			hello(c, a);
		} else if (str_is(line, S("STARTTLS"))) {
			if (!starttls(c))
				return;
		} else if (str_starts(line, S("AUTH "))) {
			say(c,
			    str_is(line, S("AUTH PLAIN AHVzZXIAc2VjcmV0")) ? S("235 in\r\n") : S("535 5.7.8 no\r\n"));
		} else if (str_starts(line, S("MAIL"))) {
			rcpts = (struct strlist){ 0 };
			say(c, c->h->mail ? str_fmt(a, "%s\r\n", c->h->mail) : S("250 ok\r\n"));
		} else if (str_starts(line, S("RCPT"))) {
			int code = c->h->rcpt_max && rcpts.n >= (size_t)c->h->rcpt_max ? 452 : rcpt_code(line);
			if (code == 250)
				strlist_add(a, &rcpts, str_n(line.p + 9, line.n - 10));
			say(c,
			    str_fmt(a, "%d %s\r\n", code,
				code == 250         ? "ok" :
				    code / 100 == 5 ? "5.1.1 no such user" :
				    "later"));
		} else if (str_is(line, S("DATA"))) {
			if (rcpts.n == 0) {
				say(c, S("503 no recipients\r\n"));
				continue;
			}
			say(c, S("354 go\r\n"));
			if (!take_message(c, a, &rcpts) || c->h->drop)
				return;
			say(c, c->h->data ? str_fmt(a, "%s\r\n", c->h->data) : S("250 2.0.0 done\r\n"));
		} else if (str_is(line, S("QUIT"))) {
			say(c, S("221 bye\r\n"));
			return;
		} else {
			say(c, S("250 ok\r\n"));
		}
	}
}

static void *
server_main(void *arg)
{
	struct conn *c = arg;
	struct arena a = { 0 };

	struct rig *r = c->r;

	serve(c, &a);
	SSL_free(c->ssl);
	close(c->fd);
	buf_done(&c->in);
	arena_done(&a);
	free(c);
	lock_take(&r->lock);
	r->nended++;
	cond_broadcast(&r->ended);
	lock_drop(&r->lock);
	return NULL;
}

static struct rig_host *
find_host(struct rig *r, const struct ip *ip)
{
	struct arena a = { 0 };
	struct rig_host *found = NULL;

	for (size_t i = 0; i < r->nhosts; i++)
		if (str_is(str_of(r->host[i].ip), ip_str(&a, ip)))
			found = &r->host[i];
	arena_done(&a);
	return found;
}

static int
dial(void *arg, const struct smtpclient_dial_opts *o, int *r_fd, size_t *r_index, struct errmsg *e)
{
	struct rig *r = arg;
	struct timeval tv = { .tv_sec = 20 };
	int fds[2];

	for (size_t i = 0; i < o->nips; i++) {
		struct rig_host *h = find_host(r, &o->ips[i]);
		if (h == NULL || h->refuse)
			continue;
		bug_if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0);
		bug_if(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0);
		struct conn *c = calloc(1, sizeof(*c));
		*c = (struct conn){ .r = r, .h = h, .fd = fds[0] };
		buf_init(&c->in, 10 * 1024 * 1024);
		lock_take(&r->lock);
		h->connections++;
		bug_if(r->nthreads == RIG_CONNS);
		bug_if(pthread_create(&r->threads[r->nthreads++], NULL, server_main, c) != 0);
		lock_drop(&r->lock);
		*r_fd = fds[1];
		*r_index = i;
		return 0;
	}
	return err_set(e, ERR_IO, "connection refused");
}

void
rig_wait_empty(struct rig *r)
{
	int64_t deadline = time_mono_us() + 60 * TIME_SEC, left = 1;

	while (left > 0) {
		lock_take(&r->lock);
		unsigned seen = r->nended;
		lock_drop(&r->lock);
		assert_ok(queue_count(r->q, &left));
		lock_take(&r->lock);
		while (left > 0 && r->nended == seen && cond_wait(&r->ended, &r->lock, deadline))
			;
		bool stuck = left > 0 && r->nended == seen;
		lock_drop(&r->lock);
		if (stuck)
			fail_msg("%lld messages are left", (long long)left);
	}
}

void
rig_join(struct rig *r)
{
	for (size_t i = 0; i < r->nthreads; i++)
		pthread_join(r->threads[i], NULL);
	r->nthreads = 0;
}

struct rig_host *
rig_host(struct rig *r, const char *ip, const char *ehlo)
{
	struct rig_host *h = &r->host[r->nhosts++];

	*h = (struct rig_host){ .ip = ip, .ehlo = ehlo };
	buf_init(&h->last, 10 * 1024 * 1024);
	buf_init(&h->dialogue, 1024 * 1024);
	return h;
}

/* --- policies --- */

static int
sts(void *arg, struct arena *a unused_, const struct ctx *ctx unused_, struct str domain unused_,
    struct queue_sts *r_sts, struct errmsg *e)
{
	struct rig *r = arg;

	if (r->sts_err < 0)
		return err_set(e, r->sts_err, "policy not known now");
	*r_sts = r->sts;
	return 0;
}

static int
dane(void *arg, const struct dns_record *records, size_t n, const struct strlist *names, X509 *leaf,
    STACK_OF(X509) * chain, bool *r_errors unused_, struct errmsg *e)
{
	struct rig *r = arg;

	bug_if(records == NULL || n == 0 || names->n == 0 || leaf == NULL || chain == NULL);
	return r->dane_ok ? 0 : err_set(e, ERR_NOTFOUND, "no record matches");
}

/* --- the rig --- */

void
rig_open(struct rig *r)
{
	struct queue_opts o = {
		.data_dir = test_dir(),
		.store = r->store,
		.config = current_config,
		.config_arg = r,
		.resolver = r->dns,
		.tls = r->tls,
		.clock = test_clock(),
		.sts = sts,
		.dane = r->with_dane ? dane : NULL,
		.arg = r,
		.dial = dial,
		.dial_arg = r,
	};
	struct errmsg e = { 0 };

	assert_ok(queue_open(&o, &r->q, &e));
}

void
rig_close(struct rig *r)
{
	queue_close(&r->q);
}

void
rig_fresh(void)
{
	static const char *const subs[] = { "queue", "accounts" };

	for (size_t i = 0; i < ARRAY_LEN(subs); i++)
		ignore_result(fd_remove_tree(str_fmt(test_arena(), "%s/%s", test_dir(), subs[i]).p, NULL) < 0);
}

void
rig_start(struct rig *r, const char *zone)
{
	struct config_problems problems = { 0 };
	struct errmsg e = { 0 };

	*r = (struct rig){ 0 };
	lock_init(&r->lock, LOCK_METRICS, "rig");
	cond_init(&r->ended);
	if (config_parse(test_dir(), str_of(static_conf), str_of(dynamic_conf), CONFIG_NO_KEYS, &r->cfg, &problems) < 0)
		fail_msg("config: " STRF, STRA(config_problems_text(test_arena(), &problems)));
	config_problems_done(&problems);
	assert_ok(store_open(
	    &(struct store_opts){
		.data_dir = test_dir(), .account_config = account_config, .arg = r, .check_on_close = true },
	    &r->store, &e));
	r->dns = dns_mock_new(&(struct dns_mock_opts){ .zone = zone, .all_authentic = true });
	assert_ok(smtpclient_tls_new(&(struct smtpclient_tls_opts){ .no_system = true }, &r->tls, &e));
	rig_open(r);
}

struct tls_ctx *
rig_tls(struct rig *r, const char *name, bool trusted)
{
	struct tls_ctx *ctx = NULL;
	struct str cert, key;

	assert_ok(tls_selfsigned(test_arena(), name, 10, &cert, &key, NULL));
	assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key }, &ctx, NULL));
	if (trusted) {
		queue_close(&r->q);
		smtpclient_tls_free(&r->tls);
		assert_ok(smtpclient_tls_new(
		    &(struct smtpclient_tls_opts){ .ca_pem = &cert, .nca = 1, .no_system = true }, &r->tls, NULL));
		rig_open(r);
	}
	return ctx;
}

void
rig_stop(struct rig *r)
{
	queue_close(&r->q);
	rig_join(r);
	for (size_t i = 0; i < r->nhosts; i++) {
		buf_done(&r->host[i].last);
		buf_done(&r->host[i].dialogue);
		tls_ctx_unref(&r->host[i].tls);
	}
	smtpclient_tls_free(&r->tls);
	dns_mock_free(&r->dns);
	store_close(&r->store);
	config_unref(&r->cfg);
	arena_done(&r->mem);
	cond_done(&r->ended);
	lock_done(&r->lock);
}

int64_t
rig_add_opts(struct rig *r, struct queue_add *add, const char *to)
{
	struct arena *a = test_arena();
	struct queue_add_rcpt rcpts[20] = { 0 };
	int64_t ids[20];
	struct str rest = str_of(to);
	struct errmsg e = { 0 };

	if (add->account.n == 0)
		add->account = S("mjl");
	if (smtp_path_is_null(&add->from))
		assert_ok(smtp_parse_path(a, S("<mjl@mox.example>"), 0, &add->from, NULL));
	if (add->text.n == 0)
		add->text = S("From: <mjl@mox.example>\r\nSubject: hi\r\n\r\nhello\r\n");
	add->rcpts = rcpts;
	add->nrcpts = 0;
	while (rest.n > 0) {
		struct str one = str_split(&rest, ' '), text = str_fmt(a, "<" STRF ">", STRA(one));
		rcpts[add->nrcpts].prefix = S("Received: here\r\n");
		assert_ok(smtp_parse_path(a, text, SMTP_UTF8, &rcpts[add->nrcpts++].to, NULL));
	}
	int rv = queue_add(r->q, add, ids, &e);
	if (rv < 0)
		fail_msg("queue_add: %s", e.text);
	return ids[0];
}

int64_t
rig_add(struct rig *r, const char *to)
{
	struct queue_add add = { .message_id = S("<id@mox.example>"), .subject = S("hi") };

	return rig_add_opts(r, &add, to);
}

int
rig_run(struct rig *r)
{
	int n = queue_run(r->q);

	rig_join(r);
	return n;
}

struct queue_msg *
rig_list(struct rig *r, bool retired, size_t *r_n)
{
	struct queue_filter f = { 0 };
	struct queue_order o = { .by = QUEUE_SORT_QUEUED, .asc = true };
	struct queue_msg *v = NULL;

	assert_ok((retired ? queue_retired_list : queue_list)(r->q, test_arena(), &f, &o, &v, r_n, NULL));
	return v;
}

struct strlist
rig_inbox(struct rig *r, const char *account, const char *mailbox)
{
	cleanup_(store_account_close) struct store_account *acct = NULL;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct arena *a = test_arena();
	struct strlist l = { 0 };
	struct store_mailbox mb;
	struct store_message m;
	struct store_body body;

	assert_ok(store_account_open(r->store, str_of(account), false, &acct, NULL));
	assert_ok(store_read(acct, &tx));
	if (store_mailbox_find(&tx, str_of(mailbox), &mb) != 1)
		return l;
	struct store_scan s = { .tx = &tx, .mailbox_id = mb.id, .live_only = true, .with_body = true };
	while (store_scan_next(&s, a, &m, &body) == 1) {
		cleanup_(blob_close) struct blob_file *f = NULL;
		assert_ok(store_message_open(acct, m.id, &f));
		size_t n = (size_t)blob_file_size(f);
		char *p = arena_bytes(a, body.prefix.n + n);
		if (body.prefix.n > 0)
			memcpy(p, body.prefix.p, body.prefix.n);
		assert_ok(blob_file_read(f, p + body.prefix.n, n, 0));
		strlist_add(a, &l, str_n(p, body.prefix.n + n));
	}
	store_scan_done(&s);
	return l;
}
