/* SPDX-License-Identifier: MIT */
/* Judged messages: what counts, in which order, and that judgements follow flags, moves, copies and removal. */
#include "store/history.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

/* deliver adds a message with what reception knows, n seconds after 1970, with flags. */
static int64_t
deliver(struct store_account *a, const char *mailbox, int n, unsigned flags, struct store_delivery_info d)
{
	struct store_added added;
	struct blob *blob = test_blob(test_message("Subject: s\r\n"));
	struct store_add add = { .blob = blob, .received_us = n * TIME_SEC, .flags = flags, .delivery = &d };

	assert_ok(store_deliver(a, str_of(mailbox), &add, &added, NULL));
	blob_free(&blob);
	return added.id;
}

static struct store_delivery_info
from(const char *localpart, const char *domain, bool validated)
{
	return (struct store_delivery_info){
		.msgfrom_localpart = str_of(localpart), .msgfrom_domain = str_of(domain), .msgfrom_orgdomain = S("org.example"),
		.msgfrom_validated = validated,
	};
}

/* ask returns what is found as "received:junk" or, with localparts, "received:junk:localpart", separated by spaces. */
static struct str
ask(struct store_account *a, struct store_history_query q)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct buf b = BUF_ARENA(test_arena(), 4096);
	struct store_judged *v;
	size_t n;

	if (!q.mailbox_orig_id)
		q.mailbox_orig_id = test_mailbox(a, "Inbox").id;
	if (!q.max)
		q.max = 10;
	assert_ok(store_read(a, &tx));
	assert_ok(store_history(&tx, test_arena(), &q, &v, &n));
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%lld:%s%s" STRF, i ? " " : "", (long long)(v[i].received_us / TIME_SEC), v[i].junk ? "junk" : "ham",
		    v[i].msgfrom_localpart.n ? ":" : "", STRA(v[i].msgfrom_localpart));
	return buf_str(&b);
}

