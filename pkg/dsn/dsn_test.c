/* SPDX-License-Identifier: MIT */
#include "dsn/dsn.h"

#include <cjson/cJSON.h>
#include <ftw.h>

#include "base/timeutil.h"
#include "message/body.h"
#include "message/header.h"
#include "testutil/testutil.h"

#define NOW (INT64_C(1704067200) * TIME_SEC)

static struct smtp_path
path(const char *s)
{
	struct smtp_path p;

	assert_ok(smtp_parse_path(test_arena(), str_fmt(test_arena(), "<%s>", s), SMTP_UTF8 | SMTP_EMPTY, &p, NULL));
	return p;
}

static struct dsn_message
sample(struct dsn_recipient *r, uint32_t n)
{
	struct dsn_message d = {
		.from = path("postmaster@mx.example"), .to = path("sender@a.example"), .subject = S("mail delivery failed"), .message_id = S("dsn1@mx.example"),
		.references = S("<orig@a.example>"), .text = S("Hello,\n\nit failed.\n"), .reporting_mta = S("mx.example"), .arrival_us = NOW,
		.original_envelope_id = S("env1"), .gateway = S("gw.example"), .future_release = S("for;10"), .recipients = r, .nrecipients = n,
		.original = S("Subject: test\r\nFrom: <sender@a.example>\r\n\r\nbody is not included\r\n"),
	};

	assert_ok(smtp_parse_ipdomain(test_arena(), S("client.example"), 0, &d.received_from.name, NULL));
	assert_ok(ip_parse(S("2001:db8::1"), &d.received_from.ip));
	return d;
}

static struct message
parse(struct str s, struct message_source *r_src)
{
	struct message m;
	struct errmsg e = { 0 };

	*r_src = message_source_mem(s);
	assert_ok(message_parse(test_arena(), r_src, MESSAGE_STRICT, &m, &e));
	return m;
}

static struct str
type_of(const struct message_part *p)
{
	struct str charset = { 0 };

	message_part_param(p, S("charset"), &charset);
	return str_fmt(test_arena(), STRF "/" STRF ";" STRF ";" STRF, STRA(p->type), STRA(p->subtype), STRA(charset), STRA(p->cte));
}

