/* SPDX-License-Identifier: MIT */
/*
 * Adding, looking, changing; rules and lists; webhooks; what a crash leaves.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "queue/rig_test.h"

#define ZONE "x.example MX 10 mx.x.example\nmx.x.example A 10.0.0.1\ny.example A 10.0.0.2\n"

static const struct queue_filter all;

static struct str
ids(const struct queue_msg *v, size_t n)
{
	struct buf b = BUF_ARENA(test_arena(), 10000);

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%lld", i ? " " : "", (long long)v[i].id);
	return buf_str(&b);
}

TEST(add_and_list)
{
	struct rig r;
	size_t n;
	struct queue_msg *v;
	struct str content;

	rig_start(&r, ZONE);
	struct queue_add add = { .message_id = S("<id@mox.example>"),
		.subject = S("hi"),
		.has_8bit = true,
		.dsn_ret = S("HDRS"),
		.dsn_envid = S("e") };
	struct typedesc_str_entry extra[] = { { S("k"), S("v \"q\" \n") } };
	add.extra = (struct typedesc_str_map){ .v = extra, .n = 1 };
	const bool no = false;
	add.require_tls = &no;
	int64_t first = rig_add_opts(&r, &add, "a@x.example b@x.example c@[10.0.0.9]");
	v = rig_list(&r, false, &n);
	assert_int_equal(n, 3);
	assert_int_equal(v[0].id, first);
	assert_int_equal(v[0].base_id, first);
	assert_int_equal(v[2].base_id, first);
	assert_strz(v[2].recipient, "c@[10.0.0.9]");
	assert_strz(v[2].recipient_domain, "[10.0.0.9]");
	assert_strz(v[0].sender, "mjl@mox.example");
	assert_strz(v[0].sender_domain, "mox.example");
	assert_true(v[0].has_8bit && !v[0].smtputf8 && v[0].require_tls && !*v[0].require_tls);
	assert_int_equal(v[0].extra.n, 1);
	assert_str(v[0].extra.v[0].v, extra[0].v);
	assert_ok(queue_content(r.q, test_arena(), first, &content, NULL));
	assert_true(str_starts(content, S("Received: here\r\nFrom: <mjl@mox.example>\r\n")));
	assert_int_equal(v[0].size, content.n);
	assert_err(queue_content(r.q, test_arena(), 999, &content, NULL), ERR_NOTFOUND);
	assert_int_equal(queue_get(r.q, test_arena(), 999, false, v), 0);
	rig_stop(&r);
}

TEST(filter_and_sort)
{
	static const struct str none = { "", 0 }, submit = { "submit", 6 };
	static const struct {
		struct queue_filter f;
		const char *want; /* ids, oldest first */
		const char *error;
	} rows[] = {
		{ { 0 }, "1 2 3", NULL },
		{ { .max = 2 }, "1 2", NULL },
		{ { .account = S("other") }, "", NULL },
		{ { .account = S("mjl") }, "1 2 3", NULL },
		{ { .to = S("@x.example") }, "1 2", NULL },
		{ { .to = S("a@x.example") }, "1", NULL },
		{ { .to = S("example") }, "1 2 3", NULL },
		{ { .to = S("@example") }, "", NULL },
		{ { .to = S("@x.example"), .from = S("nobody") }, "", NULL },
		{ { .from = S("MJL"), .to = S("y.") }, "3", NULL },
		{ { .hold = 1 }, "", NULL },
		{ { .hold = -1 }, "1 2 3", NULL },
		{ { .submitted = S("<now") }, "1", NULL },
		{ { .submitted = S(">-30m") }, "2 3", NULL },
		{ { .submitted = S(">-2h") }, "1 2 3", NULL },
		{ { .next_attempt = S("<1m") }, "1 2 3", NULL },
		{ { .next_attempt = S("> 1h") }, "", NULL },
		{ { .transport = &none }, "1 2 3", NULL },
		{ { .transport = &submit }, "", NULL },
		{ { .submitted = S("1h") }, "", "must begin" },
		{ { .next_attempt = S("<x") }, "", "no duration" },
	};
	struct rig r;
	struct queue_order o = { .by = QUEUE_SORT_QUEUED, .asc = true };
	struct arena *a = test_arena();
	struct queue_msg *v;
	size_t n;

	rig_start(&r, ZONE);
	rig_add(&r, "a@x.example");
	test_clock_add(TIME_HOUR);
	rig_add(&r, "b@x.example");
	rig_add(&r, "c@y.example");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg e = { 0 };

		test_row("%zu", i);
		n = 0;
		int rv = queue_list(r.q, a, &rows[i].f, &o, &v, &n, &e);
		assert_int_equal(rv, rows[i].error ? ERR_INVALID : 0);
		if (rows[i].error)
			assert_true(str_search(str_of(e.text), str_of(rows[i].error)) >= 0);
		assert_strz(ids(v, n), rows[i].want);
	}
	/* Pages, one by one, in both directions. */
	for (int asc = 0; asc < 2; asc++) {
		struct queue_order page = { .asc = asc };
		struct queue_filter one = { .max = 1 };
		for (int64_t want = asc ? 1 : 3; want >= 1 && want <= 3; want += asc ? 1 : -1) {
			assert_ok(queue_list(r.q, a, &one, &page, &v, &n, NULL));
			assert_int_equal(n, 1);
			assert_int_equal(v[0].id, want);
			page.after_id = want;
		}
		assert_ok(queue_list(r.q, a, &one, &page, &v, &n, NULL));
		assert_int_equal(n, 0);
	}
	rig_stop(&r);
}