TEST(history_by_each_key)
{
	struct store_account *a = test_account("one");
	struct store_delivery_info full = from("me", "mail.org.example", true);

	full.remote_ip = S("192.0.2.70");
	full.ehlo_domain = S("mx.org.example");
	full.ehlo_validated = true;
	full.mailfrom = S("bounce@send.example");
	full.mailfrom_domain = S("send.example");
	full.mailfrom_validated = true;
	strlist_add(test_arena(), &full.dkim_domains, S("org.example"));
	strlist_add(test_arena(), &full.dkim_domains, S("esp.example"));
	deliver(a, "Inbox", 10, STORE_NOTJUNK, full);
	deliver(a, "Inbox", 30, STORE_JUNK, full);
	deliver(a, "Inbox", 20, STORE_JUNK | STORE_NOTJUNK, full);
	deliver(a, "Inbox", 40, 0, full);               /* not judged */
	deliver(a, "Archive", 50, STORE_JUNK, full);    /* elsewhere */
	deliver(a, "Inbox", 60, STORE_NOTJUNK, from("you", "mail.org.example", false));

	static const struct {
		enum store_history_key key;
		const char *value, *localpart;
		bool validated;
		const char *want;
	} rows[] = {
		{ STORE_HISTORY_MSGFROM, "mail.org.example", "me", true, "30:junk 20:junk 10:ham" },
		{ STORE_HISTORY_MSGFROM, "mail.org.example", "me", false, "" },
		{ STORE_HISTORY_MSGFROM, "mail.org.example", "", true, "" },
		{ STORE_HISTORY_MSGFROM, "mail.org.example", "you", false, "60:ham" },
		{ STORE_HISTORY_MSGFROM_DOMAIN, "mail.org.example", "", true, "30:junk:me 20:junk:me 10:ham:me" },
		{ STORE_HISTORY_MSGFROM_DOMAIN, "mail.org.example", "", false, "60:ham:you" },
		{ STORE_HISTORY_MSGFROM_DOMAIN, "org.example", "", true, "" },
		{ STORE_HISTORY_MSGFROM_ORGDOMAIN, "org.example", "", true, "30:junk:me 20:junk:me 10:ham:me" },
		{ STORE_HISTORY_DKIM_DOMAIN, "esp.example", "", false, "30:junk 20:junk 10:ham" },
		{ STORE_HISTORY_DKIM_DOMAIN, "other.example", "", false, "" },
		{ STORE_HISTORY_MAILFROM, "bounce@send.example", "", true, "30:junk 20:junk 10:ham" },
		{ STORE_HISTORY_MAILFROM, "bounce@send.example", "", false, "" },
		{ STORE_HISTORY_MAILFROM_DOMAIN, "send.example", "", true, "30:junk 20:junk 10:ham" },
		{ STORE_HISTORY_EHLO_DOMAIN, "mx.org.example", "", true, "30:junk 20:junk 10:ham" },
		{ STORE_HISTORY_IP1, "192.0.2.70", "", false, "30:junk 20:junk 10:ham" },
		{ STORE_HISTORY_IP1, "192.0.2.71", "", false, "" },
		{ STORE_HISTORY_IP2, "192.0.2.64", "", false, "30:junk 20:junk 10:ham" },
		{ STORE_HISTORY_IP3, "192.0.0.0", "", false, "30:junk 20:junk 10:ham" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%d %s", rows[i].key, rows[i].value);
		assert_str(ask(a, (struct store_history_query){ .key = rows[i].key, .value = str_of(rows[i].value), .localpart = str_of(rows[i].localpart),
		    .validated = rows[i].validated }), str_of(rows[i].want));
	}
	struct store_history_query q = { .key = STORE_HISTORY_DKIM_DOMAIN, .value = S("org.example"), .max = 2 };
	assert_str(ask(a, q), S("30:junk 20:junk"));
	q.since_us = 20 * TIME_SEC;
	assert_str(ask(a, q), S("30:junk"));
	q.mailbox_orig_id = test_mailbox(a, "Archive").id;
	assert_str(ask(a, q), S("50:junk"));
	store_account_close(&a);
	test_store_close();
}

/* A message that a forwarder sent is not held against the forwarder's network. */
TEST(history_spares_forwarders)
{
	struct store_account *a = test_account("one");
	struct store_delivery_info d = { .remote_ip = S("192.0.2.1"), .remote_is_forwarder = true }, got;
	int64_t id = deliver(a, "Inbox", 1, STORE_JUNK, d);
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };

	assert_str(ask(a, (struct store_history_query){ .key = STORE_HISTORY_IP1, .value = S("192.0.2.1") }), S(""));
	assert_ok(store_read(a, &tx));
	assert_ok(store_message_delivery(&tx, test_arena(), id, &got));
	assert_str(got.remote_ip, S("192.0.2.1"));
	store_tx_rollback(&tx);
	store_account_close(&a);
	test_store_close();
}

TEST(judgements_follow_changes)
{
	struct store_account *a = test_account("one");
	struct store_history_query q = { .key = STORE_HISTORY_MSGFROM, .value = S("d.example"), .localpart = S("x"), .validated = true };
	struct store_message m = test_get(a, deliver(a, "Inbox", 1, 0, from("x", "d.example", true)));
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox inbox, archive;
	uint32_t *uids;

	assert_str(ask(a, q), S(""));
	/* flags: each change, and what leaves both as they are */
	static const struct { enum store_flag_op op; unsigned flags; const char *want; } steps[] = {
		{ STORE_FLAG_ADD, STORE_SEEN, "" },
		{ STORE_FLAG_ADD, STORE_NOTJUNK, "1:ham" },
		{ STORE_FLAG_ADD, STORE_JUNK, "1:junk" },
		{ STORE_FLAG_REMOVE, STORE_JUNK, "1:ham" },
		{ STORE_FLAG_SET, STORE_JUNK, "1:junk" },
		{ STORE_FLAG_SET, STORE_SEEN, "" },
		{ STORE_FLAG_ADD, STORE_JUNK, "1:junk" },
	};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		test_row("%zu", i);
		assert_ok(store_write(a, &tx));
		assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &inbox), 1);
		assert_int_equal(store_message_flags(&tx, &inbox, &m, steps[i].op, steps[i].flags, S("")), 1);
		assert_ok(store_tx_commit(&tx, NULL));
		assert_str(ask(a, q), str_of(steps[i].want));
	}
	/* A copy counts too; the mailbox that counts stays the first one. */
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &inbox), 1);
	assert_int_equal(store_mailbox_find(&tx, S("Archive"), &archive), 1);
	assert_ok(store_copy(&tx, &inbox, &archive, &m, 1, &uids));
	assert_ok(store_tx_commit(&tx, NULL));
	assert_str(ask(a, q), S("1:junk 1:junk"));
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, S("Inbox"), &inbox), 1);
	assert_int_equal(store_mailbox_find(&tx, S("Archive"), &archive), 1);
	assert_ok(store_move(&tx, &inbox, &archive, &m, 1, &uids));
	assert_ok(store_tx_commit(&tx, NULL));
	assert_str(ask(a, q), S("1:junk 1:junk"));
	/* What is expunged does not count. */
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, S("Archive"), &archive), 1);
	assert_ok(store_expunge(&tx, &archive, &m, 1));
	assert_ok(store_tx_commit(&tx, NULL));
	assert_str(ask(a, q), S("1:junk"));
	store_account_close(&a);
	test_store_close();
}

