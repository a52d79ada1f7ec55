/* SPDX-License-Identifier: MIT */
/*
 * Deliveries: the schedule, several recipients, connections, TLS policies, transports.
 */
#include "dane/dane.h"
#include "dns_mock/dns_mock.h"
#include "queue/rig_test.h"

#define ZONE \
	"x.example MX 10 mx.x.example\nmx.x.example A 10.0.0.1\n" \
	"two.example MX 10 a.two.example\ntwo.example MX 20 b.two.example\na.two.example A 10.0.0.1\nb.two.example A 10.0.0.2\n" \
	"dual.example MX 10 mx.dual.example\nmx.dual.example A 10.0.0.1\nmx.dual.example AAAA 2001:db8::1\n" \
	"null.example MX 0 .\n" \
	"routed.example A 10.0.0.1\nlater.example A 10.0.0.9\nrelay.example A 10.0.0.5\n" \
	"dane.example MX 10 mx.dane.example\nmx.dane.example A 10.0.0.1\n" \
	"_25._tcp.mx.dane.example TLSA 3 1 1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" \
	"unusable.example MX 10 mx.unusable.example\nmx.unusable.example A 10.0.0.1\n_25._tcp.mx.unusable.example TLSA 3 1 1 aa\n"

static const struct queue_filter all;

static struct queue_result
last_result(struct rig *r, bool retired)
{
	size_t n;
	struct queue_msg *v = rig_list(r, retired, &n);

	assert_true(n > 0 && v[n - 1].results.n > 0);
	return v[n - 1].results.v[v[n - 1].results.n - 1];
}

TEST(backoff)
{
	assert_int_equal(queue_backoff(0), 450 * TIME_SEC);
	assert_int_equal(queue_backoff(1), 900 * TIME_SEC);
	assert_int_equal(queue_backoff(7), 16 * TIME_HOUR);
	assert_int_equal(queue_backoff(1000), queue_backoff(16));
}

/* Nobody answers: eight attempts, the sender is told of the delay once and of the failure at the end. */
TEST(schedule)
{
	struct rig r;
	struct queue_msg *v;
	size_t n;
	int64_t start = test_clock()->now_us(test_clock()->arg);

	rig_start(&r, ZONE);
	rig_add(&r, "a@x.example");
	for (int attempt = 1; attempt <= 8; attempt++) {
		test_row("attempt %d", attempt);
		assert_int_equal(rig_run(&r), 1);
		assert_int_equal(rig_run(&r), 0);
		assert_int_equal(rig_inbox(&r, "mjl", "Inbox").n, attempt < 5 ? 0 : attempt < 8 ? 1 : 2);
		v = rig_list(&r, false, &n);
		assert_int_equal(n, attempt < 8);
		if (n == 0)
			break;
		assert_int_equal(v[0].attempts, attempt);
		int64_t wait = v[0].next_attempt - test_clock()->now_us(test_clock()->arg),
			slack = 5 * TIME_SEC << (attempt - 1);
		assert_in_range(wait, queue_backoff(attempt - 1) - slack, queue_backoff(attempt - 1) + slack);
		test_clock_set(v[0].next_attempt);
	}
	v = rig_list(&r, true, &n);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].results.n, 8);
	assert_false(v[0].success);
	struct strlist inbox = rig_inbox(&r, "mjl", "Inbox");
	assert_true(str_search(inbox.v[0], S("Subject: mail delivery delayed")) >= 0 &&
	    str_search(inbox.v[0], S("Action: delayed")) >= 0);
	assert_true(str_search(inbox.v[0], S("Will-Retry-Until: ")) >= 0);
	assert_true(str_starts(inbox.v[1], S("Return-Path: <>\r\n")));
	assert_true(
	    str_search(inbox.v[1], S("Action: failed")) >= 0 && str_search(inbox.v[1], S("Status: 5.0.0")) >= 0);
	assert_true(str_search(inbox.v[1], S("Subject: hi")) >= 0);
	/* About 16 hours in all: 7.5 m doubled six times. */
	assert_in_range(test_clock()->now_us(test_clock()->arg) - start, 15 * TIME_HOUR, 17 * TIME_HOUR);
	rig_stop(&r);
}

