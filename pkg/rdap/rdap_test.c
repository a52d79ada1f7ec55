/* SPDX-License-Identifier: MIT */
#include "rdap/rdap.h"

#include "base/buf.h"
#include "testutil/testutil.h"

static const char bootstrap[] =
    "{\"version\": \"1.0\", \"publication\": \"2024-01-07T10:11:12Z\", \"services\": ["
    "[[\"net\", \"com\"], [\"https://registry.example.com/rdap/\", \"http://insecure.example/\"]],"
    "[[\"org\"], [\"http://insecure.example/\"]],"
    "[[\"xn--p1ai\", \"two.servers\"], [\"https://down.example/x\", \"https://up.example/x\"]],"
    "[[\"example.com\"], [\"https://longer.example\"]], [[\"odd\"]], []]}";

TEST(services)
{
	static const struct { const char *domain; int rv; const char *urls; } rows[] = {
		{ "a.b.com", 0, "https://registry.example.com/rdap/" },
		{ "com", 0, "https://registry.example.com/rdap/" },
		{ "a.example.com", 0, "https://longer.example/" },      /* rfc/9224:245 */
		{ "bexample.com", 0, "https://registry.example.com/rdap/" },
		{ "example.xn--p1ai", 0, "https://down.example/x/ https://up.example/x/" },
		{ "example.org", RDAP_NOSERVICE, "" },
		{ "example.odd", RDAP_NOSERVICE, "" },
		{ "xcom", RDAP_NOSERVICE, "" },
	};
	struct strlist urls;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].domain);
		urls = (struct strlist){ 0 };
		assert_err(rdap_services(test_arena(), str_of(bootstrap), str_of(rows[i].domain), &urls, NULL), rows[i].rv);
		assert_strz(strlist_join(test_arena(), &urls, S(" ")), rows[i].urls);
	}
	assert_err(rdap_services(test_arena(), S("{\"services\": [[\"com\"]]}"), S("a.com"), &urls, NULL), ERR_INVALID);
	assert_err(rdap_services(test_arena(), S("<html>"), S("a.com"), &urls, NULL), ERR_INVALID);
}

#define EVENT(action, date) "{\"eventAction\": \"" action "\", \"eventDate\": \"" date "\", \"links\": []}"
#define EVENTS(list) "{\"events\": [" list "]}"

TEST(registrations)
{
	static const struct { const char *json; int rv; const char *at; } rows[] = {
		{ EVENTS(EVENT("last changed", "2022-01-01T00:00:00Z") "," EVENT("registration", "1990-12-31T23:59:59Z")), 0,
		    "1990-12-31T23:59:59Z" },
		{ EVENTS(EVENT("reregistration", "2019-05-05T01:00:00+01:00") "," EVENT("Registration", "1990-12-31T00:00:00Z")),
		    0,
		    "2019-05-05T00:00:00Z" },
		{ EVENTS(EVENT("reinstantiation", "2020-01-01T00:00:00Z")), 0, "2020-01-01T00:00:00Z" },
		/* The clock stands at 2023-11-14. */
		{ EVENTS(EVENT("registration", "2033-01-01T00:00:00Z") "," EVENT("registration", "2001-01-01T00:00:00Z")), 0,
		    "2001-01-01T00:00:00Z" },
		{ EVENTS(EVENT("registration", "2033-01-01T00:00:00Z")), RDAP_NOEVENT, "" },
		{ EVENTS(EVENT("registration", "yesterday")), RDAP_NOEVENT, "" },
		{ "{\"events\": [{}]}", RDAP_NOEVENT, "" },
		{ "{}", RDAP_NOEVENT, "" },
		{ "{\"events\": {}}", RDAP_FAILED, "" },
		{ "[]", RDAP_FAILED, "" },
		{ "", RDAP_FAILED, "" },
	};
	int64_t us;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str json = str_of(rows[i].json);
		struct errmsg e = { 0 };

		test_row("%s", rows[i].json);
		assert_err(rdap_registration(test_arena(), test_exact(json), clock_now_us(test_clock()), &us, &e), rows[i].rv);
		assert_int_equal(e.text[0] != '\0', rows[i].rv < 0);
		if (rows[i].rv == 0)
			assert_strz(time_rfc3339(test_arena(), us), rows[i].at);
	}
}

/* A fetcher over a table. */
struct canned {
	struct fetcher f;
	const char *bootstrap;
	int bootstrap_rv;
	struct buf asked;
};