TEST(changes)
{
	struct rig r;
	struct errmsg e = { 0 };
	struct queue_msg *v;
	const bool yes = true;
	size_t n;

	rig_start(&r, ZONE);
	struct rig_host *h = rig_host(&r, "10.0.0.1", "");
	rig_add(&r, "a@x.example b@x.example");
	int64_t id = 2;
	struct queue_filter second = { .ids = &id, .nids = 1 };

	assert_int_equal(queue_hold(r.q, &second, true, &e), 1);
	assert_int_equal(queue_hold(r.q, &second, true, &e), 0);
	assert_int_equal(rig_run(&r), 1);
	assert_int_equal(h->messages, 1);
	assert_strz(h->last_rcpts, "a@x.example");
	assert_int_equal(queue_hold(r.q, &second, false, &e), 1);
	assert_int_equal(queue_schedule(r.q, &second, TIME_HOUR, false, &e), 1);
	assert_int_equal(rig_run(&r), 0);
	assert_int_equal(queue_schedule(r.q, &all, 0, true, &e), 1);
	assert_int_equal(queue_transport(r.q, &all, S("fail4"), &e), 1);
	assert_err(queue_transport(r.q, &all, S("nope"), &e), QUEUE_NO_TRANSPORT);
	assert_int_equal(queue_require_tls(r.q, &all, &yes, &e), 1);
	assert_int_equal(rig_run(&r), 1);
	v = rig_list(&r, false, &n);
	assert_int_equal(v[0].results.n, 1);
	assert_int_equal(v[0].results.v[0].code, 450);
	assert_strz(v[0].results.v[0].transport, "fail4");
	assert_true(*v[0].require_tls);
	assert_int_equal(queue_transport(r.q, &all, S(""), &e), 1);
	assert_int_equal(queue_require_tls(r.q, &all, NULL, &e), 1);
	assert_int_equal(queue_schedule(r.q, &all, 0, true, &e), 1);
	assert_int_equal(rig_run(&r), 1);
	rig_list(&r, false, &n);
	assert_int_equal(n, 0);
	v = rig_list(&r, true, &n);
	assert_int_equal(n, 2);
	assert_true(v[0].success && v[1].success);
	assert_int_equal(v[1].results.n, 2);
	rig_stop(&r);
}

TEST(fail_and_drop)
{
	struct rig r;
	struct errmsg e = { 0 };
	struct queue_msg *v;
	size_t n;

	rig_start(&r, ZONE);
	rig_add(&r, "a@x.example b@x.example");
	int64_t id = 1;
	struct queue_filter first = { .ids = &id, .nids = 1 };

	assert_int_equal(queue_fail(r.q, &first, &e), 1);
	assert_int_equal(queue_drop(r.q, &all, &e), 1);
	rig_list(&r, false, &n);
	assert_int_equal(n, 0);
	v = rig_list(&r, true, &n);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_false(v[i].success);
		assert_strz(v[i].results.v[0].error, "delivery canceled by admin");
	}
	struct strlist inbox = rig_inbox(&r, "mjl", "Inbox");
	assert_int_equal(inbox.n, 1);
	assert_true(str_search(inbox.v[0], S("Final-Recipient: rfc822; a@x.example")) >= 0 ||
	    str_search(inbox.v[0], S("Final-Recipient: rfc822;a@x.example")) >= 0);
	assert_true(str_search(inbox.v[0], S("delivery canceled by admin")) >= 0);
	/* Retired ones are forgotten after their time. */
	test_clock_add(73 * TIME_HOUR);
	assert_ok(queue_cleanup(r.q));
	rig_list(&r, true, &n);
	assert_int_equal(n, 0);
	rig_stop(&r);
}