TEST(null_sender_gives_no_dsn)
{
	struct rig r;
	struct queue_add_rcpt rcpt = { 0 };
	struct queue_add add = { .account = S("mjl"), .text = S("a: b\r\n\r\n"), .rcpts = &rcpt, .nrcpts = 1 };
	size_t n;

	rig_start(&r, ZONE);
	assert_ok(smtp_parse_path(test_arena(), S("<a@null.example>"), 0, &rcpt.to, NULL));
	assert_ok(queue_add(r.q, &add, NULL, NULL));
	rig_run(&r);
	rig_list(&r, true, &n);
	assert_int_equal(n, 1);
	assert_int_equal(rig_inbox(&r, "mjl", "Inbox").n, 0);
	rig_stop(&r);
}

TEST(dsn_on_request)
{
	struct rig r;
	struct queue_add_rcpt rcpt = { .dsn_notify = S("SUCCESS") };
	struct queue_add add = {
		.account = S("mjl"), .text = S("a: b\r\n\r\n"), .rcpts = &rcpt, .nrcpts = 1, .dsn_envid = S("q")
	};

	rig_start(&r, ZONE);
	struct rig_host *h = rig_host(&r, "10.0.0.1", "DSN");
	assert_ok(smtp_parse_path(test_arena(), S("<mjl@mox.example>"), 0, &add.from, NULL));
	assert_ok(smtp_parse_path(test_arena(), S("<a@x.example>"), 0, &rcpt.to, NULL));
	/* A server that knows DSN takes the request over: rfc/3461:365 */
	assert_ok(queue_add(r.q, &add, NULL, NULL));
	rig_run(&r);
	assert_true(str_search(buf_str(&h->dialogue), S("RCPT TO:<a@x.example> NOTIFY=SUCCESS\n")) >= 0);
	assert_int_equal(rig_inbox(&r, "mjl", "Inbox").n, 0);
	h->ehlo = "";
	assert_ok(queue_add(r.q, &add, NULL, NULL));
	rig_run(&r);
	struct strlist inbox = rig_inbox(&r, "mjl", "Inbox");
	assert_int_equal(inbox.n, 1);
	assert_true(str_search(inbox.v[0], S("Action: relayed")) >= 0);
	/* NEVER, and not asked for. */
	rcpt.dsn_notify = S("NEVER");
	rcpt.to.localpart = S("550a");
	assert_ok(queue_add(r.q, &add, NULL, NULL));
	rig_run(&r);
	assert_int_equal(rig_inbox(&r, "mjl", "Inbox").n, 1);
	rig_stop(&r);
}

/* --- several recipients and messages --- */