/* Composed in every form, parsed strictly: the same comes back. */
TEST(round_trip)
{
	static const struct {
		const char *to;
		bool smtputf8, peer;
		const char *types[3];
		const char *address;
	} rows[] = {
		{ "rcpt+tag@b.example", false, false, { "TEXT/PLAIN;;7BIT", "MESSAGE/DELIVERY-STATUS;;7BIT", "TEXT/RFC822-HEADERS;;7BIT" }, "rfc822;rcpt+tag@b.example" },
		{ "rcpt@b.example", false, true, { "TEXT/PLAIN;;7BIT", "MESSAGE/DELIVERY-STATUS;;7BIT", "TEXT/RFC822-HEADERS;;7BIT" }, "rfc822;rcpt@b.example" },
		{ "m\xc3\xb6x@m\xc3\xb6x.example", true, false, { "TEXT/PLAIN;;7BIT", "MESSAGE/DELIVERY-STATUS;;7BIT", "TEXT/RFC822-HEADERS;utf-8;BASE64" },
		    "rfc822;m\\x{F6}x@xn--mx-fka.example" },
		{ "m\xc3\xb6x@m\xc3\xb6x.example", true, true, { "TEXT/PLAIN;utf-8;8BIT", "MESSAGE/GLOBAL-DELIVERY-STATUS;;8BIT", "MESSAGE/GLOBAL-HEADERS;;8BIT" },
		    "utf-8;m\xc3\xb6x@m\xc3\xb6x.example" },
		{ "a@[IPv6:2001:db8::2]", false, false, { "TEXT/PLAIN;;7BIT", "MESSAGE/DELIVERY-STATUS;;7BIT", "TEXT/RFC822-HEADERS;;7BIT" }, "rfc822;a@[IPv6:2001:db8::2]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dsn_recipient r[2] = {
			{ .final_recipient = path(rows[i].to), .action = DSN_FAILED, .status = S("5.1.1"), .status_comment = S("no such user"),
			    .original_recipient = path("orig@b.example"), .diagnostic = S("550 5.1.1 unknown\r\nuser"), .last_attempt_us = NOW,
			    .final_log_id = S("log1"), .will_retry_until_us = NOW + TIME_DAY },
			{ .final_recipient = path("other@c.example"), .action = DSN_DELAYED },
		};
		assert_ok(smtp_parse_ipdomain(test_arena(), S("mx.b.example"), 0, &r[0].remote_mta.name, NULL));
		assert_ok(ip_parse(S("10.0.0.1"), &r[0].remote_mta.ip));
		struct dsn_message d = sample(r, 2), back;
		struct buf b = BUF_ARENA(test_arena(), 100000);
		struct message_source src;
		struct errmsg e = { 0 };
		bool bit8;
		test_row("%zu", i);

		d.smtputf8 = rows[i].smtputf8;
		if (rows[i].smtputf8)
			d.original = S("Subject: m\xc3\xb6x\r\n\r\nbody\r\n");
		assert_ok(dsn_compose(&b, &d, rows[i].peer, NOW, &bit8, &e));
		bool utf8 = rows[i].peer && rows[i].smtputf8;
		assert_int_equal(bit8, utf8);
		assert_true(utf8 || str_is_ascii(buf_str(&b)));

		struct message m = parse(buf_str(&b), &src);
		assert_true(message_is_dsn(&m));
		assert_int_equal(m.nparts, 4);
		for (int k = 0; k < 3; k++)
			assert_strz(type_of(&m.parts[k + 1]), rows[i].types[k]);
		struct str header;
		assert_ok(message_part_header(test_arena(), &m, &src, &m.parts[0], &header));
		assert_strz(message_header_get(test_arena(), header, S("Auto-Submitted")), "auto-replied");
		assert_strz(message_header_get(test_arena(), header, S("References")), "<orig@a.example>");

		assert_int_equal(dsn_parse(test_arena(), &m, &src, DSN_STRICT, &back, &e), 0);
		assert_int_equal(back.smtputf8, utf8);
		assert_true(smtp_path_equal(&back.from, &d.from) && smtp_path_equal(&back.to, &d.to));
		assert_str(back.subject, d.subject);
		assert_str(back.message_id, d.message_id);
		assert_str(back.text, d.text);
		assert_str(back.reporting_mta, d.reporting_mta);
		assert_str(back.original_envelope_id, d.original_envelope_id);
		assert_str(back.gateway, d.gateway);
		assert_str(back.future_release, d.future_release);
		assert_int_equal(back.arrival_us, d.arrival_us);
		assert_true(idna_equal(&back.received_from.name.domain, &d.received_from.name.domain));
		assert_true(str_starts(back.original, S("Subject: ")));
		assert_true(str_search(back.original, S("body")) < 0);
		assert_int_equal(back.nrecipients, 2);
		const struct dsn_recipient *x = &back.recipients[0];
		assert_true(smtp_path_equal(&x->final_recipient, &r[0].final_recipient));
		assert_strz(x->final_text, rows[i].address);
		assert_int_equal(x->action, DSN_FAILED);
		assert_strz(x->status, "5.1.1");
		assert_strz(x->status_comment, "no such user");
		assert_true(smtp_path_equal(&x->original_recipient, &r[0].original_recipient));
		assert_strz(x->remote_text, "dns;mx.b.example ([10.0.0.1])");
		assert_strz(x->diagnostic, "550 5.1.1 unknown  user");
		assert_int_equal(x->last_attempt_us, NOW);
		assert_strz(x->final_log_id, "log1");
		assert_int_equal(x->will_retry_until_us, NOW + TIME_DAY);
		assert_int_equal(back.recipients[1].action, DSN_DELAYED);
		assert_strz(back.recipients[1].status, "4.0.0");
	}
}

