/* SPDX-License-Identifier: MIT */
/* Mail of our users for other hosts: what comes into the queue. */
#include "dkim/dkim.h"
#include "dns_mock/dns_mock.h"
#include "queue/queue.h"
#include "smtpserver/rig_test.h"

#define FLAGS (RIG_SUBMISSION | RIG_IMPLICIT | RIG_PASSWORDS | RIG_QUEUE)
/* mjl@mox.example, "test password" */
#define LOGIN "S 220 \nC EHLO x\nS* 250 \nC AUTH PLAIN AG1qbEBtb3guZXhhbXBsZQB0ZXN0IHBhc3N3b3Jk\nS 235 2.7.0 \n"
#define BODY "C DATA\nS 354 \nB From: <mjl@mox.example>\\r\\nSubject: hi\\r\\n%s\\r\\nhello\\r\\n.\\r\\n\n"

static struct queue_msg *
queued(struct rig *r, size_t *r_n)
{
	struct queue_filter all = { 0 };
	struct queue_order o = { .by = QUEUE_SORT_QUEUED, .asc = true };
	struct queue_msg *v = NULL;

	assert_ok(queue_list(r->queue, test_arena(), &all, &o, &v, r_n, NULL));
	return v;
}

TEST(local_and_remote)
{
	struct rig r;
	struct queue_msg *v;
	struct str content, txt;
	struct dkim_record record;
	struct dkim_result *sigs;
	size_t n;

	rig_start(&r, FLAGS);
	rig_script(&r,
	    LOGIN
	    "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<other@mox.example>\nS 250 \n"
	    "C RCPT TO:<a@far.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@far.example\nS 250 \nC RCPT TO:<b@[192.0.2.1]>\nS 250 \n");
	rig_script(&r, str_fmt(test_arena(), BODY "S 250 \n", "X-Mox-Extra-Order: 17\\r\\n").p);
	assert_int_equal(rig_messages(&r, "other", "Inbox").n, 1);
	v = queued(&r, &n);
	assert_int_equal(n, 2);
	assert_strz(v[0].recipient, "a@far.example");
	assert_strz(v[1].recipient, "b@[192.0.2.1]");
	assert_strz(v[0].sender_account, "mjl");
	assert_strz(v[0].sender, "mjl@mox.example");
	assert_strz(v[0].subject, "hi");
	assert_strz(v[0].dsn_notify, "FAILURE,DELAY");
	assert_int_equal(v[0].extra.n, 1);
	assert_strz(v[0].extra.v[0].k, "Order");
	assert_true(str_starts(v[0].message_id, S("<")) && str_ends(v[0].message_id, S("@mox.example>")));
	assert_null(v[0].require_tls);
	assert_int_equal(v[1].base_id, v[0].id);

	/* Trace first, then what was missing, signed. */
	assert_ok(queue_content(r.queue, test_arena(), v[0].id, &content, NULL));
	assert_true(str_starts(content, S("Received: from mox.example")));
	assert_true(str_search(content, S("Authentication-Results: ")) > str_search(content, S("DKIM-Signature: ")));
	assert_true(str_search(content, S(" for <")) < 0);
	const struct config_selector *sel = &config_domain_text(r.cfg, S("mox.example"))->conf->dkim.selectors.v[0].v;
	assert_ok(dkim_record_of(test_arena(), sel->key, &record));
	txt = dkim_pack_record(test_arena(), &record);
	struct dns_resolver *dns = dns_mock_new(&(struct dns_mock_opts){
	    .zone = str_fmt(test_arena(), "sel._domainkey.mox.example TXT \"" STRF "\"", STRA(txt)).p });
	struct message_source src = message_source_mem(content);
	struct ctx ctx = { 0 };
	struct dkim_verify_args args = { 0 };
	assert_ok(dkim_verify(dns, test_arena(), &ctx, &src, &args, &sigs, &n, NULL));
	assert_int_equal(n, 1);
	assert_int_equal(sigs[0].status, DKIM_PASS);
	dns_mock_free(&dns);
	rig_stop(&r);
}