TEST(one_transaction_for_all)
{
	static const struct {
		const char *to;
		int rcpt_max;
		const char *ehlo;
		unsigned connections, messages, rcpts;
		size_t left, failed, delivered;
	} rows[] = {
		{ "a@x.example b@x.example c@x.example", 0, "PIPELINING", 1, 1, 3, 0, 0, 3 },
		{ "a@x.example b@x.example c@x.example", 0, "", 1, 1, 3, 0, 0, 3 },
		/* One refused, one to be tried again: each by its own reply. */
		{ "a@x.example 550b@x.example 450c@x.example", 0, "PIPELINING\nENHANCEDSTATUSCODES", 1, 1, 1, 1, 1, 1 },
		{ "550a@x.example 550b@x.example", 0, "PIPELINING", 1, 0, 0, 0, 2, 0 },
		/* Too many for one transaction: rfc/5321:3573 */
		{ "a@x.example b@x.example c@x.example", 1, "PIPELINING", 1, 3, 3, 0, 0, 3 },
		{ "a@x.example b@x.example c@x.example", 2, "", 1, 2, 3, 0, 0, 3 },
		{ "a@x.example b@x.example c@x.example", 0, "LIMITS RCPTMAX=2", 1, 2, 3, 0, 0, 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r;
		size_t n;

		test_row("%zu", i);
		rig_start(&r, ZONE);
		struct rig_host *h = rig_host(&r, "10.0.0.1", rows[i].ehlo);
		h->rcpt_max = rows[i].rcpt_max;
		size_t retired_before;
		rig_list(&r, true, &retired_before);
		rig_add(&r, rows[i].to);
		assert_int_equal(rig_run(&r), 1);
		assert_int_equal(h->connections, rows[i].connections);
		assert_int_equal(h->messages, rows[i].messages);
		assert_int_equal(h->rcpts, rows[i].rcpts);
		rig_list(&r, false, &n);
		assert_int_equal(n, rows[i].left);
		struct queue_msg *v = rig_list(&r, true, &n);
		size_t ok = 0;
		for (size_t j = retired_before; j < n; j++)
			ok += v[j].success;
		assert_int_equal(ok, rows[i].delivered);
		assert_int_equal(n - retired_before - ok, rows[i].failed);
		assert_int_equal(queue_drop(r.q, &all, NULL), rows[i].left);
		rig_stop(&r);
	}
}

TEST(connection_is_used_again)
{
	struct rig r;
	size_t n;

	rig_start(&r, ZONE);
	struct rig_host *h = rig_host(&r, "10.0.0.1", "PIPELINING");
	for (int i = 0; i < 5; i++)
		rig_add(&r, "a@x.example");
	assert_int_equal(rig_run(&r), 5);
	assert_int_equal(h->connections, 1);
	assert_int_equal(h->messages, 5);
	/* A server that ends after each message loses none. */
	h->data = "421 enough\r\n";
	rig_add(&r, "a@x.example");
	rig_run(&r);
	h->data = NULL;
	rig_list(&r, false, &n);
	assert_int_equal(n, 1);
	rig_stop(&r);
}

TEST(next_host)
{
	struct rig r;
	size_t n;

	rig_start(&r, ZONE);
	struct rig_host *a = rig_host(&r, "10.0.0.1", ""), *b = rig_host(&r, "10.0.0.2", "");
	a->mail = "451 later";
	rig_add(&r, "u@two.example");
	rig_run(&r);
	assert_int_equal(b->messages, 1);
	assert_strz(last_result(&r, true).remote_mta, "b.two.example");
	assert_strz(last_result(&r, true).remote_ip, "10.0.0.2");
	/* A permanent refusal ends it: rfc/5321:3951 */
	a->mail = "554 never";
	rig_add(&r, "u@two.example");
	rig_run(&r);
	assert_int_equal(b->messages, 1);
	assert_int_equal(last_result(&r, true).code, 554);
	assert_true(str_search(last_result(&r, true).transcript, S("S: 554 never")) >= 0);
	/* A connection that ends without a reply: nobody knows, so once more. */
	a->mail = NULL;
	a->drop = true;
	b->refuse = true;
	rig_add(&r, "u@two.example");
	rig_run(&r);
	rig_list(&r, false, &n);
	assert_int_equal(n, 1);
	rig_stop(&r);
}

TEST(other_family_next_time)
{
	struct rig r;
	struct queue_msg *v;
	size_t n;

	rig_start(&r, ZONE);
	struct rig_host *h4 = rig_host(&r, "10.0.0.1", "ENHANCEDSTATUSCODES"), *h6 = rig_host(&r, "2001:db8::1", "");
	h4->mail = "550 5.7.25 no reverse name";
	rig_add(&r, "u@dual.example");
	rig_run(&r);
	v = rig_list(&r, false, &n);
	assert_int_equal(n, 1);
	assert_strz(v[0].results.v[0].cause, "our address has no (matching) reverse name");
	assert_int_equal(h4->connections, 1);
	test_clock_set(v[0].next_attempt);
	rig_run(&r);
	assert_int_equal(h6->messages, 1);
	rig_stop(&r);
}

/* --- TLS --- */

enum { NONE, TESTING, ENFORCE, MISMATCH, STS_ERROR };
enum { PLAIN, GOOD, UNTRUSTED, BROKEN, BADNAME };
enum { ASUSUAL, TLSNO, REQUIRE };

TEST(tls_policies)
{
	static const struct {
		const char *domain;
		int sts, server, want;
		bool dane_ok, dmarc_report;
		/* result: 't' delivered with TLS, 'p' in plain text, 'l' later, 'f' failed */
		char result;
		const char *error;
	} rows[] = {
		/* Opportunistic: anything goes. */
		{ "x.example", NONE, PLAIN, ASUSUAL, false, false, 'p', "" },
		{ "x.example", NONE, UNTRUSTED, ASUSUAL, false, false, 't', "" },
		{ "x.example", NONE, BROKEN, ASUSUAL, false, false, 'p', "" },
		{ "x.example", NONE, BROKEN, ASUSUAL, false, true, 'l', "tls" },
		{ "x.example", TESTING, BROKEN, ASUSUAL, false, false, 'p', "" },
		/* MTA-STS: rfc/8461:660 */
		{ "x.example", ENFORCE, GOOD, ASUSUAL, false, false, 't', "" },
		{ "x.example", ENFORCE, UNTRUSTED, ASUSUAL, false, false, 'l', "tls" },
		{ "x.example", ENFORCE, BADNAME, ASUSUAL, false, false, 'l', "tls" },
		{ "x.example", ENFORCE, PLAIN, ASUSUAL, false, false, 'l', "" },
		{ "x.example", ENFORCE, BROKEN, ASUSUAL, false, false, 'l', "tls" },
		{ "x.example", MISMATCH, GOOD, ASUSUAL, false, false, 'l', "not in the MTA-STS policy" },
		{ "x.example", STS_ERROR, GOOD, ASUSUAL, false, false, 'l', "MTA-STS policy" },
		/* DANE: rfc/7672:629 */
		{ "dane.example", NONE, UNTRUSTED, ASUSUAL, true, false, 't', "" },
		{ "dane.example", NONE, UNTRUSTED, ASUSUAL, false, false, 'l', "tls" },
		{ "dane.example", NONE, PLAIN, ASUSUAL, true, false, 'l', "" },
		{ "dane.example", NONE, BROKEN, ASUSUAL, true, false, 'l', "tls" },
		{ "dane.example", ENFORCE, UNTRUSTED, ASUSUAL, true, false, 'l', "tls" },
		{ "unusable.example", NONE, UNTRUSTED, ASUSUAL, false, false, 't', "" },
		{ "unusable.example", NONE, PLAIN, ASUSUAL, false, false, 'l', "" },
		/* TLS-Required: No (rfc/8689:208): delivery comes first. */
		{ "x.example", ENFORCE, PLAIN, TLSNO, false, false, 'p', "" },
		{ "x.example", ENFORCE, UNTRUSTED, TLSNO, false, false, 't', "" },
		{ "x.example", ENFORCE, BROKEN, TLSNO, false, false, 'p', "" },
		{ "x.example", MISMATCH, GOOD, TLSNO, false, false, 't', "" },
		{ "x.example", STS_ERROR, GOOD, TLSNO, false, false, 't', "" },
		{ "dane.example", NONE, UNTRUSTED, TLSNO, false, false, 't', "" },
		{ "dane.example", NONE, BROKEN, TLSNO, false, false, 'p', "" },
		/* REQUIRETLS (rfc/8689:288): protection comes first. */
		{ "x.example", NONE, GOOD, REQUIRE, false, false, 'f', "requires TLS" },
		{ "x.example", TESTING, GOOD, REQUIRE, false, false, 'f', "requires TLS" },
		{ "x.example", ENFORCE, GOOD, REQUIRE, false, false, 't', "" },
		{ "x.example", ENFORCE, BROKEN, REQUIRE, false, false, 'l', "tls" },
		{ "dane.example", NONE, UNTRUSTED, REQUIRE, true, false, 't', "" },
		{ "unusable.example", NONE, GOOD, REQUIRE, false, false, 'f', "requires TLS" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r;
		const bool yes = true, no = false;
		struct mtasts_mx mx = { .domain = rows[i].sts == MISMATCH ?
			    S("other.example") :
			    str_fmt(test_arena(), "mx.%s", rows[i].domain) };
		struct queue_add add = { .is_dmarc_report = rows[i].dmarc_report,
			.require_tls = rows[i].want == TLSNO ? &no :
			    rows[i].want == REQUIRE          ? &yes :
			    NULL };
		size_t n, left;

		test_row("%zu", i);
		rig_fresh();
		rig_start(&r, ZONE);
		rig_close(&r);
		r.with_dane = true;
		r.dane_ok = rows[i].dane_ok;
		rig_open(&r);
		struct rig_host *h = rig_host(&r, "10.0.0.1", rows[i].server == PLAIN ? "" : "STARTTLS\nREQUIRETLS");
		if (rows[i].server != PLAIN)
			h->tls = rig_tls(&r,
			    rows[i].server == BADNAME ? "wrong.example" :
							str_fmt(test_arena(), "mx.%s", rows[i].domain).p,
			    rows[i].server == GOOD || rows[i].server == BADNAME);
		h->tls_broken = rows[i].server == BROKEN;
		r.sts_err = rows[i].sts == STS_ERROR ? ERR_TIMEOUT : 0;
		r.sts = (struct queue_sts){ .have = rows[i].sts != NONE,
			.policy = {
			    .mode = rows[i].sts == TESTING ? MTASTS_TESTING : MTASTS_ENFORCE, .mx = &mx, .nmx = 1 } };
		rig_add_opts(&r, &add, str_fmt(test_arena(), "u@%s", rows[i].domain).p);
		rig_run(&r);
		struct queue_msg *v = rig_list(&r, true, &n);
		rig_list(&r, false, &left);
		char got = left ? 'l' : n && !v[n - 1].success ? 'f' : h->tls_messages ? 't' : 'p';
		struct str error = left || got == 'f' ? last_result(&r, !left).error : S("");
		if (got != rows[i].result || str_isearch(error, str_of(rows[i].error)) < 0)
			fail_msg("result %c, want %c: " STRF, got, rows[i].result, STRA(error));
		/* Whatever happened, nothing went in plain text that should not. */
		if (rows[i].result != 'p')
			assert_int_equal(h->messages, h->tls_messages);
		if (rows[i].result == 'f')
			assert_int_equal(last_result(&r, true).code, 554);
		rig_stop(&r);
	}
}

/* With package dane: the record of the server's key, and one of another. */
TEST(dane_of_the_key)
{
	for (int good = 0; good < 2; good++) {
		struct rig r;
		struct arena *a = test_arena();
		struct dane_record record;
		struct str cert, key;

		test_row("%d", good);
		rig_fresh();
		rig_start(&r, "real.example MX 10 mx.real.example\nmx.real.example A 10.0.0.1\n");
		struct rig_host *h = rig_host(&r, "10.0.0.1", "STARTTLS");
		assert_ok(tls_selfsigned(a, "whatever.example", 10, &cert, &key, NULL));
		assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key }, &h->tls, NULL));
		if (!good)
			assert_ok(tls_selfsigned(a, "whatever.example", 10, &cert, &key, NULL));
		assert_ok(dane_of_pem(a, DANE_DANE_EE, DANE_SPKI, DANE_SHA256, cert, &record, NULL));
		struct str text = dane_text(a, &record);
		dns_mock_add(r.dns, str_fmt(a, "_25._tcp.mx.real.example TLSA " STRF, STRA(text)).p);
		rig_add(&r, "u@real.example");
		rig_run(&r);
		assert_int_equal(h->tls_messages, good);
		assert_int_equal(h->messages, good);
		rig_stop(&r);
	}
}