static int
canned_get(struct fetcher *f, struct arena *a, const struct ctx *ctx unused_, const struct fetch_request *q,
    struct fetch_response *r_response, struct errmsg *e)
{
	static const struct { const char *url; int rv, status; const char *body; } pages[] = {
		{ "https://registry.example.com/rdap/domain/good.com", 0, 200,
		    EVENTS(EVENT("registration", "2001-01-01T00:00:00Z")) },
		{ "https://registry.example.com/rdap/domain/silent.com", 0, 200, "{}" },
		{ "https://registry.example.com/rdap/domain/busy.com", 0, 429,
		    "{\"errorCode\": 429, \"title\": \"Slow\\ndown\", \"description\": [\"Too many\", \"requests.\"]}" },
		{ "https://registry.example.com/rdap/domain/html.com", 0, 500, "<html>down</html>" },
		{ "https://up.example/x/domain/good.xn--p1ai", 0, 200, EVENTS(EVENT("registration", "2002-01-01T00:00:00Z")) },
	};
	struct canned *c = container_of(f, struct canned, f);

	buf_addf(&c->asked, STRF " (" STRF ")\n", STRA(q->url), STRA(q->headers[0].value));
	assert_true(q->https_only);
	if (str_starts(q->url, S("https://data.iana.org/"))) {
		*r_response = (struct fetch_response){ .status = 200, .body = str_dup(a, str_of(c->bootstrap)) };
		return c->bootstrap_rv < 0 ? err_set(e, c->bootstrap_rv, "cannot") : 0;
	}
	r_response->status = 404;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		if (str_is(q->url, str_of(pages[i].url)))
			*r_response = (struct fetch_response){ .status = pages[i].status, .body = str_of(pages[i].body) };
	if (str_starts(q->url, S("https://down.example/")))
		return err_set(e, FETCH_NOHOST, "no such host");
	return 0;
}

TEST(fetching)
{
	static const struct { const char *domain; int rv; const char *text; } rows[] = {
		{ "good.com", 0, "2001-01-01T00:00:00Z" },
		{ "none.com", RDAP_UNKNOWN, "does not know" },
		{ "silent.com", RDAP_NOEVENT, "no date" },
		{ "busy.com", RDAP_FAILED, "status 429: Slow\\x0adown: Too many requests." },
		{ "html.com", RDAP_FAILED, "status 500: <html>" },
		{ "good.xn--p1ai", 0, "2002-01-01T00:00:00Z" }, /* the second server */
		{ "a.org", RDAP_NOSERVICE, "no RDAP server" },
	};
	struct canned c = { .f.get = canned_get, .bootstrap = bootstrap, .asked = BUF_ARENA(test_arena(), 65536) };
	struct rdap_opts o = { .fetcher = &c.f, .clock = test_clock() };
	struct idna_domain d = { .ascii = S("good.com") };
	struct ctx ctx = { 0 };
	int64_t us;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct idna_domain name = { .ascii = str_of(rows[i].domain) };
		struct errmsg e = { 0 };

		test_row("%s", rows[i].domain);
		assert_err(rdap_registered(&o, test_arena(), &ctx, &name, &us, &e), rows[i].rv);
		if (rows[i].rv == 0)
			assert_strz(time_rfc3339(test_arena(), us), rows[i].text);
		else if (!strstr(e.text, rows[i].text))
			fail_msg("text is: %s", e.text);
	}
	assert_true(str_search(buf_str(&c.asked), S("https://data.iana.org/rdap/dns.json (application/json)\n")) >= 0);
	assert_true(str_search(buf_str(&c.asked), S("/rdap/domain/good.com (application/rdap+json)\n")) >= 0);
	c.bootstrap = "{}";
	assert_err(rdap_registered(&o, test_arena(), &ctx, &d, &us, NULL), RDAP_NOSERVICE);
	c.bootstrap = "<html>";
	assert_err(rdap_registered(&o, test_arena(), &ctx, &d, &us, NULL), RDAP_FAILED);
	c.bootstrap_rv = ERR_TIMEOUT;
	assert_err(rdap_registered(&o, test_arena(), &ctx, &d, &us, NULL), ERR_TIMEOUT);
	c.bootstrap_rv = FETCH_TLS;
	assert_err(rdap_registered(&o, test_arena(), &ctx, &d, &us, NULL), RDAP_FAILED);
}
