/* SPDX-License-Identifier: MIT */
/* tlsrpt_test.c - records, looking them up, reports, messages, adding up. */
#include "tlsrpt/tlsrpt.h"

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/gzip.h"
#include "base/limits.h"
#include "dns_mock/dns_mock.h"
#include "metrics/metrics.h"
#include "testutil/testutil.h"

static const struct {
	const char *in, *out;
} good[] = {
	{ "v=TLSRPTv1;rua=mailto:reports@example.com", "v=TLSRPTv1; rua=mailto:reports@example.com" }, // rfc/8460:409
	{ "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt;",
	    "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt" },
	{ "v=TLSRPTv1 ; rua=mailto:a@x.example\t, \tmailto:b@x.example ; ",
	    "v=TLSRPTv1; rua=mailto:a@x.example,mailto:b@x.example" },
	{ "v=TLSRPTv1; rua=mailto:a@x.example; rua=mailto:b@x.example",
	    "v=TLSRPTv1; rua=mailto:a@x.example,mailto:b@x.example" },
	{ "v=TLSRPTv1; x=1; rua=mailto:a@x.example?subject=%2c%21; x=2;",
	    "v=TLSRPTv1; rua=mailto:a@x.example?subject=%2c%21; x=1; x=2" },
	{ "v=TLSRPTv1; RUA=other; rua=x-y+z.1:q", "v=TLSRPTv1; rua=x-y+z.1:q; RUA=other" },
};
static const char *const bad[] = {
	"",
	"v=TLSRPTv1",
	"v=TLSRPTv1;",
	"v=TLSRPTv1;;",
	"v=TLSRPTv1;;rua=mailto:a@x.example",
	"v=TLSRPTv1; rua=mailto:a@x.example;;",
	"v=TLSRPTv2; rua=mailto:a@x.example",
	"V=TLSRPTv1; rua=mailto:a@x.example",
	"v=tlsrptv1; rua=mailto:a@x.example",
	" v=TLSRPTv1; rua=mailto:a@x.example",
	"v=TLSRPTv1, rua=mailto:a@x.example",
	"v=TLSRPTv1; rua=a@x.example",
	"v=TLSRPTv1; rua=mailto:",
	"v=TLSRPTv1; rua=:x",
	"v=TLSRPTv1; rua=1a:x",
	"v=TLSRPTv1; rua=http://bad/%",
	"v=TLSRPTv1; rua=http://bad/%1",
	"v=TLSRPTv1; rua=http://bad/%zz",
	"v=TLSRPTv1; rua=mailto:a@x.example!10m", // rfc/8460:361
	"v=TLSRPTv1; rua=mailto:a@x.example,",
	"v=TLSRPTv1; rua= mailto:a@x.example",
	"v=TLSRPTv1; rua",
	"v=TLSRPTv1; rua=mailto:a@x.example; x=",
	"v=TLSRPTv1; rua=mailto:a@x.example; _x=1",
	"v=TLSRPTv1; rua=mailto:a@x.example; x=a=b",
	"v=TLSRPTv1; rua=mailto:a@x.example; a2345678901234567890123456789012x=1",
};

TEST(records_that_parse)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct tlsrpt_record r, again;
		struct str once;
		bool is;

		test_row("%s", good[i].in);
		assert_ok(tlsrpt_parse_record(test_arena(), test_exact(str_of(good[i].in)), &r, &is, NULL));
		assert_true(is);
		once = tlsrpt_pack_record(test_arena(), &r);
		assert_strz(once, good[i].out);
		assert_ok(tlsrpt_parse_record(test_arena(), once, &again, &is, NULL));
		assert_str(tlsrpt_pack_record(test_arena(), &again), once);
	}
}

TEST(records_that_do_not)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tlsrpt_record r;
		struct errmsg e = { 0 };
		bool is;

		test_row("%s", bad[i]);
		assert_err(tlsrpt_parse_record(test_arena(), test_exact(str_of(bad[i])), &r, &is, &e), ERR_INVALID);
		assert_true(e.text[0] != '\0');
	}
}