/* --- transports --- */

TEST(transports)
{
	static const struct {
		const char *to, *transport;
		char result; /* d delivered by relay, f failed, l later */
		int code;
	} rows[] = {
		{ "u@routed.example", "", 'f', 554 }, { "u@x.example", "fail4", 'l', 450 },
		{ "u@x.example", "fail5", 'f', 554 }, { "u@x.example", "submit", 'd', 250 },
		{ "550u@x.example", "submit", 'f', 550 },
		{ "u@x.example", "tlssubmit", 'l', 0 }, /* STARTTLS is demanded */
		{ "u@null.example", "", 'f', 0 },       /* rfc/7505:127 */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r;
		struct errmsg e = { 0 };
		size_t n, left;

		test_row("%zu", i);
		rig_fresh();
		rig_start(&r, ZONE);
		struct rig_host *h = rig_host(&r, "10.0.0.5", "AUTH PLAIN\nENHANCEDSTATUSCODES");
		rig_add(&r, rows[i].to);
		if (rows[i].transport[0])
			assert_int_equal(queue_transport(r.q, &all, str_of(rows[i].transport), &e), 1);
		rig_run(&r);
		struct queue_msg *v = rig_list(&r, true, &n);
		rig_list(&r, false, &left);
		char got = left ? 'l' : v[n - 1].success ? 'd' : 'f';
		assert_int_equal(got, rows[i].result);
		assert_int_equal(h->messages, got == 'd');
		struct queue_result last = last_result(&r, !left);
		if (rows[i].code)
			assert_int_equal(last.code, rows[i].code);
		rig_stop(&r);
	}
}