/* What was put into Rejects counts where it would have gone once it is taken out. */
TEST(judgements_of_rejects)
{
	struct store_account *a = test_account("one");
	struct store_mailbox inbox = test_mailbox(a, "Inbox"), rejects, junk;
	struct store_history_query q = { .key = STORE_HISTORY_MSGFROM, .value = S("d.example"), .localpart = S("x"), .validated = true };
	struct store_delivery_info d = from("x", "d.example", true);
	struct store_added added;
	struct blob *blob = test_blob(test_message("Subject: s\r\n"));
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	uint32_t *uids;

	assert_ok(store_deliver(a, S("Rejects"), &(struct store_add){ .blob = blob, .received_us = TIME_SEC, .flags = STORE_SEEN, .is_reject = true,
	    .mailbox_destined_id = inbox.id, .delivery = &d }, &added, NULL));
	blob_free(&blob);
	assert_str(ask(a, q), S(""));
	struct store_message m = test_get(a, added.id);
	assert_ok(store_write(a, &tx));
	assert_int_equal(store_mailbox_find(&tx, S("Rejects"), &rejects), 1);
	assert_int_equal(store_mailbox_by_use(&tx, STORE_USE_JUNK, &junk), 1);
	assert_ok(store_move(&tx, &rejects, &junk, &m, 1, &uids));
	assert_ok(store_tx_commit(&tx, NULL));
	assert_str(ask(a, q), S("1:junk"));
	store_account_close(&a);
	test_store_close();
}

TEST(whom_we_wrote_to)
{
	struct store_account *a = test_account("one");
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };

	test_deliver(a, "Sent", test_message("Date: Thu, 1 Jan 1970 00:01:00 +0000\r\nTo: Ann <ann@mail.example.org>\r\n"));
	deliver(a, "Inbox", 1, STORE_NOTJUNK, from("x", "a.org.example", false));
	assert_ok(store_read(a, &tx));
	assert_int_equal(store_sent_to_address(&tx, S("ann"), S("mail.example.org"), 60 * TIME_SEC), 1);
	assert_int_equal(store_sent_to_address(&tx, S("ann"), S("mail.example.org"), 60 * TIME_SEC + 1), 0);
	assert_int_equal(store_sent_to_address(&tx, S("bob"), S("mail.example.org"), 0), 0);
	assert_int_equal(store_sent_to_domain(&tx, S("mail.example.org"), 60 * TIME_SEC), 1);
	assert_int_equal(store_sent_to_domain(&tx, S("mail.example.org"), 61 * TIME_SEC), 0);
	assert_int_equal(store_sent_to_domain(&tx, S("example.org"), 0), 0);
	assert_int_equal(store_sent_to_orgdomain(&tx, S("mail.example.org"), 0), 1);    /* without public suffix list a domain is its own */
	assert_int_equal(store_wants_from(&tx, S("mail.example.org")), 1);
	assert_int_equal(store_wants_from(&tx, S("org.example")), 1);
	assert_int_equal(store_wants_from(&tx, S("other.example")), 0);
	store_tx_rollback(&tx);
	store_account_close(&a);
	test_store_close();
}