TEST(characters_are_encoded_in_writing)
{
	struct tlsrpt_record r = { 0 };

	strlist_add(test_arena(), &r.rua, S("mailto:a,b!c;d@x.example"));
	assert_strz(tlsrpt_pack_record(test_arena(), &r), "v=TLSRPTv1; rua=mailto:a%2Cb%21c%3Bd@x.example");
}

/* testdata/mta-sts/vectors.json: TXT records at a domain, and the rua list. */
TEST(suite)
{
	struct str json = test_read(test_data("mta-sts/vectors.json"));
	cJSON *all = cJSON_ParseWithLength(json.p, json.n);
	const cJSON *row;
	size_t rows = 0;

	cJSON_ArrayForEach(row, cJSON_GetObjectItem(all, "tlsrpt_txt"))
	{
		struct dns_mock_opts o = { .all_authentic = true };
		struct dns_resolver *r = dns_mock_new(&o);
		const cJSON *txt, *rua = cJSON_GetObjectItem(row, "rua");
		struct tlsrpt_record record;
		struct ctx ctx = { 0 };
		struct str text;

		cJSON_ArrayForEach(txt, cJSON_GetObjectItem(row, "txt"))
		    dns_mock_add(r, str_fmt(test_arena(), "_smtp._tls.example.org TXT \"%s\"", txt->valuestring).p);
		test_row("%zu %s", rows++, cJSON_GetObjectItem(row, "note")->valuestring);
		assert_int_equal(tlsrpt_lookup(r, test_arena(), &ctx, S("example.org"), &text, &record, NULL) == 0,
		    !cJSON_IsNull(rua));
		if (!cJSON_IsNull(rua)) {
			assert_int_equal(record.rua.n, cJSON_GetArraySize(rua));
			for (size_t i = 0; i < record.rua.n; i++)
				assert_strz(record.rua.v[i], cJSON_GetArrayItem(rua, (int)i)->valuestring);
		}
		dns_mock_free(&r);
	}
	assert_int_equal(rows, 7);
	cJSON_Delete(all);
}

TEST(lookups)
{
	static const char *const fail[] = { "txt _smtp._tls.temp.example", NULL };
	struct dns_mock_opts o = {
		.zone = "_smtp._tls.ok.example TXT \"v=TLSRPTv1; \" \"rua=mailto:a@ok.example\"\n"
			"_smtp._tls.ok.example TXT other\n"
			"_smtp._tls.bad.example TXT v=TLSRPTv1; rua=nothing\n"
			"_smtp._tls.two.example TXT v=TLSRPTv1; rua=mailto:a@x.example\n"
			"_smtp._tls.two.example TXT v=TLSRPTv1; rua=nothing\n"
			"_smtp._tls.other.example TXT v=TLSRPTv1\n",
		.fail = fail,
	};
	static const struct {
		const char *domain;
		int want;
		const char *label;
	} rows[] = {
		{ "ok.example", 0, "ok" },
		{ "bad.example", TLSRPT_SYNTAX, "malformed" },
		{ "two.example", TLSRPT_MULTIPLE, "multiple" },
		{ "other.example", TLSRPT_NORECORD, "notfound" },
		{ "none.example", TLSRPT_NORECORD, "notfound" },
		{ "temp.example", TLSRPT_DNS, "temperror" },
	};
	struct dns_resolver *r = dns_mock_new(&o);
	struct ctx ctx = { 0 };
	struct buf out = BUF_ARENA(test_arena(), 1 << 20);

	metrics_reset_all();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tlsrpt_record record;
		struct errmsg e = { 0 };
		struct str txt;
		struct str line =
		    str_fmt(test_arena(), "mox_tlsrpt_lookup_duration_seconds_count{result=\"%s\"} ", rows[i].label);

		test_row("%s", rows[i].domain);
		assert_int_equal(
		    tlsrpt_lookup(r, test_arena(), &ctx, str_of(rows[i].domain), &txt, &record, &e), rows[i].want);
		assert_int_equal(e.text[0] == '\0', rows[i].want == 0);
		buf_reset(&out);
		metrics_expose(&out);
		assert_true(str_search(buf_str(&out), line) > 0);
	}
	dns_mock_free(&r);
}