/* Routes count the attempts before. */
TEST(route_by_attempts)
{
	struct rig r;
	struct queue_msg *v;
	size_t n;

	rig_start(&r, ZONE);
	rig_add(&r, "u@later.example");
	rig_run(&r);
	v = rig_list(&r, false, &n);
	assert_int_equal(n, 1);
	test_clock_set(v[0].next_attempt);
	rig_run(&r);
	assert_int_equal(last_result(&r, true).code, 554);
	rig_stop(&r);
}

TEST(disabled_sender)
{
	struct rig r;
	struct queue_add add = { 0 };

	rig_start(&r, ZONE);
	assert_ok(smtp_parse_path(test_arena(), S("<mjl@disabled.example>"), 0, &add.from, NULL));
	rig_add_opts(&r, &add, "u@x.example");
	rig_run(&r);
	assert_true(str_search(last_result(&r, false).error, S("disabled")) >= 0);
	rig_stop(&r);
}

TEST(later_release)
{
	struct rig r;
	struct queue_add add = { .release_us = test_clock()->now_us(test_clock()->arg) + TIME_HOUR,
		.future_release = S("for;3600") };

	rig_start(&r, ZONE);
	struct rig_host *h = rig_host(&r, "10.0.0.1", "");
	rig_add_opts(&r, &add, "u@x.example"); // rfc/4865:134
	assert_int_equal(rig_run(&r), 0);
	test_clock_add(TIME_HOUR);
	assert_int_equal(rig_run(&r), 1);
	assert_int_equal(h->messages, 1);
	rig_stop(&r);
}