TEST(holdrules)
{
	struct rig r;
	struct queue_hold_rule *rules;
	struct queue_msg *v;
	size_t n;
	int64_t id;

	rig_start(&r, ZONE);
	rig_add(&r, "a@x.example");
	/* Every field that is set must match. */
	assert_ok(queue_holdrule_add(
	    r.q, &(struct queue_hold_rule){ .account = S("other"), .recipient_domain = S("x.example") }, NULL));
	v = rig_list(&r, false, &n);
	assert_false(v[0].hold);
	assert_ok(queue_holdrule_add(
	    r.q, &(struct queue_hold_rule){ .account = S("mjl"), .recipient_domain = S("x.example") }, &id));
	v = rig_list(&r, false, &n);
	assert_true(v[0].hold);
	rig_add(&r, "b@x.example");
	rig_add(&r, "c@y.example");
	v = rig_list(&r, false, &n);
	assert_true(v[1].hold && !v[2].hold);
	assert_ok(queue_holdrules(r.q, test_arena(), &rules, &n));
	assert_int_equal(n, 2);
	assert_ok(queue_holdrule_remove(r.q, id));
	assert_err(queue_holdrule_remove(r.q, id), ERR_NOTFOUND);
	v = rig_list(&r, false, &n);
	assert_true(v[1].hold);
	rig_add(&r, "d@x.example");
	v = rig_list(&r, false, &n);
	assert_false(v[3].hold);
	/* All-empty: everything. */
	assert_ok(queue_holdrule_add(r.q, &(struct queue_hold_rule){ 0 }, NULL));
	v = rig_list(&r, false, &n);
	for (size_t i = 0; i < n; i++)
		assert_true(v[i].hold);
	rig_stop(&r);
}