/* What each report of the corpus holds. */
static const struct {
	const char *file, *org, *id, *start;
	size_t policies;
	int64_t good, failed;
	size_t details;
	const char *type, *first; /* of the first policy, and of its first line */
} reports[] = {
	{ "mail-auth/rpt01.json", "Company-X", "5065427c-23d3-47ca-b6e0-946ea0e8c4be", "2016-04-01T00:00:00Z", 1, 5326,
	    303, 3, "sts", "version: STSv1" },
	{ "mail-auth/rpt02.json", "Google Inc.", "2020-01-01T00:00:00Z_example.com", "2020-01-01T00:00:00Z", 1, 23, 1,
	    1, "sts", "version: STSv1" },
	{ "mail-auth/rpt03.json", "Google Inc.", "2019-04-14T00:00:00Z_example.org", "2019-04-14T00:00:00Z", 2, 2, 0, 0,
	    "no-policy-found", "" },
	{ "mail-auth/rpt01.eml", "Company-X", "5065427c-23d3-47ca-b6e0-946ea0e8c4be", "2016-04-01T00:00:00Z", 1, 5326,
	    303, 3, "sts", "version: STSv1" },
	{ "mail-auth/rpt02.eml", "Google Inc.", "2020-01-01T00:00:00Z_example.com", "2020-01-01T00:00:00Z", 1, 23, 1, 1,
	    "sts", "version: STSv1" },
	{ "parsedmarc/mail.ru.json", "Mail.ru", "b28254de-7b2e-be36-bb5c-4c3b92da8b25@mail.ru", "2024-02-22T00:00:00Z",
	    1, 0, 1, 2, "sts", "" },
	{ "parsedmarc/rfc8460.json", "Company-X", "5065427c-23d3-47ca-b6e0-946ea0e8c4be", "2016-04-01T00:00:00Z", 1,
	    5326, 303, 3, "sts", "version: STSv1" },
	{ "parsedmarc/smtp_tls.json", "Example Inc.", "2024-01-09T00:00:00Z_example.com", "2024-01-09T00:00:00Z", 1, 0,
	    3, 2, "sts", "version: STSv1" },
	{ "parsedmarc/google.com_smtp_tls_report.eml", "Google Inc.", "2024-09-03T00:00:00Z_cardinalhealth.ca",
	    "2024-09-03T00:00:00Z", 1, 48, 0, 0, "no-policy-found", "" },
};

static struct str
crlf(struct str s)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 24);

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			buf_addc(&b, '\r');
		buf_addc(&b, s.p[i]);
	}
	return buf_str(&b);
}