/* International: 8BITMIME is announced, addresses go as they are or as A-labels. */
TEST(international)
{
	struct rig r;
	struct queue_add add = { .has_8bit = true, .smtputf8 = true };
	size_t n;

	rig_start(&r, "xn--mnchen-3ya.example MX 10 mx.x.example\nmx.x.example A 10.0.0.1\n");
	struct rig_host *h = rig_host(&r, "10.0.0.1", "8BITMIME\nSMTPUTF8");
	rig_add_opts(&r, &add, "\xc3\xbc@m\xc3\xbcnchen.example");
	rig_run(&r);
	assert_true(str_search(buf_str(&h->dialogue), S("MAIL FROM:<mjl@mox.example> BODY=8BITMIME SMTPUTF8\n")) >= 0);
	assert_true(str_search(buf_str(&h->dialogue), S("RCPT TO:<\xc3\xbc@m\xc3\xbcnchen.example>\n")) >= 0);
	add = (struct queue_add){ 0 };
	rig_add_opts(&r, &add, "u@m\xc3\xbcnchen.example");
	rig_run(&r);
	assert_true(str_search(buf_str(&h->dialogue), S("RCPT TO:<u@xn--mnchen-3ya.example>\n")) >= 0);
	/* A server without SMTPUTF8 cannot have it, today. */
	h->ehlo = "8BITMIME";
	add = (struct queue_add){ .smtputf8 = true };
	rig_add_opts(&r, &add, "\xc3\xbc@m\xc3\xbcnchen.example");
	rig_run(&r);
	rig_list(&r, false, &n);
	assert_int_equal(n, 1);
	rig_stop(&r);
}

/* --- threads --- */

TEST(workers)
{
	struct rig r;
	struct errmsg e = { 0 };

	rig_start(&r, ZONE);
	struct rig_host *a = rig_host(&r, "10.0.0.1", "PIPELINING"), *b = rig_host(&r, "10.0.0.2", "");
	assert_ok(queue_start(r.q, &e));
	for (int i = 0; i < 8; i++) {
		rig_add(&r, "a@x.example b@x.example");
		rig_add(&r, "c@two.example");
	}
	rig_wait_empty(&r);
	queue_stop(r.q);
	rig_join(&r);
	assert_int_equal(a->messages + b->messages, 16);
	assert_int_equal(a->rcpts + b->rcpts, 24);
	rig_stop(&r);
}