TEST(base_address)
{
	static const char *const rows[][2] = {
		{ "User@x.example", "user@x.example" },
		{ "u.s.er@x.example", "user@x.example" },
		{ "user+tag@x.example", "user@x.example" },
		{ "user-list+tag@x.example", "user@x.example" },
		{ "u+a-b@x.example", "u@x.example" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtp_path p;
		test_row("%s", rows[i][0]);
		assert_ok(smtp_parse_path(test_arena(), str_fmt(test_arena(), "<%s>", rows[i][0]), 0, &p, NULL));
		assert_strz(queue_base_address(test_arena(), &p), rows[i][1]);
	}
}

TEST(suppression)
{
	struct rig r;
	struct queue_suppression *v, s;
	struct smtp_path p;
	struct queue_msg *m;
	size_t n;

	rig_start(&r, ZONE);
	struct rig_host *h = rig_host(&r, "10.0.0.1", "ENHANCEDSTATUSCODES");
	/* A refusal of the address puts it on the list; the next message is not even tried. */
	rig_add(&r, "550.x+tag@x.example");
	rig_run(&r);
	assert_ok(queue_suppressions(r.q, test_arena(), S("mjl"), &v, &n));
	assert_int_equal(n, 1);
	assert_strz(v[0].base_address, "550x@x.example");
	assert_strz(v[0].reason, "delivery failure from queue with smtp code 550, enhanced code \"1.1\"");
	assert_false(v[0].manual);
	unsigned connections = h->connections;
	rig_add(&r, "550x@x.example");
	rig_run(&r);
	assert_int_equal(h->connections, connections);
	m = rig_list(&r, true, &n);
	assert_int_equal(n, 2);
	assert_true(str_search(m[1].results.v[0].error, S("suppression list")) >= 0);
	assert_int_equal(rig_inbox(&r, "mjl", "Inbox").n, 2);

	assert_ok(smtp_parse_path(test_arena(), S("<550x@x.example>"), 0, &p, NULL));
	assert_int_equal(queue_suppressed(r.q, test_arena(), S(""), &p, &s), 1);
	assert_int_equal(queue_suppressed(r.q, test_arena(), S("other"), &p, NULL), 0);
	assert_err(queue_suppression_add(r.q, S("mjl"), &p, true, S("x"), NULL), ERR_EXISTS);
	assert_ok(queue_suppression_add(r.q, S("other"), &p, true, S("x"), NULL));
	assert_ok(queue_suppression_remove(r.q, S("mjl"), &p));
	assert_err(queue_suppression_remove(r.q, S("mjl"), &p), ERR_NOTFOUND);
	rig_stop(&r);
}

/* Three failures in a row do, whatever the code; a success between does not. */
TEST(suppression_by_history)
{
	struct rig r;
	struct queue_suppression *v;
	size_t n;

	rig_start(&r, ZONE);
	struct rig_host *h = rig_host(&r, "10.0.0.1", "");
	for (int i = 0; i < 5; i++) {
		h->mail = i == 1 ? NULL : "554 go away";
		rig_add(&r, "a@x.example");
		rig_run(&r);
		test_clock_add(TIME_MIN);
		assert_ok(queue_suppressions(r.q, test_arena(), S(""), &v, &n));
		assert_int_equal(n, i == 4);
	}
	rig_stop(&r);
}

TEST(webhooks)
{
	struct rig r;
	struct queue_hook *v;
	struct errmsg e = { 0 };
	size_t n;

	rig_start(&r, ZONE);
	struct rig_host *h = rig_host(&r, "10.0.0.1", "ENHANCEDSTATUSCODES");
	h->mail = "450 4.2.0 later";
	rig_add(&r, "a@x.example");
	rig_run(&r);
	assert_ok(queue_hooks(r.q, test_arena(), &all, NULL, false, &v, &n, &e));
	assert_int_equal(n, 1);
	assert_strz(v[0].outgoing_event, "delayed");
	assert_strz(v[0].url, "http://localhost/hook");
	assert_true(str_search(v[0].payload, S("\"SMTPCode\":450")) >= 0 &&
	    str_search(v[0].payload, S("\"SMTPEnhancedCode\":\"4.2.0\"")) >= 0);
	/* A newer event takes the place of one that nobody was told. */
	h->mail = NULL;
	assert_int_equal(queue_schedule(r.q, &all, 0, true, &e), 1);
	rig_run(&r);
	assert_ok(queue_hooks(r.q, test_arena(), &all, NULL, false, &v, &n, &e));
	assert_int_equal(n, 1);
	assert_strz(v[0].outgoing_event, "delivered");
	int64_t id = v[0].id;
	assert_ok(queue_hooks(r.q, test_arena(), &all, NULL, true, &v, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].superseded_by_id, id);
	assert_int_equal(queue_hook_schedule(r.q, &all, TIME_HOUR, true, &e), 1);
	assert_ok(queue_hooks(
	    r.q, test_arena(), &(struct queue_filter){ .next_attempt = S(">30m") }, NULL, false, &v, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(queue_hook_cancel(r.q, &(struct queue_filter){ .event = S("incoming") }, &e), 0);
	assert_int_equal(queue_hook_cancel(r.q, &all, &e), 1);
	assert_int_equal(queue_hook_get(r.q, test_arena(), id, true, v), 1);
	rig_stop(&r);
}

TEST(from_id)
{
	struct rig r;
	struct errmsg e = { 0 };
	struct queue_add_rcpt rcpt = { .from_id = S("abc") };
	struct queue_add add = { .account = S("mjl"), .text = S("a: b\r\n\r\n"), .rcpts = &rcpt, .nrcpts = 1 };

	rig_start(&r, ZONE);
	rig_host(&r, "10.0.0.1", "");
	assert_ok(smtp_parse_path(test_arena(), S("<a@x.example>"), 0, &rcpt.to, NULL));
	assert_ok(queue_add(r.q, &add, NULL, &e));
	assert_err(queue_add(r.q, &add, NULL, &e), QUEUE_FROMID_NOT_UNIQUE);
	rig_run(&r);
	/* Also against retired ones. */
	assert_err(queue_add(r.q, &add, NULL, &e), QUEUE_FROMID_NOT_UNIQUE);
	rig_stop(&r);
}

/* --- crashes --- */

static struct str
large(void)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);

	buf_addz(&b, "Subject: large\r\n\r\n");
	while (b.n < 200 * 1024)
		buf_addz(&b, "0123456789012345678901234567890123456789012345678901234567890\r\n");
	return buf_str(&b);
}

static unsigned
count_files(void)
{
	struct arena *a = test_arena();
	unsigned n = 0;

	for (int64_t id = 1; id < 50; id++)
		n += access(str_fmt(a, "%s/queue/" STRF, test_dir(), STRA(blob_path(a, id))).p, F_OK) == 0;
	return n;
}

TEST(content_in_file)
{
	struct rig r;
	struct queue_add add = { .text = large() };

	rig_start(&r, ZONE);
	struct rig_host *h = rig_host(&r, "10.0.0.1", "");
	rig_add_opts(&r, &add, "a@x.example b@x.example");
	assert_int_equal(count_files(), 1);
	assert_int_equal(rig_run(&r), 1);
	assert_str(buf_str(&h->last), str_cat(test_arena(), S("Received: here\r\n"), large()));
	assert_int_equal(count_files(), 0);
	rig_stop(&r);
}

/* The server dies within an attempt: the message is there, is not tried at once, and its result tells. */
TEST(crash_in_attempt)
{
	struct rig r;
	struct arena a = { 0 };
	struct queue_attempt at;
	struct queue_msg *v;
	size_t n;

	rig_start(&r, ZONE);
	rig_host(&r, "10.0.0.1", "");
	struct queue_add add = { .text = large() };
	rig_add_opts(&r, &add, "a@x.example");
	assert_int_equal(queue_prepare(r.q, &a, S("x.example"), NULL, 0, &at), 1);
	blob_close(&at.file);
	config_unref(&at.cfg);
	arena_done(&a);
	rig_close(&r);
	/* A file that no row knows, as a crash before the commit leaves it. */
	assert_int_equal(count_files(), 1);
	assert_ok(
	    fd_write_file(str_fmt(test_arena(), "%s/queue/" STRF, test_dir(), STRA(blob_path(test_arena(), 40))).p,
		S("x"), 0600, NULL));
	rig_open(&r);
	assert_int_equal(count_files(), 1);
	v = rig_list(&r, false, &n);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].attempts, 1);
	assert_true(v[0].next_attempt >= test_clock()->now_us(test_clock()->arg) + 445 * TIME_SEC);
	assert_true(str_search(v[0].results.v[0].error, S("interrupted")) >= 0);
	assert_int_equal(rig_run(&r), 0);
	test_clock_add(10 * TIME_MIN);
	assert_int_equal(rig_run(&r), 1);
	v = rig_list(&r, true, &n);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].results.n, 2);
	rig_stop(&r);
}