TEST(corpus)
{
	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		struct str text = test_read(test_data(str_fmt(test_arena(), "reports/tlsrpt/%s", reports[i].file).p));
		struct buf b = BUF_ARENA(test_arena(), 1 << 20);
		struct tlsrpt_report r, again;
		int64_t good_sum = 0, failed = 0;
		size_t details = 0;

		test_row("%s", reports[i].file);
		if (str_ends(str_of(reports[i].file), S(".eml"))) {
			struct message_source src = message_source_mem(crlf(text));

			assert_ok(tlsrpt_parse_message(test_arena(), &src, &r, NULL));
		} else {
			assert_ok(tlsrpt_parse(test_arena(), test_exact(text), &r, NULL));
		}
		assert_strz(r.organization_name, reports[i].org);
		assert_strz(r.report_id, reports[i].id);
		assert_strz(time_rfc3339(test_arena(), r.date_range.start), reports[i].start);
		assert_true(r.date_range.end > r.date_range.start);
		assert_int_equal(r.policies.n, reports[i].policies);
		for (size_t k = 0; k < r.policies.n; k++) {
			good_sum += r.policies.v[k].summary.total_successful_session_count;
			failed += r.policies.v[k].summary.total_failure_session_count;
			details += r.policies.v[k].failure_details.n;
		}
		assert_int_equal(good_sum, reports[i].good);
		assert_int_equal(failed, reports[i].failed);
		assert_int_equal(details, reports[i].details);
		assert_strz(r.policies.v[0].policy.type, reports[i].type);
		assert_strz(
		    r.policies.v[0].policy.string.n ? r.policies.v[0].policy.string.v[0] : S(""), reports[i].first);
		tlsrpt_pack(&b, &r);
		assert_ok(tlsrpt_parse(test_arena(), buf_str(&b), &again, NULL));
		assert_true(typedesc_equal(&tlsrpt_report_desc, &r, &again));
	}
}

TEST(reading_tolerantly)
{
	/* Microsoft leaves the zone out; others write members as they like. */
	static const char odd[] =
	    "\xef\xbb\xbf{\"Organization-Name\":\"M\xff\",\"date-range\":{\"start-datetime\":\"2024-01-09T00:00:00\","
	    "\"end-datetime\":\"2024-01-10T00:00:00+01:00\"},\"x\":{},\"policies\":[{\"policy\":{\"policy-type\":"
	    "\"sts\",\"mx-host\":\"mx.example\",\"policy-string\":null}}],\"contact-info\":null} junk";
	struct tlsrpt_report r;

	assert_ok(tlsrpt_parse(test_arena(), str_of(odd), &r, NULL));
	assert_strz(r.organization_name, "M\xef\xbf\xbd");
	assert_strz(time_rfc3339(test_arena(), r.date_range.start), "2024-01-09T00:00:00Z");
	assert_strz(time_rfc3339(test_arena(), r.date_range.end), "2024-01-09T23:00:00Z");
	assert_int_equal(r.policies.n, 1);
	assert_strz(r.policies.v[0].policy.mx_host.v[0], "mx.example");
	assert_int_equal(r.policies.v[0].policy.string.n, 0);

	assert_err(tlsrpt_parse(test_arena(), S(""), &r, NULL), ERR_INVALID);
	assert_err(tlsrpt_parse(test_arena(), S("[]"), &r, NULL), ERR_INVALID);
	assert_err(tlsrpt_parse(test_arena(), S("{\"policies\":[{\"summary\":{\"total-failure-session-count\":\"x\"}}]}"),
	    &r, NULL), ERR_INVALID);
	assert_err(tlsrpt_parse(test_arena(), S("{\"date-range\":{\"start-datetime\":\"yesterday\"}}"), &r, NULL),
	    ERR_INVALID);
}