/* With the whole original: its type and encoding, whether the DSN stays in 7 bits, and that the message comes back as it was. */
TEST(compose_full)
{
	static const struct {
		const char *original;
		bool smtputf8, peer;
		const char *type;
		bool bit8;
	} rows[] = {
		{ "Subject: x\r\n\r\nbody\r\n", false, false, "MESSAGE/RFC822;;7BIT", false },
		{ "Subject: x\r\n\r\nm\xc3\xb6x\r\n", false, false, "MESSAGE/RFC822;;8BIT", true },
		{ "Subject: x\r\n\r\nbody\r\n", true, false, "MESSAGE/RFC822;;7BIT", false },
		{ "Subject: m\xc3\xb6x\r\n\r\nbody\r\n", true, false, "MESSAGE/GLOBAL;;BASE64", false },
		{ "Subject: m\xc3\xb6x\r\n\r\nbody\r\n", true, true, "MESSAGE/GLOBAL;;8BIT", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dsn_recipient r = { .final_recipient = path("a@b.example"), .action = DSN_FAILED };
		struct dsn_message d = sample(&r, 1), back;
		struct buf b = BUF_ARENA(test_arena(), 100000);
		struct message_source src;
		struct errmsg e = { 0 };
		struct str whole;
		bool bit8;
		test_row("%zu", i);

		d.original = str_of(rows[i].original);
		d.smtputf8 = rows[i].smtputf8;
		d.full = true;
		assert_ok(dsn_compose(&b, &d, rows[i].peer, NOW, &bit8, &e));
		assert_int_equal(bit8, rows[i].bit8);
		struct message m = parse(buf_str(&b), &src);
		assert_true(message_is_dsn(&m));
		assert_strz(type_of(&m.parts[3]), rows[i].type);
		assert_ok(message_part_text(test_arena(), &m, &src, &m.parts[3], MESSAGE_READ_DECODED, 10000, &whole));
		assert_str(str_trim(whole), str_trim(d.original));
		assert_ok(dsn_parse(test_arena(), &m, &src, DSN_STRICT, &back, &e));
		assert_true(str_starts(back.original, S("Subject: ")));
		assert_true(str_search(back.original, S("body")) < 0);
	}
}

TEST(compose_small)
{
	struct dsn_recipient r = { .final_recipient = path("a@b.example"), .action = DSN_DELIVERED };
	struct dsn_message d = sample(&r, 1), bad;
	struct buf b = BUF_ARENA(test_arena(), 100000);
	struct errmsg e = { 0 };
	struct message_source src;
	bool bit8;

	d.original = (struct str){ 0 };
	assert_ok(dsn_compose(&b, &d, true, NOW, &bit8, &e));
	struct message m = parse(buf_str(&b), &src);
	assert_int_equal(m.nparts, 3);
	assert_true(str_search(buf_str(&b), S("Status: 2.0.0\r\n")) > 0);
	/* Header only, without the empty line: all of it is header. */
	d.original = S("Subject: x\r\n");
	buf_reset(&b);
	assert_ok(dsn_compose(&b, &d, true, NOW, &bit8, &e));
	m = parse(buf_str(&b), &src);
	assert_int_equal(m.nparts, 4);

	bad = d;
	bad.message_id = (struct str){ 0 };
	assert_err(dsn_compose(&b, &bad, true, NOW, &bit8, &e), ERR_INVALID);
	bad = d;
	bad.nrecipients = 0;
	assert_err(dsn_compose(&b, &bad, true, NOW, &bit8, &e), ERR_INVALID);
	bad = d;
	bad.reporting_mta = (struct str){ 0 };
	assert_err(dsn_compose(&b, &bad, true, NOW, &bit8, &e), ERR_INVALID);
}

/* What a strict reading refuses; and what a lenient one makes of it: the status of the first recipient, or NULL for refused too. */
TEST(refusals)
{
#define HEAD "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
#define MTA "Reporting-MTA: dns; mx.example\r\n\r\n"
#define RCPT "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
#define TAIL "\r\n--b--\r\n"
	static const struct {
		const char *in;
		bool strict_ok;
		const char *status;
	} rows[] = {
		{ HEAD MTA RCPT TAIL, true, "5.1.1" },
		{ HEAD MTA "Final-Recipient: RFC822;a@b.example (comment)\r\nAction: failed\r\nStatus: 5.1.1\r\n" TAIL, false, "5.1.1" },
		{ HEAD "Reporting-MTA: dns; mx.example (comment)\r\n\r\n" RCPT TAIL, true, "5.1.1" },
		{ HEAD "Reporting-MTA: x-local; mx\r\n\r\n" RCPT TAIL, false, "5.1.1" },
		{ HEAD "Arrival-Date: 1 Jan 2024 00:00:00 +0000 (UTC)\r\n" MTA RCPT TAIL, true, "5.1.1" },
		{ HEAD "Arrival-Date: whenever\r\n" MTA RCPT TAIL, false, "5.1.1" },
		{ HEAD "X: y\r\n\r\n" RCPT TAIL, false, "5.1.1" },
		{ HEAD MTA TAIL, false, NULL },
		{ HEAD MTA "Action: failed\r\nStatus: 5.1.1\r\n" TAIL, false, NULL },
		{ HEAD MTA "Final-Recipient: rfc822; a@b.example\r\nStatus: 5.1.1\r\n" TAIL, false, "5.1.1" },
		{ HEAD MTA "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n" TAIL, false, "5.0.0" },
		{ HEAD MTA "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nDiagnostic-Code: smtp; 550 5.7.1 no\r\n" TAIL, false, "5.7.1" },
		{ HEAD MTA "Final-Recipient: rfc822; a@b.example\r\nAction: exploded\r\nStatus: 5.1.1\r\n" TAIL, false, "5.1.1" },
		{ HEAD MTA "Final-Recipient: rfc822; a@b.example\r\nAction: exploded\r\n" TAIL, false, NULL },
		{ HEAD "Original-Recipient: <a@b.example>\r\nAction: failed\r\nDiagnostic-Code: smtp; 550 5.1.1 x\r\n" TAIL, false, "5.1.1" },
		{ HEAD MTA "Final-Recipient: rfc822; a@b.example\r\nAction: exploded\r\nStatus: 5.1.1\r\n\r\n" RCPT TAIL, false, "5.1.1" },
		{ HEAD MTA "Final-Recipient: rfc822; a@b.example\r\nAction: Failed (x)\r\nStatus: 5.1.1 (a (b))\r\n" TAIL, true, "5.1.1" },
		{ HEAD MTA RCPT "Status: 5.1.2\r\n" TAIL, false, "5.1.1" },
		{ HEAD MTA RCPT "Diagnostic-Code: x-unix; 67\r\n" TAIL, false, "5.1.1" },
		{ HEAD MTA RCPT "Will-Retry-Until: soon\r\n" TAIL, true, "5.1.1" },
		{ HEAD MTA RCPT "\r\n" RCPT TAIL, true, "5.1.1" },
		{ HEAD "\r\n\r\n" MTA "\r\n\r\n" RCPT TAIL, true, "5.1.1" },
		{ HEAD "Reporting-MTA: dns; mx.example\r\n" RCPT TAIL, false, "5.1.1" },
		{ HEAD MTA "Final-Recipient: utf-8; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n" TAIL, false, "5.1.1" },
		{ HEAD MTA "Final-Recipient: rfc822; m\xc3\xb6x@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n" TAIL, false, "5.1.1" },
		{ HEAD MTA "Final-Recipient: rfc822; a\\x{41\r\nAction: failed\r\nStatus: 5.1.1\r\n" TAIL, false, "5.1.1" },
		{ HEAD MTA "Final-Recipient: rfc822; m\\x{F6}x@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n" TAIL, true, "5.1.1" },
		{ HEAD MTA "Final-Recipient: x400; /c=x/\r\nAction: failed\r\nStatus: 5.1.1\r\n" TAIL, false, "5.1.1" },
		{ "Content-Type: text/plain\r\n\r\n" MTA RCPT, false, NULL },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" MTA RCPT TAIL, false, "5.1.1" },
		{ "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" MTA RCPT TAIL, false, "5.1.1" },
		{ HEAD MTA RCPT "\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n--b\r\n\r\nfourth\r\n--b--\r\n", false, "5.1.1" },
		{ HEAD MTA RCPT "\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n", false, "5.1.1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_source src = message_source_mem(str_of(rows[i].in));
		struct message m;
		struct dsn_message d;
		struct errmsg e = { 0 };
		test_row("%zu %s", i, rows[i].in);
		assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
		assert_int_equal(dsn_parse(test_arena(), &m, &src, DSN_STRICT, &d, &e), rows[i].strict_ok ? 0 : ERR_INVALID);
		assert_int_equal(e.text[0] != '\0', !rows[i].strict_ok);
		e = (struct errmsg){ 0 };
		assert_int_equal(dsn_parse(test_arena(), &m, &src, 0, &d, &e), rows[i].status ? 0 : ERR_INVALID);
		if (rows[i].status)
			assert_strz(d.recipients[0].status, rows[i].status);
	}
}

/* The bounces of many servers: each that has a delivery status gives its recipients. */

static struct strlist files;

static int
visit(const char *p, const struct stat *st unused_, int type, struct FTW *ftw unused_)
{
	if (type == FTW_F && !str_ends(str_of(p), S(".md")))
		strlist_add(test_arena(), &files, str_of(arena_strdup(test_arena(), p)));
	return 0;
}

static bool
has_status_part(const struct message *m)
{
	for (uint32_t i = 0; i < m->nparts; i++) {
		if (m->parts[i].parent == 0 && message_part_is(&m->parts[i], S("MESSAGE"), S("DELIVERY-STATUS")))
			return true;
	}
	return false;
}

static const cJSON *
expected_of(const cJSON *all, struct str name)
{
	const cJSON *row;

	cJSON_ArrayForEach(row, all) {
		if (str_ends(name, str_of(cJSON_GetObjectItem(row, "file")->valuestring)))
			return row;
	}
	return NULL;
}

/* agrees: the class, and the code unless it is one of Sisimai's own (x.0.9nn), is that of some expected recipient. */
static bool
agrees(const cJSON *row, const struct dsn_recipient *r)
{
	const cJSON *x;

	cJSON_ArrayForEach(x, cJSON_GetObjectItem(row, "recipients")) {
		struct str want = str_of(cJSON_GetObjectItem(x, "status")->valuestring);
		if (str_is(want, r->status) || (want.n >= 7 && str_is(str_n(want.p + 1, 4), S(".0.9")) && want.p[0] == r->status.p[0]))
			return true;
	}
	return false;
}

TEST(bounces)
{
	struct str text = test_read(test_data("bounces/expected.json"));
	cJSON *all = cJSON_ParseWithLength(text.p, text.n);
	size_t dsns = 0, recipients = 0, usable = 0, compared = 0, same = 0, refused = 0;

	files = (struct strlist){ 0 };
	assert_int_equal(nftw(test_data("bounces/eml"), visit, 16, FTW_PHYS), 0);
	strlist_sort(&files);
	struct strlist list = files;
	for (size_t i = 0; i < list.n; i++) {
		ARENA_SCOPE(test_arena());
		struct message_source src = message_source_mem(test_read(list.v[i].p));
		struct message m;
		struct dsn_message d;
		struct errmsg e = { 0 };
		test_row(STRF, STRA(list.v[i]));
		assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
		int rc = dsn_parse(test_arena(), &m, &src, 0, &d, &e);
		if (!has_status_part(&m)) {
			assert_int_equal(rc, ERR_INVALID);
			continue;
		}
		if (rc < 0) {
			refused++;
			if (getenv("MOX_TEST_DIFFERENCES"))
				fprintf(stderr, STRF ": %s\n", STRA(list.v[i]), e.text);
			continue;
		}
		dsns++;
		const cJSON *row = expected_of(all, list.v[i]);
		for (uint32_t k = 0; k < d.nrecipients; k++) {
			const struct dsn_recipient *r = &d.recipients[k];
			recipients++;
			assert_true(r->status.n > 0 && r->final_text.p);
			usable += !smtp_path_is_null(&r->final_recipient);
			if (!row)
				continue;
			compared++;
			same += agrees(row, r);
			if (getenv("MOX_TEST_DIFFERENCES") && !agrees(row, r))
				fprintf(stderr, STRF ": " STRF " (" STRF ") " STRF " | " STRF "\n", STRA(list.v[i]), STRA(r->status), STRA(dsn_action_name(r->action)), STRA(r->diagnostic),
					STRA(str_of(cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(row, "recipients"), 0), "status")->valuestring)));
		}
	}
	cJSON_Delete(all);
	print_message("%zu DSNs, %zu refused, %zu recipients, %zu with address; of %zu statuses %zu are as expected\n", dsns, refused, recipients, usable, compared, same);
	/* Refused are those that name no recipient at all. */
	assert_true(dsns >= 334 && refused <= 3 && same * 10 >= compared * 9 - 20);
}