/*
 * Every single write, sync and creation of a file fails once: what queue_add said is there is there, whole; what it
 * refused is not, now and after the next start.
 */
TEST(faults)
{
	static const enum db_fault kinds[] = { DB_FAULT_WRITE, DB_FAULT_SYNC };

	db_fault_install();
	db_fault_nosync(true);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		for (int after = 0;; after++) {
			struct rig r;
			struct queue_add_rcpt rcpts[2] = { { .prefix = S("A: b\r\n") }, { .prefix = S("A: b\r\n") } };
			struct queue_add add = {
				.account = S("mjl"), .text = S("S: t\r\n\r\nx\r\n"), .rcpts = rcpts, .nrcpts = 2
			};
			struct errmsg e = { 0 };
			struct str content;
			size_t n;

			test_row("%zu after %d", k, after);
			rig_fresh();
			rig_start(&r, ZONE);
			assert_ok(smtp_parse_path(test_arena(), S("<a@x.example>"), 0, &rcpts[0].to, NULL));
			assert_ok(smtp_parse_path(test_arena(), S("<b@y.example>"), 0, &rcpts[1].to, NULL));
			db_fault_set(kinds[k], after, 5 /* EIO */, false);
			int rv = queue_add(r.q, &add, NULL, &e);
			unsigned hits = db_fault_hits();
			db_fault_set(kinds[k], -1, 0, false);
			rig_list(&r, false, &n);
			assert_int_equal(n, rv == 0 ? 2 : 0);
			/* The next one goes through whatever happened. */
			assert_ok(queue_add(r.q, &add, NULL, &e));
			rig_close(&r);
			rig_open(&r);
			struct queue_msg *v = rig_list(&r, false, &n);
			assert_int_equal(n, rv == 0 ? 4 : 2);
			for (size_t i = 0; i < n; i++) {
				assert_ok(queue_content(r.q, test_arena(), v[i].id, &content, NULL));
				assert_strz(content, "A: b\r\nS: t\r\n\r\nx\r\n");
			}
			rig_stop(&r);
			if (hits == 0)
				break;
		}
	}
	db_fault_nosync(false);
}