TEST(writing)
{
	struct tlsrpt_failure_details f[] = { { .result_type = S("certificate-expired"), .failed_session_count = 1 },
		{ .result_type = S("validation-failure"), .receiving_mx_helo = S("mx"), .failed_session_count = 2 } };
	struct tlsrpt_result res[] = { { .policy = { .type = S(TLSRPT_TLSA), .domain = S("example.org") },
	    .summary = { 3, 3 },
	    .failure_details = { .v = f, .n = 2 } } };
	struct tlsrpt_report r = { .organization_name = S("O\"rg"),
		.contact_info = S("a@b.example"),
		.report_id = S("id"),
		.date_range = { 0, TIME_DAY - TIME_SEC },
		.policies = { .v = res, .n = 1 } };
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);

	tlsrpt_pack(&b, &r);
	assert_strz(buf_str(&b),
	    "{\n\t\"organization-name\": \"O\\\"rg\",\n\t\"date-range\": {\n\t\t\"start-datetime\": \"1970-01-01T00:00:00Z\",\n"
	    "\t\t\"end-datetime\": \"1970-01-01T23:59:59Z\"\n\t},\n"
	    "\t\"contact-info\": \"a@b.example\",\n\t\"report-id\": \"id\",\n"
	    "\t\"policies\": [\n\t\t{\n\t\t\t\"policy\": {\n\t\t\t\t\"policy-type\": \"tlsa\",\n\t\t\t\t\"policy-string\": [],\n"
	    "\t\t\t\t\"policy-domain\": \"example.org\",\n\t\t\t\t\"mx-host\": []\n\t\t\t},\n\t\t\t\"summary\": {\n"
	    "\t\t\t\t\"total-successful-session-count\": 3,\n\t\t\t\t\"total-failure-session-count\": 3\n\t\t\t},\n"
	    "\t\t\t\"failure-details\": [\n\t\t\t\t{\n\t\t\t\t\t\"result-type\": \"certificate-expired\",\n"
	    "\t\t\t\t\t\"sending-mta-ip\": \"\",\n\t\t\t\t\t\"receiving-mx-hostname\": \"\",\n"
	    "\t\t\t\t\t\"receiving-ip\": \"\",\n"
	    "\t\t\t\t\t\"failed-session-count\": 1,\n\t\t\t\t\t\"additional-information\": \"\",\n"
	    "\t\t\t\t\t\"failure-reason-code\": \"\"\n\t\t\t\t},\n\t\t\t\t{\n\t\t\t\t\t\"result-type\": \"validation-failure\",\n"
	    "\t\t\t\t\t\"sending-mta-ip\": \"\",\n\t\t\t\t\t\"receiving-mx-hostname\": \"\",\n"
	    "\t\t\t\t\t\"receiving-mx-helo\": \"mx\",\n"
	    "\t\t\t\t\t\"receiving-ip\": \"\",\n\t\t\t\t\t"
	    "\"failed-session-count\": 2,\n\t\t\t\t\t\"additional-information\": \"\",\n"
	    "\t\t\t\t\t\"failure-reason-code\": \"\"\n\t\t\t\t}\n\t\t\t]\n\t\t}\n\t]\n}\n");
	assert_strz(tlsrpt_filename(test_arena(), S("mail.sndr.example.com"), S("example.net"), 1470013207 * TIME_SEC,
			1470186007 * TIME_SEC),
	    "mail.sndr.example.com!example.net!1470013207!1470186007.json.gz");
}

static int
parse_mail(const char *head, struct str body, struct tlsrpt_report *r)
{
	struct message_source src = message_source_mem(str_cat(test_arena(), str_of(head), body));

	return tlsrpt_parse_message(test_arena(), &src, r, NULL);
}

#define JSON "{\"report-id\":\"x\"}\r\n"
#define PART "Content-Type: application/tlsrpt+json\r\n\r\n" JSON
#define MULTI(type) "Content-Type: multipart/" type "; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"

TEST(messages)
{
	static const struct {
		const char *head;
		const char *body;
		int want;
	} rows[] = {
		{ PART, "", 0 },
		{ MULTI("report; report-type=tlsrpt") PART "--b--\r\n", "", 0 },
		{ MULTI("report; report-type=\"TLSRPT\"") PART "--b--\r\n", "", 0 },
		{ MULTI("report") PART "--b--\r\n", "", ERR_NOTFOUND },
		{ MULTI("report; report-type=delivery-status") PART "--b--\r\n", "", ERR_NOTFOUND },
		{ MULTI("mixed; report-type=tlsrpt") PART "--b--\r\n", "", ERR_NOTFOUND },
		{ "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n" MULTI("report; report-type=tlsrpt") PART
		    "--b--\r\n--o--\r\n",
		    "", 0 },
		{ "Content-Type: application/json\r\n\r\n" JSON, "", ERR_NOTFOUND },
		{ "Content-Type: application/tlsrpt+json\r\n\r\n", "no json", ERR_INVALID },
		{ "Content-Type: application/tlsrpt+gzip\r\n\r\n", "no gzip", ERR_INVALID },
		{ "Subject: hi\r\n\r\nhi\r\n", "", ERR_NOTFOUND },
	};
	struct tlsrpt_report r;
	struct buf z = BUF_ARENA(test_arena(), 1 << 20), text = BUF_ARENA(test_arena(), 1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		assert_int_equal(parse_mail(rows[i].head, str_of(rows[i].body), &r), rows[i].want);
		if (rows[i].want == 0)
			assert_strz(r.report_id, "x");
	}
	gzip_pack(&z, S(JSON));
	enc_base64_lines(&text, buf_str(&z));
	assert_ok(parse_mail(
	    "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n", buf_str(&text), &r));
	assert_strz(r.report_id, "x");
}