TEST(single_recipient_is_named)
{
	struct rig r;
	struct str content;
	size_t n;

	rig_start(&r, FLAGS);
	rig_script(&r,
	    LOGIN
	    "C MAIL FROM:<mjl@mox.example> REQUIRETLS RET=HDRS ENVID=e17\nS 250 \nC RCPT TO:<a@far.example>\nS 250 \n");
	rig_script(&r, str_fmt(test_arena(), BODY "S 250 \n", "").p);
	struct queue_msg *v = queued(&r, &n);
	assert_int_equal(n, 1);
	assert_true(v[0].require_tls && *v[0].require_tls);
	assert_strz(v[0].dsn_ret, "HDRS");
	assert_strz(v[0].dsn_envid, "e17");
	assert_ok(queue_content(r.queue, test_arena(), v[0].id, &content, NULL));
	assert_true(str_search(content, S("for <a@far.example>;")) >= 0);
	/* TLS-Required: No */
	rig_script(&r, "C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<a@far.example>\nS 250 \n");
	rig_script(&r, str_fmt(test_arena(), BODY "S 250 \n", "TLS-Required: No\\r\\n").p);
	v = queued(&r, &n);
	assert_true(v[1].require_tls && !*v[1].require_tls);
	rig_stop(&r);
}

TEST(refused)
{
	static const char *const rows[] = {
		/* Parameters. */
		"C MAIL FROM:<mjl@mox.example> HOLDFOR=0\nS 501 5.5.4 \n",
		"C MAIL FROM:<mjl@mox.example> HOLDFOR=5184001\nS 554 5.5.4 \n",
		"C MAIL FROM:<mjl@mox.example> HOLDFOR=60 HOLDUNTIL=2099-01-01T00:00:00Z\nS 501 5.5.4 \n",
		"C MAIL FROM:<mjl@mox.example> HOLDUNTIL=2001-01-01T00:00:00Z\nS 554 5.5.4 \n",
		"C MAIL FROM:<mjl@mox.example> HOLDUNTIL=tomorrow\nS 501 5.5.4 \n",
		"C MAIL FROM:<mjl@mox.example> RET=SOME\nS 501 5.5.4 \n",
		"C MAIL FROM:<mjl@mox.example> ENVID=+\nS 501 5.5.4 \n",
		"C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<a@far.example> NOTIFY=NEVER,SUCCESS\nS 501 5.5.4 \n",
		"C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<a@far.example> ORCPT=x\nS 501 5.5.4 \n",
		"C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<a@far.example> FOO=x\nS 555 5.3.3 \n",
		/* Ours, but nobody. */
		"C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<nobody@mox.example>\nS 550 5.1.1 \n",
		"C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<a@disabled.example>\nS 450 4.2.1 \n",
		/* Twice the same extra. */
		"C MAIL FROM:<mjl@mox.example>\nS 250 \nC RCPT TO:<a@far.example>\nS 250 \nC DATA\nS 354 \n"
		"B From: <mjl@mox.example>\\r\\nX-Mox-Extra-a: 1\\r\\nX-Mox-Extra-A: 2\\r\\n\\r\\nx\\r\\n.\\r\\n\nS 554 5.6.0 \n",
	};
	struct rig r;
	size_t n;

	rig_start(&r, FLAGS);
	rig_script(&r, LOGIN);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i]);
		rig_script(&r, rows[i]);
		rig_script(&r, "C RSET\nS 250 \n");
	}
	queued(&r, &n);
	assert_int_equal(n, 0);
	rig_stop(&r);
}

TEST(held)
{
	struct rig r;
	size_t n;

	rig_start(&r, FLAGS);
	rig_script(&r,
	    LOGIN
	    "C MAIL FROM:<mjl@mox.example> HOLDFOR=3600\nS 250 \nC RCPT TO:<a@far.example>\nS 250 \n"); // rfc/4865:134
	rig_script(&r, str_fmt(test_arena(), BODY "S 250 \n", "").p);
	struct queue_msg *v = queued(&r, &n);
	assert_int_equal(n, 1);
	assert_strz(v[0].future_release_request, "for;3600");
	assert_in_range(v[0].next_attempt - v[0].queued, 3500 * TIME_SEC, 3600 * TIME_SEC);
	rig_stop(&r);
}