TEST(too_large)
{
	size_t n = LIMIT_REPORT_SIZE + 1;
	char *p = arena_bytes(test_arena(), n);
	struct buf z = BUF_ARENA(test_arena(), 1 << 20), text = BUF_ARENA(test_arena(), 1 << 20);
	struct tlsrpt_report r;

	memset(p, ' ', n);
	assert_err(tlsrpt_parse(test_arena(), str_n(p, n), &r, NULL), ERR_LIMIT);
	gzip_pack(&z, str_n(p, n));
	enc_base64_lines(&text, buf_str(&z));
	assert_err(parse_mail("Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n",
	    buf_str(&text), &r), ERR_LIMIT);
	assert_err(
	    parse_mail("Content-Type: application/tlsrpt+json\r\n\r\n", str_n(p, LIMIT_REPORT_MESSAGE), &r), ERR_LIMIT);
}

TEST(adding_up)
{
	struct tlsrpt_failure_details expired = { .result_type = S("certificate-expired"), .failed_session_count = 2 };
	struct tlsrpt_failure_details other = { .result_type = S("certificate-expired"), .receiving_ip = S("::1"),
		.failed_session_count = 1 };
	struct tlsrpt_result_policy tlsa = { .type = S("tlsa"), .domain = S("x.example") };
	struct tlsrpt_result_policy sts = { .type = S("sts"), .domain = S("x.example") };
	struct tlsrpt_result a = { .policy = tlsa, .summary = { 1, 2 }, .failure_details = { .v = &expired, .n = 1 } };
	struct tlsrpt_result b = { .policy = tlsa, .summary = { 4, 1 }, .failure_details = { .v = &other, .n = 1 } };
	struct tlsrpt_result c = { .policy = sts, .summary = { 1, 0 } };
	struct tlsrpt_result back = { .policy = tlsa, .summary = { -100, 0 } };
	struct tlsrpt_result huge = { .policy = sts, .summary = { INT64_MAX, 0 } };
	struct tlsrpt_result_list l = { 0 };

	tlsrpt_add(test_arena(), &l, &a);
	tlsrpt_add(test_arena(), &l, &b);
	tlsrpt_add(test_arena(), &l, &c);
	tlsrpt_add(test_arena(), &l, &a);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.v[0].summary.total_successful_session_count, 6);
	assert_int_equal(l.v[0].summary.total_failure_session_count, 5);
	assert_int_equal(l.v[0].failure_details.n, 2);
	assert_int_equal(l.v[0].failure_details.v[0].failed_session_count, 4);
	assert_int_equal(l.v[0].failure_details.v[1].failed_session_count, 1);
	assert_int_equal(expired.failed_session_count, 2); // what was given is not changed
	tlsrpt_add(test_arena(), &l, &back);
	assert_int_equal(l.v[0].summary.total_successful_session_count, 0);
	tlsrpt_add(test_arena(), &l, &huge);
	tlsrpt_add(test_arena(), &l, &huge);
	assert_true(l.v[1].summary.total_successful_session_count == INT64_MAX);
}
